#include "heroku/logfmt.h"

#include "base/buf.h"

#include "plain.h"
#include "support.h"

static void
reads_pairs_in_order(void **state)
{
	struct logfmt line =
	    logfmt_of(SLICE(" at=error\tcode=\"H12\" dyno= x=a=b&c\n"));
	struct logfmt_pair pair;
	static const char *const want[][2] = {
	    {"at", "error"}, {"code", "H12"}, {"dyno", ""}, {"x", "a=b&c"}};

	(void)state;
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_true(logfmt_next(&line, &pair));
		assert_text(pair.key, want[i][0], "key");
		assert_text(pair.value, want[i][1], "value");
	}
	assert_false(logfmt_next(&line, &pair));
}

static void
ends_at_what_is_no_pair(void **state)
{
	static const struct {
		const char *why, *in;
	} cases[] = {
	    {"nothing", ""},
	    {"white space", " \t\r\n\v\f"},
	    {"a word", "word"},
	    {"a word and a pair", "word a=b"},
	    {"no key", "=b"},
	    {"a quote in the key", "a\"=b"},
	    {"a quoted key", "\"a\"=b"},
	    {"a quote not closed", "a=\"b"},
	    {"a quote closed by an escaped one", "a=\"b\\\""},
	    {"a backslash at the end", "a=\"b\\"},
	    {"text glued to the quote", "a=\"b\"c"},
	    {"a pair glued to the quote", "a=\"b\"c=d"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice in = guarded(slice_of(cases[i].in));
		struct logfmt line = logfmt_of(in);
		struct logfmt_pair pair;

		assert_case(!logfmt_next(&line, &pair), cases[i].why);
		guarded_free(in);
	}
}

static void
every_white_space_separates(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		char bytes[] = {'a', '=', 'b', (char)c, 'c', '=', 'd'};
		struct logfmt line =
		    logfmt_of((struct slice){bytes, sizeof(bytes)});
		struct logfmt_pair pair = {0};
		bool space = c == ' ' || (c >= '\t' && c <= '\r');

		assert_true(logfmt_next(&line, &pair));
		assert_int_equal(pair.value.len, space ? 1 : 5);
	}
}

static void
unescapes_values(void **state)
{
	static const struct {
		const char *why, *in, *want;
	} cases[] = {
	    {"bare", "a=H\\12", "H\\12"},
	    {"quoted", "a=\"H12\"", "H12"},
	    {"an escaped digit", "a=\"H\\12\"", "H12"},
	    {"an escaped quote", "a=\"\\\"x\"", "\"x"},
	    {"an escaped backslash", "a=\"x\\\\\"", "x\\"},
	    {"too long without escapes", "a=\"H12345678\"", "H12345678"},
	    {"too long with escapes", "a=\"\\H12345678\"", "H1234"},
	    {"as long as may be", "a=\"\\H123\"", "H123"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice in = guarded(slice_of(cases[i].in));
		struct logfmt line = logfmt_of(in);
		struct logfmt_pair pair;
		char buf[5];

		assert_case(logfmt_next(&line, &pair), cases[i].why);
		assert_text(
		    logfmt_value(&pair, buf, 4), cases[i].want, cases[i].why);
		guarded_free(in);
	}
}

static void
assert_same_pairs(struct slice text)
{
	struct logfmt line = logfmt_of(text);
	struct logfmt_pair a, b;

	while (logfmt_next(&line, &a)) {
		assert_true(plain_logfmt_next(&text, &b));
		assert_ptr_equal(a.key.ptr, b.key.ptr);
		assert_int_equal(a.key.len, b.key.len);
		assert_ptr_equal(a.value.ptr, b.value.ptr);
		assert_int_equal(a.value.len, b.value.len);
		assert_int_equal(a.escaped, b.escaped);
	}
	assert_false(plain_logfmt_next(&text, &b));
}

static char
random_byte(const char *bytes, size_t count)
{
	static uint64_t random = 88172645463325252U;

	random ^= random << 13;
	random ^= random >> 7;
	random ^= random << 17;
	return bytes[random % count];
}

/*
 * Random lines of the bytes that matter and of few others; more of these in
 * every second one, so that marks lie in different blocks.
 */
static void
reads_what_the_plain_form_reads(void **state)
{
	static const char bytes[] = "ab=\"\\ \n\xff"
				    "aaaa==aaaaaaaaaaaa=  ";
	char text[200];

	(void)state;
	for (size_t i = 0; i < 40000; i++) {
		size_t len = i % 2 == 0 ? i % 24 : i % sizeof(text);
		struct slice in;

		for (size_t n = 0; n < len; n++)
			text[n] = random_byte(
			    bytes, i % 2 == 0 ? 8 : sizeof(bytes) - 1);
		in = guarded((struct slice){text, len});
		assert_same_pairs(in);
		guarded_free(in);
	}
}

/* Pairs of any length, whose marks lie anywhere in a block. */
static void
reads_pairs_across_blocks(void **state)
{
	static const char *const ends[][2] = {{"", "=b c=d"}, {"a=", " c=d"},
	    {"a=\"", "\" c=d"}, {"a=\"\\", "\\\"\" c=d"}, {"", "=\"\" c=d\\"}};
	char text[300];

	(void)state;
	for (size_t i = 0; i < COUNT(ends); i++)
		for (size_t middle = 1; middle < 200; middle++) {
			struct buf line = BUF_IN(text);
			struct slice in;

			buf_put_string(&line, ends[i][0]);
			for (size_t n = 0; n < middle; n++)
				buf_put(&line, SLICE("x"));
			buf_put_string(&line, ends[i][1]);
			in = guarded(buf_slice(&line));
			assert_same_pairs(in);
			guarded_free(in);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_pairs_in_order),
	    cmocka_unit_test(ends_at_what_is_no_pair),
	    cmocka_unit_test(every_white_space_separates),
	    cmocka_unit_test(unescapes_values),
	    cmocka_unit_test(reads_what_the_plain_form_reads),
	    cmocka_unit_test(reads_pairs_across_blocks),
	};

	return cmocka_run_group_tests_name("logfmt", tests, NULL, NULL);
}
