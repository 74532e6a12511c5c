#include "logplex/frame.h"

#include "support.h"

static void
takes_one_message_at_a_time(void **state)
{
	struct slice body = SLICE("3 abc1 \n2  x"), msg;

	(void)state;
	assert_int_equal(frame_take(&body, &msg), FRAME_OK);
	assert_text(msg, "abc", "first");
	assert_int_equal(frame_take(&body, &msg), FRAME_OK);
	assert_text(msg, "\n", "a newline within the count");
	assert_int_equal(frame_take(&body, &msg), FRAME_OK);
	assert_text(msg, " x", "a leading space within the count");
	assert_int_equal(frame_take(&body, &msg), FRAME_END);
}

static void
judges_a_frame(void **state)
{
	static const struct {
		const char *why, *in;
		enum frame_result want;
	} cases[] = {
	    {"whole", "1 x", FRAME_OK},
	    {"nothing", "", FRAME_END},
	    {"a leading zero", "01 x", FRAME_NO_MSG_LEN},
	    {"zero", "0 ", FRAME_NO_MSG_LEN},
	    {"a plus", "+1 x", FRAME_NO_MSG_LEN},
	    {"a minus", "-1 x", FRAME_NO_MSG_LEN},
	    {"no length", "<1>1 x", FRAME_NO_MSG_LEN},
	    {"a space first", " 1 x", FRAME_NO_MSG_LEN},
	    {"below the digits", "/ x", FRAME_NO_MSG_LEN},
	    {"above the digits", ": x", FRAME_NO_MSG_LEN},
	    {"seven digits, too short", "9999999 x", FRAME_PARTIAL},
	    {"eight digits", "10000000 x", FRAME_MSG_LEN_TOO_LONG},
	    {"twenty digits", "18446744073709551617 x", FRAME_MSG_LEN_TOO_LONG},
	    {"no space", "1x", FRAME_NO_SPACE},
	    {"a tab", "1\tx", FRAME_NO_SPACE},
	    {"length only", "12", FRAME_PARTIAL},
	    {"length and space only", "1 ", FRAME_PARTIAL},
	    {"one byte short", "4 abc", FRAME_PARTIAL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice in = guarded(slice_of(cases[i].in)), s = in, msg;

		assert_case(
		    frame_take(&s, &msg) == cases[i].want, cases[i].why);
		if (cases[i].want != FRAME_OK)
			assert_text(s, cases[i].in, "the cursor stays");
		guarded_free(in);
	}
}

static void
every_prefix_of_a_frame_is_partial(void **state)
{
	struct slice whole = SLICE("12 abcdefghijkl");

	(void)state;
	for (size_t n = 1; n < whole.len; n++) {
		struct slice in = guarded(slice_head(whole, n)), s = in, msg;

		assert_int_equal(frame_take(&s, &msg), FRAME_PARTIAL);
		guarded_free(in);
	}
}

static void
skips_newlines_only(void **state)
{
	struct slice s = SLICE("\r\n\n\r 1 x"), all = SLICE("\n\r\n");

	(void)state;
	frame_skip_newlines(&s);
	assert_text(s, " 1 x", "up to the space");
	frame_skip_newlines(&all);
	assert_int_equal(all.len, 0);
}

static void
every_fault_has_a_reason(void **state)
{
	(void)state;
	for (int fault = FRAME_PARTIAL; fault <= FRAME_NO_SPACE; fault++)
		assert_non_null(frame_reason((enum frame_result)fault));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(takes_one_message_at_a_time),
	    cmocka_unit_test(judges_a_frame),
	    cmocka_unit_test(every_prefix_of_a_frame_is_partial),
	    cmocka_unit_test(skips_newlines_only),
	    cmocka_unit_test(every_fault_has_a_reason),
	};

	return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
