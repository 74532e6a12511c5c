#include "cli/explain.h"

#include <sodium.h>

#include "support.h"

static char *out, *err; /* what the last body gave */

static bool
explained(const char *body, bool colour)
{
	static const char *const environment[] = {
	    "METRICS_CLUSTER=statsd://h:1/p", NULL};
	static struct config config;
	static char buf[256];
	struct findings findings = {.faults = BUF_IN(buf)};
	struct explain job = {&config, SLICE("app"), NULL, NULL, false, colour};
	struct slice in = guarded(slice_of(body));
	size_t out_len, err_len;
	bool well;

	free(out);
	free(err);
	job.out = open_memstream(&out, &out_len);
	job.err = open_memstream(&err, &err_len);
	assert_true(job.out != NULL && job.err != NULL);
	memset(&config, 0, sizeof(config));
	config_load(&config, (char *const *)(uintptr_t)environment, &findings);
	well = explain(&job, in);
	fclose(job.out);
	fclose(job.err);
	guarded_free(in);
	return well;
}

#define BODY "26 <1>1 t h a p - Error R14\tx3 odd17 <1>1 t h a p - hi\n"

static void
prints_a_line_a_message_and_a_line_a_counter(void **state)
{
	(void)state;
	assert_true(explained(BODY, false));
	assert_string_equal(out,
	    "1\t0\tR14\tError line\tError R14\\tx\n"
	    "2\t29\tskipped\theader cannot be read\todd\n"
	    "3\t34\t-\tnot a platform error\thi\n"
	    "\n"
	    "statsd://h:1\tp.app.heroku.errors.R14:1|c\n");
	assert_string_equal(
	    err, "3 messages: 1 platform error, 1 line, 1 skipped\n");
}

static void
a_terminal_sees_verdicts_in_colour(void **state)
{
	(void)state;
	assert_true(explained(BODY, true));
	assert_string_equal(out,
	    "1\t0\t\x1b[1;31mR14\x1b[0m\tError line\tError R14\\tx\n"
	    "2\t29\t\x1b[33mskipped\x1b[0m\theader cannot be read\todd\n"
	    "3\t34\t\x1b[2m-\x1b[0m\tnot a platform error\thi\n"
	    "\n"
	    "statsd://h:1\tp.app.heroku.errors.R14:1|c\n");
}

static void
a_framing_fault_ends_it_without_counters(void **state)
{
	(void)state;
	assert_false(explained("3 odd5 x", false));
	assert_string_equal(out,
	    "1\t0\tskipped\theader cannot be read\todd\n"
	    "fault\t5\tthe body ends within a frame\n");
	assert_string_equal(err,
	    "a framing fault in message 2, at byte 5: the whole batch would be "
	    "refused with 422 and nothing counted\n");
}

static void
text_that_begins_like_no_body_is_said_to_be_none(void **state)
{
	static const char sentence[] =
	    "this is neither a drain body nor the output of heroku logs\n";

	(void)state;
	assert_false(explained("hello", false));
	assert_memory_equal(err, sentence, strlen(sentence));
	assert_false(explained("3 oddhello", false)); /* not at the start */
	assert_null(strstr(err, sentence));
	assert_false(explained("5 x", false)); /* another fault */
	assert_null(strstr(err, sentence));
}

static void
shows_sixty_bytes_of_a_text_however_they_are_escaped(void **state)
{
	char body[128], want[512];
	struct buf t = BUF_IN(want);

	(void)state;
	memset(body, 0, sizeof(body));
	strcpy(body, "61 ");
	memset(body + 3, '\x01', 61);
	buf_put_string(&t, "1\t0\tskipped\theader cannot be read\t");
	for (int i = 0; i < 60; i++)
		buf_put_string(&t, "\\x01");
	buf_put_string(&t, "\n\n");
	assert_true(explained(body, false));
	assert_text(buf_slice(&t), out, "long");
}

static int
release(void **state)
{
	(void)state;
	free(out);
	free(err);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(prints_a_line_a_message_and_a_line_a_counter),
	    cmocka_unit_test(a_terminal_sees_verdicts_in_colour),
	    cmocka_unit_test(a_framing_fault_ends_it_without_counters),
	    cmocka_unit_test(text_that_begins_like_no_body_is_said_to_be_none),
	    cmocka_unit_test(
		shows_sixty_bytes_of_a_text_however_they_are_escaped),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("explain", tests, NULL, release);
}
