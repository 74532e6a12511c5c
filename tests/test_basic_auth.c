#include "auth/basic_auth.h"

#include "support.h"

static struct secret
secret(struct slice s)
{
	struct secret made;

	assert_true(secret_set(&made, s));
	return made;
}

static bool
equal(struct slice a, struct slice b)
{
	struct secret first = secret(a), second = secret(b);

	return secret_equal(&first, &second);
}

static void
secrets_are_equal_if_every_byte_is(void **state)
{
	(void)state;
	assert_true(equal(SLICE("open sesame"), SLICE("open sesame")));
	assert_true(equal(SLICE("x"), SLICE("x")));
	assert_false(equal(SLICE("x"), SLICE("y")));
	assert_false(equal(SLICE("xa"), SLICE("ya")));
	assert_false(equal(SLICE("ax"), SLICE("ay")));
	assert_false(equal(SLICE("a"), SLICE("aa")));
	assert_true(equal(SLICE(""), SLICE("")));
}

/* Padding is zeros, but zeros at the end count. */
static void
secrets_of_different_lengths_differ(void **state)
{
	static char zeros[CREDENTIALS_MAX];

	(void)state;
	for (size_t i = 0; i <= sizeof(zeros); i++)
		for (size_t j = 0; j <= sizeof(zeros); j++)
			assert_true(equal((struct slice){zeros, i},
					(struct slice){zeros, j}) == (i == j));
}

static void
no_secret_equals_nothing_not_even_itself(void **state)
{
	static char many[CREDENTIALS_MAX + 1];
	struct secret none = {0}, empty = secret(SLICE("")), too_long;

	(void)state;
	assert_false(secret_equal(&none, &none));
	assert_false(secret_equal(&none, &empty));
	assert_false(secret_equal(&empty, &none));
	assert_false(secret_set(&too_long, (struct slice){many, sizeof(many)}));
	assert_false(secret_equal(&too_long, &too_long));
}

static void
reads_the_two_parts_of_a_header(void **state)
{
	static const struct {
		const char *in, *credentials, *shared;
	} cases[] = {
	    {"Basic YTpi", "a:b", "b"},
	    {"Basic YTpiOmM=", "a:b:c", "b:c"},
	    {"Basic YTo=", "a:", "a"},
	    {"Basic OmI=", ":b", "b"},
	    {"Basic Og==", ":", ""},
	    {"Basic /Dpi", "\xfc:b", "b"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice in = guarded(slice_of(cases[i].in));
		struct secret whole = secret(slice_of(cases[i].credentials));
		struct secret shared = secret(slice_of(cases[i].shared));
		struct basic_auth out;

		assert_case(basic_auth_parse(in, &out), cases[i].in);
		assert_case(
		    secret_equal(&out.credentials, &whole), cases[i].in);
		assert_case(secret_equal(&out.shared, &shared), cases[i].in);
		guarded_free(in);
	}
}

static void
what_cannot_be_read_sets_nothing(void **state)
{
	static const char *const cases[] = {"", "Basic", "Basic ",
	    "Bearer YTpi", "Basic YWI=",
	    "Basic \xff"
	    "Dpi",
	    "Basic YT\xffi", "Basic YTpi!", "Basic YTpi\n!"};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct basic_auth out;

		memset(&out, 1, sizeof(out));
		assert_case(
		    !basic_auth_parse(slice_of(cases[i]), &out), cases[i]);
		assert_case(!out.credentials.set && !out.shared.set, cases[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(secrets_are_equal_if_every_byte_is),
	    cmocka_unit_test(secrets_of_different_lengths_differ),
	    cmocka_unit_test(no_secret_equals_nothing_not_even_itself),
	    cmocka_unit_test(reads_the_two_parts_of_a_header),
	    cmocka_unit_test(what_cannot_be_read_sets_nothing),
	};

	return cmocka_run_group_tests_name("basic_auth", tests, NULL, NULL);
}
