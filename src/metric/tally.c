#include "metric/tally.h"

#include <sodium.h>

#include "base/ascii.h"

_Static_assert(
    sizeof(((struct tally *)0)->hash_key) == crypto_shorthash_KEYBYTES,
    "the key of libsodium's short hash");
_Static_assert(TALLY_BUCKETS < UINT16_MAX, "buckets are numbered in 16 bits");

void
tally_reset(struct tally *tally)
{
	for (size_t i = 0; i < tally->bucket_count; i++)
		*tally->buckets[i].place = 0;
	if (tally->bucket_count > 0)
		memset(tally->first, 0, sizeof(tally->first));
	if (tally->has_counts)
		memset(tally->counts, 0, sizeof(tally->counts));
	tally->has_counts = false;
	tally->messages = 0;
	tally->skipped = 0;
	tally->errors = 0;
	tally->left_out = 0;
	tally->bucket_count = 0;
	tally->timer_count = 0;
	tally->custom_names = 0;
}

static char
clean(char c, enum part_kind kind)
{
	if (ascii_is_alnum(c))
		return kind == PART_LOWER ? ascii_to_lower(c) : c;
	if (c == '-' && kind != PART_KEY)
		return c;
	return c == '.' && kind == PART_DOTTED ? c : '_';
}

/* Appends a part to a key of so many bytes; false if the part is not usable. */
static bool
put_part(struct bucket_key *key, size_t used, int i, const struct part *part)
{
	struct slice s = part->text;
	char last = '.';

	if (s.len == 0 || s.len > PART_MAX)
		return false;
	for (size_t k = 0; k < s.len; k++) {
		char c = clean(s.ptr[k], part->kind);

		if (c == '.' && last == '.')
			return false;
		key->text[used + k] = last = c;
	}
	key->len[i] = (uint8_t)s.len;
	return last != '.';
}

/* False if the sample's parts do not make a name. */
static bool
make_key(struct bucket_key *key, const struct sample *sample)
{
	bool two = sample->parts[1].text.ptr != NULL;

	key->metric = (uint8_t)sample->metric;
	key->len[1] = 0;
	return put_part(key, 0, 0, &sample->parts[0]) &&
	    (!two || put_part(key, key->len[0], 1, &sample->parts[1]));
}

static size_t
key_size(const struct bucket_key *key)
{
	return offsetof(struct bucket_key, text) + key->len[0] + key->len[1];
}

/* The place for the key's number; it holds 0 if there is no such bucket. */
static bucket_number *
find(struct tally *tally, const struct bucket_key *key)
{
	size_t size = key_size(key), i;
	uint64_t hash;

	if (!tally->has_hash_key) {
		randombytes_buf(tally->hash_key, sizeof(tally->hash_key));
		tally->has_hash_key = true;
	}
	crypto_shorthash((unsigned char *)&hash, (const unsigned char *)key,
	    size, tally->hash_key);
	for (i = hash % TALLY_PLACES; tally->places[i] != 0;
	     i = (i + 1) % TALLY_PLACES)
		if (!memcmp(
			&tally->buckets[tally->places[i] - 1].key, key, size))
			break;
	return &tally->places[i];
}

static bucket_number
append(struct tally *tally, const struct bucket_key *key, bucket_number *place)
{
	enum metric_family family = metrics[key->metric].family;
	struct bucket *b = &tally->buckets[tally->bucket_count++];
	bucket_number number = (bucket_number)tally->bucket_count;

	*b = (struct bucket){.place = place};
	memcpy(&b->key, key, key_size(key));
	if (tally->first[family] == 0)
		tally->first[family] = number;
	else
		tally->buckets[tally->last[family] - 1].next = number;
	tally->last[family] = number;
	*place = number;
	return number;
}

/* Whether another of the three custom metrics already has the name. */
static bool
is_known_custom_name(struct tally *tally, const struct bucket_key *key)
{
	struct bucket_key other = *key;

	for (int m = METRIC_CUSTOM_COUNT; m <= METRIC_CUSTOM_GAUGE; m++) {
		other.metric = (uint8_t)m;
		if (*find(tally, &other) != 0)
			return true;
	}
	return false;
}

/* Whether there is room for a new name; keeps count of custom names. */
static bool
admit(struct tally *tally, const struct bucket_key *key)
{
	if (tally->bucket_count >= BUCKETS_MAX)
		return false;
	if (metrics[key->metric].family != FAMILY_CUSTOM ||
	    is_known_custom_name(tally, key))
		return true;
	if (tally->custom_names == CUSTOM_NAMES_MAX)
		return false;
	tally->custom_names++;
	return true;
}

/* The bucket's number; 0 if there is no such bucket and no room for it. */
static bucket_number
find_or_append(struct tally *tally, const struct bucket_key *key)
{
	bucket_number *place = find(tally, key);

	if (*place == 0 && admit(tally, key))
		append(tally, key, place);
	return *place;
}

static bool
add_time(struct tally *tally, struct timer timer, struct slice number)
{
	struct timer *t = &tally->timers[tally->timer_count];

	if (tally->timer_count == TIMERS_MAX) {
		tally->left_out++;
		return false;
	}
	*t = timer;
	t->number_len = (uint8_t)number.len;
	memcpy(t->number, number.ptr, number.len);
	tally->timer_count++;
	return true;
}

void
tally_time(struct tally *tally, enum metric_id metric, struct slice number)
{
	add_time(tally, (struct timer){.metric = (uint8_t)metric}, number);
}

/* Gives a bucket the sample's value; false if the sample has none. */
static bool
add_value(
    struct tally *tally, bucket_number number, const struct sample *sample)
{
	struct bucket *b = &tally->buckets[number - 1];
	enum metric_type type = metrics[sample->metric].type;

	if (type == METRIC_COUNTER) {
		b->count = tally_sum(b->count, sample->count);
		b->shown = b->count > 0;
		return sample->count > 0;
	}
	if (sample->number.len == 0)
		return false;
	if (type == METRIC_TIMER)
		return add_time(tally,
		    (struct timer){number, (uint8_t)sample->metric, 0, {0}},
		    sample->number);
	b->number_len = (uint8_t)sample->number.len;
	memcpy(b->number, sample->number.ptr, sample->number.len);
	b->shown = true;
	return true;
}

bool
tally_add(struct tally *tally, const struct sample *sample)
{
	struct bucket_key key;
	bucket_number number;

	if (!make_key(&key, sample))
		return false;
	number = find_or_append(tally, &key);
	if (number == 0) {
		tally->left_out++;
		return false;
	}
	if (tally->buckets[number - 1].message == tally->messages)
		return false;
	tally->buckets[number - 1].message = tally->messages;
	return add_value(tally, number, sample);
}

/*
 * R14 and R014 are different codes: those of three digits follow all those of
 * two.
 */
static size_t
code_index(struct slice code)
{
	size_t letter = 0;
	size_t longer = code.len == 4 ? 100 : 0, digits = 0;

	while (code.ptr[0] != "HRL"[letter])
		letter++;
	for (size_t i = 1; i < code.len; i++)
		digits = digits * 10 + (size_t)(code.ptr[i] - '0');
	return letter * 1100 + longer + digits;
}

void
tally_add_error(struct tally *tally, struct slice code, uint64_t n)
{
	bucket_number *place = &tally->codes[code_index(code)];

	if (*place == 0) {
		struct bucket_key key = {
		    METRIC_ERROR, {(uint8_t)code.len, 0}, {0}};

		memcpy(key.text, code.ptr, code.len);
		append(tally, &key, place);
		tally->buckets[*place - 1].shown = true;
	}
	tally->buckets[*place - 1].count += n;
}

bool
tally_has_error(const struct tally *tally, struct slice code)
{
	return tally->codes[code_index(code)] != 0;
}

bool
tally_is_empty(const struct tally *tally)
{
	return tally->bucket_count == 0 && tally->timer_count == 0 &&
	    !tally->has_counts;
}

static struct sample
sample_of(const struct bucket *b)
{
	return (struct sample){b->key.metric,
	    {{{b->key.text, b->key.len[0]}, PART_NAME},
		{{b->key.text + b->key.len[0], b->key.len[1]}, PART_NAME}},
	    b->count, {b->number, b->number_len}};
}

static void
visit_timer(const struct tally *tally, const struct timer *t,
    void (*visit)(void *, const struct sample *), void *context)
{
	struct sample sample = {.metric = t->metric};

	if (t->bucket != 0)
		sample = sample_of(&tally->buckets[t->bucket - 1]);
	sample.number = (struct slice){t->number, t->number_len};
	visit(context, &sample);
}

static void
each_bucket(const struct tally *tally, enum metric_family family,
    void (*visit)(void *, const struct sample *), void *context)
{
	bucket_number i = tally->first[family];

	for (; i != 0; i = tally->buckets[i - 1].next) {
		struct sample sample = sample_of(&tally->buckets[i - 1]);

		if (tally->buckets[i - 1].shown)
			visit(context, &sample);
	}
}

static void
each_timer(const struct tally *tally, enum metric_family family,
    void (*visit)(void *, const struct sample *), void *context)
{
	if (family != FAMILY_TIMINGS && family != FAMILY_CUSTOM)
		return;
	for (size_t i = 0; i < tally->timer_count; i++)
		if (metrics[tally->timers[i].metric].family == family)
			visit_timer(tally, &tally->timers[i], visit, context);
}

void
tally_each(const struct tally *tally,
    void (*visit)(void *context, const struct sample *sample), void *context)
{
	if (tally_is_empty(tally))
		return;
	for (int m = 0; m < METRICS; m++) {
		enum metric_family family = metrics[m].family;

		if (tally->counts[m] > 0)
			visit(context,
			    &(struct sample){.metric = (enum metric_id)m,
				.count = tally->counts[m]});
		if (m + 1 == METRICS || metrics[m + 1].family != family) {
			each_bucket(tally, family, visit, context);
			each_timer(tally, family, visit, context);
		}
	}
}
