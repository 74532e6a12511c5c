#include "base/buf.h"

#include "support.h"

static void
drops_what_does_not_fit_and_says_so(void **state)
{
	char buf[4];
	struct buf t = BUF_IN(buf);

	(void)state;
	buf_put_string(&t, "abc");
	assert_false(t.truncated);
	buf_put_string(&t, "de");
	assert_true(t.truncated);
	assert_text(buf_slice(&t), "abcd", "cut");
	buf_put_string(&t, "f");
	assert_int_equal(t.len, 4);
}

static void
a_full_text_is_not_truncated(void **state)
{
	char buf[3];
	struct buf t = BUF_IN(buf);

	(void)state;
	buf_put_string(&t, "abc");
	assert_false(t.truncated);
}

static void
writes_numbers(void **state)
{
	static const struct {
		uint64_t number;
		unsigned width;
		const char *want;
	} cases[] = {
	    {0, 1, "0"},
	    {7, 1, "7"},
	    {10, 1, "10"},
	    {42, 6, "000042"},
	    {1234567, 6, "1234567"},
	    {UINT64_MAX, 1, "18446744073709551615"},
	    {1, 20, "00000000000000000001"},
	    {1, 30, "00000000000000000001"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char buf[40];
		struct buf t = BUF_IN(buf);

		buf_put_padded(&t, cases[i].number, cases[i].width);
		assert_text(buf_slice(&t), cases[i].want, cases[i].want);
	}
}

static void
makes_every_byte_visible(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		char byte = (char)c, buf[8], want[8];
		struct buf t = BUF_IN(buf);

		buf_put_visible(&t, (struct slice){&byte, 1});
		if (c == '\n' || c == '\r' || c == '\t')
			snprintf(want, sizeof(want), "\\%c",
			    c == '\n'       ? 'n'
				: c == '\r' ? 'r'
					    : 't');
		else if (c >= 32 && c < 127)
			snprintf(want, sizeof(want), "%c", c);
		else
			snprintf(want, sizeof(want), "\\x%02x", (unsigned)c);
		assert_text(buf_slice(&t), want, want);
	}
}

static void
escapes_quotes_and_backslashes_in_quotes(void **state)
{
	char buf[64];
	struct buf t = BUF_IN(buf);

	(void)state;
	buf_put_quoted(&t, SLICE("a \"b\" \\ \n'"));
	assert_text(buf_slice(&t), "\"a \\\"b\\\" \\\\ \\n'\"", "quoted");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(drops_what_does_not_fit_and_says_so),
	    cmocka_unit_test(a_full_text_is_not_truncated),
	    cmocka_unit_test(writes_numbers),
	    cmocka_unit_test(makes_every_byte_visible),
	    cmocka_unit_test(escapes_quotes_and_backslashes_in_quotes),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
