#include "base/slice.h"

#include "support.h"

static void
cuts_at_the_first_separator_and_drops_it(void **state)
{
	struct slice s = SLICE("a:b:c"), head;

	(void)state;
	assert_true(slice_cut(&s, ':', &head));
	assert_text(head, "a", "head");
	assert_text(s, "b:c", "rest");
}

static void
leaves_the_slice_alone_when_it_cannot_cut(void **state)
{
	struct slice s = SLICE("abc"), head, empty = {NULL, 0};

	(void)state;
	assert_false(slice_cut(&s, ':', &head));
	assert_text(s, "abc", "rest");
	assert_false(slice_cut(&empty, ':', &head));
}

static void
takes_the_last_element_without_a_separator(void **state)
{
	struct slice s = SLICE("a,b"), head;

	(void)state;
	assert_true(slice_take_element(&s, ',', &head));
	assert_text(head, "a", "first");
	assert_true(slice_take_element(&s, ',', &head));
	assert_text(head, "b", "last");
	assert_false(slice_take_element(&s, ',', &head));
}

static void
takes_a_prefix_only_if_it_is_one(void **state)
{
	struct slice s = SLICE("statsd://");

	(void)state;
	assert_false(slice_take(&s, SLICE("stats://")));
	assert_text(s, "statsd://", "untouched");
	assert_true(slice_take(&s, SLICE("statsd")));
	assert_text(s, "://", "rest");
	assert_false(slice_take(&s, SLICE(":///")));
	assert_true(slice_take(&s, SLICE("://")));
	assert_int_equal(s.len, 0);
	assert_true(slice_take(&s, SLICE("")));
	assert_true(slice_take(&s, (struct slice){NULL, 0}));
}

static void
takes_numbers_up_to_so_many_digits(void **state)
{
	static const struct {
		const char *why, *in;
		bool taken;
		size_t number;
		const char *rest;
	} cases[] = {
	    {"one digit", "7", true, 7, ""},
	    {"three of three", "123x", true, 123, "x"},
	    {"leading zeros", "007", true, 7, ""},
	    {"all nines", "999", true, 999, ""},
	    {"one digit too many", "1234", false, 0, "1234"},
	    {"no digit", "x1", false, 0, "x1"},
	    {"nothing", "", false, 0, ""},
	    {"a sign", "+1", false, 0, "+1"},
	    {"below zero's code", "/1", false, 0, "/1"},
	    {"above nine's code", ":1", false, 0, ":1"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice in = guarded(slice_of(cases[i].in)), s = in;
		size_t number = 0;

		assert_case(slice_take_number(&s, 3, &number) == cases[i].taken,
		    cases[i].why);
		assert_case(number == cases[i].number, cases[i].why);
		assert_text(s, cases[i].rest, cases[i].why);
		guarded_free(in);
	}
}

static void
compares_with_and_without_case(void **state)
{
	(void)state;
	assert_true(slice_equal(SLICE("ab"), SLICE("ab")));
	assert_false(slice_equal(SLICE("ab"), SLICE("aB")));
	assert_false(slice_equal(SLICE("ab"), SLICE("abc")));
	assert_true(slice_equal((struct slice){NULL, 0}, SLICE("")));
	assert_true(slice_equal_nocase(SLICE("BaSic-1"), SLICE("bAsIC-1")));
	assert_false(slice_equal_nocase(SLICE("basic"), SLICE("basi")));
	assert_false(slice_equal_nocase(SLICE("a[b"), SLICE("a{b")));
	assert_false(slice_equal_nocase(SLICE("a@"), SLICE("a`")));
	assert_false(slice_equal_nocase(SLICE("aa"), SLICE("ba")));
}

static void
trims_white_space_at_both_ends(void **state)
{
	(void)state;
	assert_text(slice_trim(SLICE(" \t\r\n\v\fa b ")), "a b", "both");
	assert_text(slice_trim(SLICE("  ")), "", "nothing else");
	assert_text(slice_trim(SLICE(" ")), "", "one space");
	assert_text(slice_trim(SLICE("ab")), "ab", "nothing to trim");
}

static void
heads_are_never_longer_than_the_slice(void **state)
{
	(void)state;
	assert_text(slice_head(SLICE("abc"), 2), "ab", "shorter");
	assert_text(slice_head(SLICE("abc"), 9), "abc", "longer");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cuts_at_the_first_separator_and_drops_it),
	    cmocka_unit_test(leaves_the_slice_alone_when_it_cannot_cut),
	    cmocka_unit_test(takes_the_last_element_without_a_separator),
	    cmocka_unit_test(takes_a_prefix_only_if_it_is_one),
	    cmocka_unit_test(takes_numbers_up_to_so_many_digits),
	    cmocka_unit_test(compares_with_and_without_case),
	    cmocka_unit_test(trims_white_space_at_both_ends),
	    cmocka_unit_test(heads_are_never_longer_than_the_slice),
	};

	return cmocka_run_group_tests_name("slice", tests, NULL, NULL);
}
