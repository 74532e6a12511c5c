#include "http/frames.h"

#include <sodium.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "bounds.h"

_Static_assert(sizeof(struct frames_bucket) == 256, "no padding");
_Static_assert(FRAMES_KEY_LEN == crypto_shorthash_siphashx24_KEYBYTES,
    "the key of libsodium's short hash");
_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2,
    "several processes share an entry");

enum { FLAG_COUNTED = 1, FLAG_L10 = 2 };

static void
log_unusable(const char *reason)
{
	struct log_line line;

	log_begin(&line, LOG_WARNING, "frames-file");
	log_quoted(&line, "reason", slice_of(reason));
	log_word(&line, "using", SLICE("memory"));
	log_end(&line);
}

void
frames_open(struct frames *f, struct slice path)
{
	struct frames_file file = {0};
	const char *fault = path.len > 0
	    ? frames_file_open(&file, path, sizeof(*f->table))
	    : NULL;

	if (path.len > 0 && fault == NULL) {
		f->table = file.table;
		f->fd = file.fd;
		f->owner = file.owner;
		memcpy(f->key, file.key, sizeof(f->key));
		return;
	}
	if (fault != NULL)
		log_unusable(fault);
	f->table = &f->memory;
	f->fd = -1;
	f->owner = 1;
	randombytes_buf(f->key, sizeof(f->key));
}

static bool
is_held(const struct frames *f, uint32_t owner)
{
	return f->fd >= 0 && owner != f->owner &&
	    frames_file_owner_lives(f->fd, owner);
}

/* Its holder may be gone, stopped, or still at work. */
static bool
take_bucket(const struct frames *f, struct frames_bucket *bucket)
{
	static const struct timespec pause = {0, 2000000};
	int64_t deadline = 0;

	for (;;) {
		uint32_t owner = 0;

		if (atomic_compare_exchange_strong(
			&bucket->owner, &owner, f->owner))
			return true;
		if (!is_held(f, owner) &&
		    atomic_compare_exchange_strong(
			&bucket->owner, &owner, f->owner))
			return true;
		if (deadline == 0)
			deadline = clock_ms() + FRAMES_WAIT_MS;
		if (clock_ms() >= deadline)
			return false;
		nanosleep(&pause, NULL);
	}
}

static struct frames_entry *
find(struct frames_bucket *bucket, uint64_t tag)
{
	for (size_t i = 0; i < FRAMES_ENTRIES; i++)
		if (atomic_load(&bucket->entries[i].tag) == tag)
			return &bucket->entries[i];
	return NULL;
}

/* The order is such that the process may die at any point. */
static struct frames_entry *
replace_oldest(struct frames_bucket *bucket, uint64_t tag)
{
	struct frames_entry *e =
	    &bucket
		 ->entries[atomic_fetch_add(&bucket->next, 1) % FRAMES_ENTRIES];

	atomic_store(&e->tag, 0);
	atomic_store(&e->handed, 0);
	atomic_store(&e->flags, 0);
	atomic_store(&e->tag, tag);
	return e;
}

/* An application's name never holds a slash. */
static void
hash(const struct frames *f, struct slice app, struct slice id,
    uint64_t halves[2])
{
	char bytes[APP_MAX + 1 + FRAME_ID_MAX];
	struct buf name = BUF_IN(bytes);

	buf_put(&name, app);
	buf_put(&name, SLICE("/"));
	buf_put(&name, id);
	crypto_shorthash_siphashx24((unsigned char *)halves,
	    (const unsigned char *)name.ptr, name.len, f->key);
}

static enum frames_state
state_of(const struct frames_entry *e)
{
	if ((atomic_load(&e->flags) & FLAG_COUNTED) != 0)
		return FRAMES_COUNTED;
	return atomic_load(&e->handed) > 0 ? FRAMES_PARTLY : FRAMES_NEW;
}

enum frames_state
frames_claim(struct frames *f, struct slice app, struct slice id,
    struct frames_claim *claim)
{
	uint64_t halves[2], tag;
	struct frames_bucket *bucket;

	*claim = (struct frames_claim){0};
	claim->entry = &claim->unnamed;
	if (f->table == NULL || id.len == 0 || id.len > FRAME_ID_MAX)
		return FRAMES_NEW;
	hash(f, app, id, halves);
	tag = halves[1] != 0 ? halves[1] : 1;
	bucket = &f->table->buckets[halves[0] % FRAMES_BUCKETS];
	if (!take_bucket(f, bucket))
		return FRAMES_BUSY;
	claim->bucket = bucket;
	claim->entry = find(bucket, tag);
	if (claim->entry == NULL)
		claim->entry = replace_oldest(bucket, tag);
	return state_of(claim->entry);
}

void
frames_enter(struct frames_claim *claim)
{
	atomic_fetch_or(&claim->entry->flags, FLAG_COUNTED);
}

bool
frames_has_l10(const struct frames_claim *claim)
{
	return (atomic_load(&claim->entry->flags) & FLAG_L10) != 0;
}

void
frames_set_l10(struct frames_claim *claim, bool l10)
{
	if (l10)
		atomic_fetch_or(&claim->entry->flags, FLAG_L10);
	else
		atomic_fetch_and(&claim->entry->flags, ~(unsigned)FLAG_L10);
}

void
frames_release(struct frames_claim *claim)
{
	if (claim->bucket != NULL)
		atomic_store(&claim->bucket->owner, 0);
	claim->bucket = NULL;
	if (frames_file_lost())
		log_unusable(
		    "its bytes are gone: it was truncated, or its disk "
		    "failed");
}
