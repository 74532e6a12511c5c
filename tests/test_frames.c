#define _GNU_SOURCE /* MAP_ANONYMOUS, truncate(2) */
#include "http/frames.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "bounds.h"
#include "support.h"

#define FILE_SIZE (4096 + (off_t)sizeof(struct frames_table))

static struct frames frames, sibling;
static char folder[64], path[128];

static int
set_up(void **state)
{
	const char *memory = "/dev/shm";

	(void)state;
	/* Not on a disk, if possible: others may keep it busy for seconds. */
	snprintf(folder, sizeof(folder), "%s/logplex-statsd-frames-XXXXXX",
	    access(memory, W_OK) == 0 ? memory : "/tmp");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/frames", folder);
	memset(&frames, 0, sizeof(frames));
	memset(&sibling, 0, sizeof(sibling));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	unlink(path);
	rmdir(path);
	return rmdir(folder);
}

static enum frames_state
look(struct frames *f, const char *app, struct slice id)
{
	struct frames_claim claim;
	enum frames_state state = frames_claim(f, slice_of(app), id, &claim);

	frames_release(&claim);
	return state;
}

/* As a batch that is counted; what was known of it before. */
static enum frames_state
count(struct frames *f, const char *app, struct slice id)
{
	struct frames_claim claim;
	enum frames_state state = frames_claim(f, slice_of(app), id, &claim);

	if (state != FRAMES_BUSY)
		frames_enter(&claim);
	frames_release(&claim);
	return state;
}

/* The nth id; a pointer to the number serves. */
static struct slice
id_of(const uint32_t *n)
{
	return (struct slice){(const char *)n, sizeof(*n)};
}

static void
an_id_is_known_once_it_was_entered(void **state)
{
	struct frames_claim claim;

	(void)state;
	frames_open(&frames, SLICE(""));
	assert_int_equal(look(&frames, "heaven", SLICE("1")), FRAMES_NEW);
	assert_int_equal(count(&frames, "heaven", SLICE("1")), FRAMES_NEW);
	assert_int_equal(count(&frames, "heaven", SLICE("1")), FRAMES_COUNTED);
	/* Held, but not entered: the client disconnected before anything was
	 * sent. */
	assert_int_equal(
	    frames_claim(&frames, SLICE("heaven"), SLICE("2"), &claim),
	    FRAMES_NEW);
	frames_release(&claim);
	assert_int_equal(look(&frames, "heaven", SLICE("2")), FRAMES_NEW);
}

static void
an_id_is_opaque_and_belongs_to_an_application(void **state)
{
	static char bytes[FRAME_ID_MAX + 1];
	static const struct {
		const char *why, *app;
		struct slice id;
		enum frames_state again;
	} cases[] = {
	    {"as Logplex writes it", "heaven",
		{"09C557EAFCFB6CF2740EE62F62971098", 32}, FRAMES_COUNTED},
	    {"a UUID", "heaven", {"adc10463-d0e2-45d8-8a48-572c607b7a66", 36},
		FRAMES_COUNTED},
	    {"the same of another application", "hell",
		{"adc10463-d0e2-45d8-8a48-572c607b7a66", 36}, FRAMES_COUNTED},
	    {"its beginning", "heaven",
		{"adc10463-d0e2-45d8-8a48-572c607b7a66", 35}, FRAMES_COUNTED},
	    {"other case", "heaven",
		{"ADC10463-D0E2-45D8-8A48-572C607B7A66", 36}, FRAMES_COUNTED},
	    {"a slash", "heaven", {"a/b", 3}, FRAMES_COUNTED},
	    {"one byte", "heaven", {"x", 1}, FRAMES_COUNTED},
	    {"a NUL", "heaven", {"\0", 1}, FRAMES_COUNTED},
	    {"two NULs", "heaven", {"\0\0", 2}, FRAMES_COUNTED},
	    {"128 bytes", "heaven", {bytes, FRAME_ID_MAX}, FRAMES_COUNTED},
	    {"129 bytes", "heaven", {bytes, FRAME_ID_MAX + 1}, FRAMES_NEW},
	    {"none", "heaven", {"", 0}, FRAMES_NEW},
	    {"absent", "heaven", {NULL, 0}, FRAMES_NEW},
	};

	(void)state;
	frames_open(&frames, SLICE(""));
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_case(
		    count(&frames, cases[i].app, cases[i].id) == FRAMES_NEW,
		    cases[i].why);
	for (int again = 0; again < 2; again++)
		for (size_t i = 0; i < COUNT(cases); i++)
			assert_case(count(&frames, cases[i].app, cases[i].id) ==
				cases[i].again,
			    cases[i].why);
}

static void
an_id_is_known_after_4096_newer_ones(void **state)
{
	(void)state;
	frames_open(&frames, SLICE(""));
	for (uint32_t n = 0; n < 300000; n++) {
		uint32_t old = n - 4096;

		assert_int_equal(
		    count(&frames, "heaven", id_of(&n)), FRAMES_NEW);
		if (n >= 4096)
			assert_int_equal(look(&frames, "heaven", id_of(&old)),
			    FRAMES_COUNTED);
	}
	/* It can't hold them all, so that the first ones must be forgotten. */
	assert_int_equal(
	    look(&frames, "heaven", id_of(&(uint32_t){0})), FRAMES_NEW);
}

/* Counts the next id from *n on that belongs to this bucket. */
static void
count_in_bucket(const struct frames_bucket *bucket, uint32_t *n)
{
	struct frames_claim claim;
	bool found;

	do {
		++*n;
		frames_claim(&frames, SLICE("heaven"), id_of(n), &claim);
		found = claim.bucket == bucket;
		if (found)
			frames_enter(&claim);
		frames_release(&claim);
	} while (!found);
}

static void
of_a_bucket_the_oldest_is_forgotten(void **state)
{
	uint32_t n = 0, first;
	struct frames_claim claim;
	const struct frames_bucket *bucket;

	(void)state;
	frames_open(&frames, SLICE(""));
	frames_claim(&frames, SLICE("heaven"), id_of(&n), &claim);
	bucket = claim.bucket;
	frames_release(&claim);
	count_in_bucket(bucket, &n);
	first = n;
	for (int i = 1; i < FRAMES_ENTRIES; i++) {
		count_in_bucket(bucket, &n);
		assert_int_equal(
		    look(&frames, "heaven", id_of(&first)), FRAMES_COUNTED);
	}
	count_in_bucket(bucket, &n);
	assert_int_equal(look(&frames, "heaven", id_of(&first)), FRAMES_NEW);
	assert_int_equal(look(&frames, "heaven", id_of(&n)), FRAMES_COUNTED);
	assert_int_equal(FRAMES_ENTRIES, 15); /* as frames.h computes with */
}

/* Constant memory, and no more than a bucket is ever searched. */
static void
an_id_concerns_one_bucket_of_256_bytes(void **state)
{
	static struct frames_table before;

	(void)state;
	frames_open(&frames, SLICE(""));
	assert_true(frames.table == &frames.memory);
	assert_int_equal(sizeof(frames.memory), 1 << 20);
	for (uint32_t n = 0; n < 200; n++) {
		size_t changed = 0;

		memcpy(&before, frames.table, sizeof(before));
		count(&frames, "heaven", id_of(&n));
		for (size_t i = 0; i < FRAMES_BUCKETS; i++)
			changed += memcmp(&before.buckets[i],
				       &frames.table->buckets[i],
				       sizeof(before.buckets[i])) != 0;
		assert_int_equal(changed, 1);
	}
}

static void
without_being_opened_it_knows_nothing(void **state)
{
	(void)state;
	assert_int_equal(count(&frames, "heaven", SLICE("1")), FRAMES_NEW);
	assert_int_equal(count(&frames, "heaven", SLICE("1")), FRAMES_NEW);
}

static void
it_is_remembered_whether_the_batch_began_with_an_l10(void **state)
{
	struct frames_claim claim;

	(void)state;
	frames_open(&frames, SLICE(""));
	for (int l10 = 0; l10 < 2; l10++) {
		frames_claim(&frames, SLICE("heaven"), SLICE("1"), &claim);
		frames_set_l10(&claim, l10 == 1);
		frames_release(&claim);
		frames_claim(&frames, SLICE("heaven"), SLICE("1"), &claim);
		assert_int_equal(frames_has_l10(&claim), l10);
		frames_enter(&claim);
		assert_int_equal(frames_has_l10(&claim), l10);
		frames_release(&claim);
	}
}

static void
the_file_is_private_and_shared_with_siblings_and_successors(void **state)
{
	struct stat st;

	(void)state;
	umask(0);
	frames_open(&frames, slice_of(path));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(st.st_size, FILE_SIZE);
	frames_open(&sibling, slice_of(path));
	assert_int_not_equal(frames.owner, sibling.owner);
	assert_memory_equal(frames.key, sibling.key, sizeof(frames.key));
	assert_false(sodium_is_zero(frames.key, sizeof(frames.key)));
	assert_int_equal(count(&frames, "heaven", SLICE("1")), FRAMES_NEW);
	assert_int_equal(count(&sibling, "heaven", SLICE("1")), FRAMES_COUNTED);
	assert_int_equal(count(&sibling, "heaven", SLICE("2")), FRAMES_NEW);
	assert_int_equal(count(&frames, "heaven", SLICE("2")), FRAMES_COUNTED);
	close(frames.fd);
	close(sibling.fd);
	memset(&frames, 0, sizeof(frames));
	frames_open(&frames, slice_of(path));
	assert_int_equal(count(&frames, "heaven", SLICE("1")), FRAMES_COUNTED);
}

/* A file of this size, of zeros or random bytes. */
static void
write_file(off_t size, bool random)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	char bytes[4096] = {0};

	assert_true(fd >= 0);
	for (off_t at = 0; at < size; at += (off_t)sizeof(bytes)) {
		off_t left = size - at;
		size_t len =
		    left < (off_t)sizeof(bytes) ? (size_t)left : sizeof(bytes);

		if (random)
			randombytes_buf(bytes, sizeof(bytes));
		assert_int_equal(write(fd, bytes, len), len);
	}
	close(fd);
}

static void
empty(void)
{
	write_file(0, false);
}

/* Its creator died before it wrote the magic. */
static void
zeros(void)
{
	write_file(FILE_SIZE, false);
}

static void
too_short(void)
{
	write_file(FILE_SIZE - 1, false);
}

static void
too_long(void)
{
	write_file(FILE_SIZE + 1, false);
}

static void
one_byte(void)
{
	write_file(1, false);
}

static void
random_bytes(void)
{
	write_file(FILE_SIZE, true);
}

static void
others_may_read(void)
{
	zeros();
	chmod(path, 0644);
}

static void
others_may_write(void)
{
	zeros();
	chmod(path, 0602);
}

static void
second_name(void)
{
	char other[256];

	zeros();
	snprintf(other, sizeof(other), "%s-2", path);
	assert_int_equal(link(path, other), 0);
}

static void
symbolic_link(void)
{
	assert_int_equal(symlink("/dev/null", path), 0);
}

static void
fifo(void)
{
	assert_int_equal(mkfifo(path, 0600), 0);
}

static void
directory(void)
{
	assert_int_equal(mkdir(path, 0700), 0);
}

static const struct file_case {
	const char *why;
	void (*make)(void);
	const char *reason; /* NULL: it is used */
} file_cases[] = {
    {"an empty file", empty, NULL},
    {"zeros", zeros, NULL},
    {"too short", too_short, "its size is wrong"},
    {"too long", too_long, "its size is wrong"},
    {"one byte", one_byte, "its size is wrong"},
    {"random bytes", random_bytes, "it was not written by this version"},
    {"others may read it", others_may_read, "others can open it"},
    {"others may write it", others_may_write, "others can open it"},
    {"it has a second name", second_name, "others can open it"},
    {"a symbolic link", symbolic_link, "it is a symbolic link"},
    {"a pipe", fifo, "it is not a regular file"},
    {"a directory", directory, "Is a directory"},
};

static void
open_path(void)
{
	frames_open(&frames, slice_of(path));
}

static void
clean_path(void)
{
	char other[256];

	unlink(path);
	rmdir(path);
	snprintf(other, sizeof(other), "%s-2", path);
	unlink(other);
}

static void
a_file_that_cannot_be_used_is_named_and_memory_serves(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(file_cases); i++) {
		const struct file_case *c = &file_cases[i];
		const char *log;

		memset(&frames, 0, sizeof(frames));
		c->make();
		log = stderr_of(open_path);
		if (c->reason == NULL)
			assert_case(log[0] == '\0', c->why);
		else
			assert_case(
			    strstr(log, "event=frames-file reason=") == log &&
				strstr(log, c->reason) != NULL,
			    c->why);
		assert_case(
		    (frames.table == &frames.memory) == (c->reason != NULL),
		    c->why);
		assert_case(
		    count(&frames, "heaven", SLICE("1")) == FRAMES_NEW, c->why);
		assert_case(
		    count(&frames, "heaven", SLICE("1")) == FRAMES_COUNTED,
		    c->why);
		if (frames.fd > 0)
			close(frames.fd);
		clean_path();
	}
}

static void
a_folder_that_does_not_exist_is_named_too(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "%s/no/frames", folder);
	assert_non_null(
	    strstr(stderr_of(open_path), "No such file or directory"));
	assert_int_equal(count(&frames, "heaven", SLICE("1")), FRAMES_NEW);
	assert_int_equal(count(&frames, "heaven", SLICE("1")), FRAMES_COUNTED);
}

static void
count_some(void)
{
	for (uint32_t n = 0; n < 1000; n++) {
		assert_int_equal(
		    count(&frames, "heaven", id_of(&n)), FRAMES_NEW);
		assert_int_equal(
		    count(&frames, "heaven", id_of(&n)), FRAMES_COUNTED);
	}
}

static void
a_file_that_is_truncated_is_named_once_and_memory_serves(void **state)
{
	const char *log;

	(void)state;
	frames_open(&frames, slice_of(path));
	assert_int_equal(count(&frames, "heaven", SLICE("1")), FRAMES_NEW);
	assert_int_equal(truncate(path, 100), 0);
	log = stderr_of(count_some);
	assert_non_null(strstr(log, "its bytes are gone"));
	assert_null(strchr(strchr(log, '\n') + 1, '\n'));
	/* The next one does not use what is left. */
	memset(&sibling, 0, sizeof(sibling));
	frames_open(&sibling, slice_of(path));
	assert_true(sibling.table == &sibling.memory);
}

static void
random_bytes_in_the_table_do_no_harm(void **state)
{
	(void)state;
	frames_open(&frames, slice_of(path));
	for (int round = 0; round < 3; round++) {
		randombytes_buf(frames.table, sizeof(*frames.table));
		for (uint32_t n = 0; n < 2000; n++) {
			assert_int_equal(
			    count(&frames, "heaven", id_of(&n)), FRAMES_NEW);
			assert_int_equal(count(&frames, "heaven", id_of(&n)),
			    FRAMES_COUNTED);
		}
	}
}

/* In a child: holds an id, has handed over so many datagrams, and waits. */
static pid_t
hold_in_child(struct slice id, uint32_t handed)
{
	int ready[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct frames_claim claim;

		frames_open(&sibling, slice_of(path));
		frames_claim(&sibling, SLICE("heaven"), id, &claim);
		atomic_store(&claim.entry->handed, handed);
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return child;
}

static void
a_batch_is_busy_while_a_process_has_it_that_lives(void **state)
{
	pid_t child;
	int64_t before;

	(void)state;
	frames_open(&frames, slice_of(path));
	child = hold_in_child(SLICE("1"), 2);
	kill(child, SIGSTOP);
	/* One of the others may be in the same bucket. */
	assert_true(count(&frames, "heaven", SLICE("2")) == FRAMES_NEW ||
	    count(&frames, "heaven", SLICE("3")) == FRAMES_NEW);
	before = clock_ms();
	assert_int_equal(count(&frames, "heaven", SLICE("1")), FRAMES_BUSY);
	assert_true(clock_ms() - before >= FRAMES_WAIT_MS);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(count(&frames, "heaven", SLICE("1")), FRAMES_PARTLY);
	assert_int_equal(count(&frames, "heaven", SLICE("1")), FRAMES_COUNTED);
}

static void
what_a_dead_process_handed_over_is_known(void **state)
{
	struct frames_claim claim;
	pid_t child;

	(void)state;
	frames_open(&frames, slice_of(path));
	child = hold_in_child(SLICE("1"), 7);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(
	    frames_claim(&frames, SLICE("heaven"), SLICE("1"), &claim),
	    FRAMES_PARTLY);
	assert_int_equal(atomic_load(&claim.entry->handed), 7);
	frames_release(&claim);
	/* Before its first datagram, it has done nothing. */
	child = hold_in_child(SLICE("2"), 0);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(look(&frames, "heaven", SLICE("2")), FRAMES_NEW);
}

/* So few ids that none is displaced, however far a process lags. */
enum { WRITERS = 4, IDS = 4000, ROUNDS = 10 };

#define COUNTS_SIZE ((IDS + 1) * sizeof(_Atomic uint32_t))

/* How often each id was counted; shared by a test's processes. */
static _Atomic uint32_t *
shared_counts(void)
{
	_Atomic uint32_t *counts = mmap(NULL, COUNTS_SIZE,
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(counts != MAP_FAILED);
	return counts;
}

static void
open_sibling(void)
{
	frames_open(&sibling, slice_of(path));
}

/* On a busy machine the one that creates the file may take too long. */
static bool
opens_it_at_last(void)
{
	const char *log;

	do
		log = stderr_of(open_sibling);
	while (strstr(log, strerror(EAGAIN)) != NULL);
	return log[0] == '\0' && sibling.fd > 0;
}

static void
wait_a_moment(void)
{
	static const struct timespec pause = {0, 100000};

	nanosleep(&pause, NULL);
}

static _Noreturn void
write_all(_Atomic uint32_t *counts)
{
	bool ok = opens_it_at_last();

	atomic_fetch_add(&counts[IDS], 1);
	while (atomic_load(&counts[IDS]) < WRITERS)
		wait_a_moment();
	for (uint32_t n = 0; n < IDS; n++) {
		enum frames_state state;

		/* And the one that has a batch may take too long. */
		do
			state = count(&sibling, "heaven", id_of(&n));
		while (state == FRAMES_BUSY);
		if (state == FRAMES_NEW)
			atomic_fetch_add(&counts[n], 1);
		ok &= state != FRAMES_PARTLY;
	}
	_exit(ok ? 0 : 1);
}

static void
race_once(void)
{
	_Atomic uint32_t *counts = shared_counts();
	pid_t children[WRITERS];
	int status;

	for (size_t i = 0; i < WRITERS; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0)
			write_all(counts);
	}
	for (size_t i = 0; i < WRITERS; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	for (size_t n = 0; n < IDS; n++)
		assert_int_equal(atomic_load(&counts[n]), 1);
	munmap(counts, COUNTS_SIZE);
}

/* They create the file, too. */
static void
of_several_processes_one_counts_a_batch(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		unlink(path);
		race_once();
	}
}

/* Counts one id after the other; *reached is the last that was entered. */
static _Noreturn void
write_until_killed(_Atomic uint32_t *reached)
{
	frames_open(&sibling, slice_of(path));
	for (uint32_t n = atomic_load(reached) + 1;; n++) {
		count(&sibling, "heaven", id_of(&n));
		atomic_store(reached, n);
	}
}

static void
processes_killed_at_random_leave_it_usable_and_true(void **state)
{
	_Atomic uint32_t *reached = shared_counts();

	(void)state;
	frames_open(&frames, slice_of(path));
	for (int kills = 0; kills < 200; kills++) {
		struct timespec some = {
		    0, 1000000 + randombytes_uniform(2000000)};
		uint32_t last;
		pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0)
			write_until_killed(reached);
		nanosleep(&some, NULL);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		last = atomic_load(reached);
		for (uint32_t n = last > 2000 ? last - 2000 : 1; n <= last; n++)
			assert_int_equal(
			    look(&frames, "heaven", id_of(&n)), FRAMES_COUNTED);
		last += 2;
		assert_int_equal(
		    look(&frames, "heaven", id_of(&last)), FRAMES_NEW);
	}
	assert_true(atomic_load(reached) > 200);
	munmap(reached, COUNTS_SIZE);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    test(an_id_is_known_once_it_was_entered),
	    test(an_id_is_opaque_and_belongs_to_an_application),
	    test(an_id_is_known_after_4096_newer_ones),
	    test(of_a_bucket_the_oldest_is_forgotten),
	    test(an_id_concerns_one_bucket_of_256_bytes),
	    test(without_being_opened_it_knows_nothing),
	    test(it_is_remembered_whether_the_batch_began_with_an_l10),
	    test(the_file_is_private_and_shared_with_siblings_and_successors),
	    test(a_file_that_cannot_be_used_is_named_and_memory_serves),
	    test(a_folder_that_does_not_exist_is_named_too),
	    test(a_file_that_is_truncated_is_named_once_and_memory_serves),
	    test(random_bytes_in_the_table_do_no_harm),
	    test(a_batch_is_busy_while_a_process_has_it_that_lives),
	    test(what_a_dead_process_handed_over_is_known),
	    test(of_several_processes_one_counts_a_batch),
	    test(processes_killed_at_random_leave_it_usable_and_true),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("frames", tests, NULL, NULL);
}
