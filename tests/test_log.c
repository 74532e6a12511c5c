#include "base/log.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(a_line_is_an_event_and_pairs, reset),
	    cmocka_unit_test_setup(
		a_line_below_the_level_is_not_written, reset),
	    cmocka_unit_test_setup(
		a_line_that_is_too_long_is_cut_but_ends, reset),
	    cmocka_unit_test_setup(each_line_of_a_text_is_a_reason, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
