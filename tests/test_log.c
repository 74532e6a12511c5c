#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "support.h"

static int
reset(void **state)
{
	(void)state;
	log_set_level(LOG_INFO);
	return 0;
}

static void
log_one_of_each(void)
{
	struct log_line line;

	log_begin(&line, LOG_WARNING, "example");
	log_word(&line, "app", SLICE("heaven"));
	log_number(&line, "status", 422);
	log_quoted(&line, "reason", SLICE("a \"b\"\n"));
	log_end(&line);
}

static void
a_line_is_an_event_and_pairs(void **state)
{
	(void)state;
	assert_string_equal(stderr_of(log_one_of_each),
	    "event=example app=heaven status=422 reason=\"a \\\"b\\\"\\n\"\n");
}

static void
log_a_reason(void)
{
	log_reason(LOG_INFO, "example", SLICE("why not"));
}

static void
a_line_below_the_level_is_not_written(void **state)
{
	(void)state;
	assert_string_equal(
	    stderr_of(log_a_reason), "event=example reason=\"why not\"\n");
	log_set_level(LOG_WARNING);
	assert_string_equal(stderr_of(log_a_reason), "");
	assert_false(log_enabled(LOG_INFO));
	assert_true(log_enabled(LOG_WARNING));
	assert_string_not_equal(stderr_of(log_one_of_each), "");
}

static void
log_too_much(void)
{
	static char long_text[2 * LOG_LINE_MAX];

	memset(long_text, 'x', sizeof(long_text));
	log_reason(
	    LOG_INFO, "long", (struct slice){long_text, sizeof(long_text)});
	log_a_reason();
}

static void
a_line_that_is_too_long_is_cut_but_ends(void **state)
{
	const char *written = stderr_of(log_too_much);
	const char *end = strchr(written, '\n');

	(void)state;
	assert_non_null(end);
	assert_int_equal(end - written, LOG_LINE_MAX - 1);
	assert_string_equal(end + 1, "event=example reason=\"why not\"\n");
}

static void
log_two_reasons(void)
{
	log_reasons(LOG_INFO, "example", SLICE("one\ntwo\n"));
}

static void
each_line_of_a_text_is_a_reason(void **state)
{
	(void)state;
	assert_string_equal(stderr_of(log_two_reasons),
	    "event=example reason=\"one\"\nevent=example reason=\"two\"\n");
}

/* Replaces standard error by fd until restore_stderr. */
static int
replace_stderr(int fd)
{
	int kept = dup(STDERR_FILENO);

	assert_true(kept >= 0 && dup2(fd, STDERR_FILENO) >= 0);
	close(fd);
	return kept;
}

static void
restore_stderr(int kept)
{
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	close(kept);
}

/* The contents of a pipe, as a string. */
static const char *
drain(int fd)
{
	static char buf[128 * 1024];
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	return buf;
}

/* Fills the pipe that is standard error. */
static void
fill_stderr(void)
{
	static const char page[4096];

	fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK);
	while (write(STDERR_FILENO, page, sizeof(page)) > 0)
		;
	fcntl(STDERR_FILENO, F_SETFL, 0);
}

static void
lines_that_a_full_log_does_not_take_are_counted(void **state)
{
	int fds[2], kept;
	int64_t began;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	kept = replace_stderr(fds[1]);
	fill_stderr();
	began = clock_ms();
	log_a_reason();
	assert_true(clock_ms() - began >= LOG_WAIT_MS);
	began = clock_ms();
	for (int i = 0; i < 50; i++)
		log_a_reason();
	assert_true(clock_ms() - began < 25 * LOG_WAIT_MS);
	/* Nor does it wait for one that is read and full again. */
	for (int i = 0; i < 50; i++) {
		drain(fds[0]);
		log_a_reason();
		fill_stderr();
		log_a_reason();
	}
	assert_true(clock_ms() - began < 25 * LOG_WAIT_MS);
	drain(fds[0]);
	log_a_reason();
	log_a_reason();
	restore_stderr(kept);
	assert_string_equal(drain(fds[0]),
	    "event=log-stalled dropped=1\n"
	    "event=example reason=\"why not\"\n"
	    "event=example reason=\"why not\"\n");
	close(fds[0]);
}

static void
lines_that_cannot_be_written_are_counted_at_any_level(void **state)
{
	int kept = replace_stderr(open("/dev/full", O_WRONLY));

	(void)state;
	log_set_level(LOG_WARNING);
	log_one_of_each();
	log_a_reason(); /* below the level */
	log_one_of_each();
	restore_stderr(kept);
	log_set_level(LOG_ERROR);
	assert_string_equal(stderr_of(log_one_of_each), "");
	log_set_level(LOG_WARNING);
	assert_string_equal(stderr_of(log_one_of_each),
	    "event=log-stalled dropped=2\nevent=example app=heaven status=422 "
	    "reason=\"a \\\"b\\\"\\n\"\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(a_line_is_an_event_and_pairs, reset),
	    cmocka_unit_test_setup(
		a_line_below_the_level_is_not_written, reset),
	    cmocka_unit_test_setup(
		a_line_that_is_too_long_is_cut_but_ends, reset),
	    cmocka_unit_test_setup(
		lines_that_a_full_log_does_not_take_are_counted, reset),
	    cmocka_unit_test_setup(
		lines_that_cannot_be_written_are_counted_at_any_level, reset),
	    cmocka_unit_test_setup(each_line_of_a_text_is_a_reason, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
