#include "auth/credentials.h"

#include <sodium.h>

#include "support.h"

static struct credentials c;

static int
reset(void **state)
{
	(void)state;
	memset(&c, 0, sizeof(c));
	credentials_init(&c);
	return 0;
}

static void
add(const char *name, enum credentials_age age, const char *value)
{
	assert_null(credentials_add(&c, slice_of(name), age, slice_of(value)));
}

/* What a client that presents these credentials sends. */
static struct slice
header(const char *scheme, struct slice credentials)
{
	static char buf[2048];
	char token[1024];

	sodium_bin2base64(token, sizeof(token),
	    (const unsigned char *)credentials.ptr, credentials.len,
	    sodium_base64_VARIANT_ORIGINAL);
	snprintf(buf, sizeof(buf), "%s%s", scheme, token);
	return slice_of(buf);
}

static bool
accepts(const char *app, const char *credentials)
{
	struct slice in = guarded(header("Basic ", slice_of(credentials)));
	struct slice name = guarded(slice_of(app));
	bool accepted = credentials_accept(&c, name, in);

	guarded_free(in);
	guarded_free(name);
	return accepted;
}

static void
own_credentials_are_taken_alone(void **state)
{
	(void)state;
	add("HEAVEN", CREDENTIALS_CURRENT, "Aladdin:open sesame");
	assert_null(
	    credentials_set_shared(&c, CREDENTIALS_CURRENT, SLICE("shared")));
	assert_true(accepts("heaven", "Aladdin:open sesame"));
	assert_true(accepts("Heaven", "Aladdin:open sesame"));
	assert_false(accepts("heaven", "aladdin:open sesame"));
	assert_false(accepts("heaven", "Aladdin:open sesam"));
	assert_false(accepts("heaven", "Aladdin:open sesame "));
	assert_false(accepts("heaven", "Aladdin:"));
	assert_false(accepts("heaven", ":open sesame"));
	assert_false(accepts("heaven", ":shared"));
	assert_false(accepts("heave", "Aladdin:open sesame"));
	assert_false(accepts("heavenly", "Aladdin:open sesame"));
}

static void
a_nul_makes_a_difference(void **state)
{
	(void)state;
	add("HEAVEN", CREDENTIALS_CURRENT, "a:b");
	assert_false(credentials_accept(
	    &c, SLICE("heaven"), header("Basic ", (struct slice){"a:b\0", 4})));
}

static void
the_shared_secret_is_for_all_others(void **state)
{
	(void)state;
	add("OWN", CREDENTIALS_CURRENT, "a:b");
	assert_null(
	    credentials_set_shared(&c, CREDENTIALS_CURRENT, SLICE("s3cr3t")));
	assert_true(accepts("any", ":s3cr3t"));
	assert_true(accepts("any", "s3cr3t:"));
	assert_true(accepts("other-1", "anyone:s3cr3t"));
	assert_false(accepts("any", "s3cr3t:x"));
	assert_false(accepts("any", "anyone:S3cr3t"));
	assert_false(accepts("any", ":"));
	assert_false(accepts("any", "a:b"));
	assert_false(accepts("any", "s3cr3t"));
	assert_false(accepts("own", "anyone:s3cr3t"));
}

static void
a_shared_secret_may_hold_colons(void **state)
{
	(void)state;
	assert_null(
	    credentials_set_shared(&c, CREDENTIALS_CURRENT, SLICE("a:b")));
	assert_true(accepts("any", "anyone:a:b"));
	assert_false(accepts("any", "a:b"));
}

static void
without_any_secret_nobody_may_write(void **state)
{
	(void)state;
	assert_false(accepts("any", ":"));
	assert_false(accepts("any", ":x"));
	assert_false(credentials_accept(&c, SLICE("any"), SLICE("")));
}

static void
previous_ones_are_accepted_too(void **state)
{
	(void)state;
	add("APP", CREDENTIALS_CURRENT, "new:1");
	add("APP", CREDENTIALS_PREVIOUS, "old:0");
	assert_null(
	    credentials_set_shared(&c, CREDENTIALS_CURRENT, SLICE("now")));
	assert_null(
	    credentials_set_shared(&c, CREDENTIALS_PREVIOUS, SLICE("then")));
	assert_true(accepts("app", "new:1"));
	assert_true(accepts("app", "old:0"));
	assert_false(accepts("app", "x:now"));
	assert_false(accepts("app", "x:then"));
	assert_true(accepts("other", "x:now"));
	assert_true(accepts("other", "x:then"));
}

static void
a_name_of_one_letter_has_one_entry(void **state)
{
	(void)state;
	add("A", CREDENTIALS_CURRENT, "a:new");
	add("A", CREDENTIALS_PREVIOUS, "a:old");
	add("B", CREDENTIALS_CURRENT, "b:new");
	assert_int_equal(c.count, 2);
	assert_true(accepts("a", "a:new"));
	assert_true(accepts("a", "a:old"));
	assert_false(accepts("b", "a:old"));
}

static void
a_previous_secret_alone_opens_nothing(void **state)
{
	(void)state;
	assert_null(
	    credentials_set_shared(&c, CREDENTIALS_PREVIOUS, SLICE("then")));
	assert_false(accepts("any", "x:then"));
}

static void
previous_credentials_help_on_the_way_to_the_shared_secret(void **state)
{
	(void)state;
	add("APP", CREDENTIALS_PREVIOUS, "old:0");
	assert_null(
	    credentials_set_shared(&c, CREDENTIALS_CURRENT, SLICE("now")));
	assert_true(accepts("app", "old:0"));
	assert_true(accepts("app", "x:now"));
}

static void
hyphens_fold_unless_the_plain_name_is_set(void **state)
{
	(void)state;
	add("MY_APP", CREDENTIALS_CURRENT, "folded:1");
	assert_true(accepts("my-app", "folded:1"));
	assert_true(accepts("my_app", "folded:1"));
	add("MY-APP", CREDENTIALS_CURRENT, "plain:1");
	assert_true(accepts("my-app", "plain:1"));
	assert_false(accepts("my-app", "folded:1"));
	assert_true(accepts("my_app", "folded:1"));
	assert_false(accepts("my_app", "plain:1"));
}

static void
the_spelling_of_the_current_ones_decides_for_the_previous(void **state)
{
	(void)state;
	add("MY_APP", CREDENTIALS_PREVIOUS, "folded:0");
	assert_true(accepts("my-app", "folded:0"));
	add("MY-APP", CREDENTIALS_CURRENT, "plain:1");
	assert_false(accepts("my-app", "folded:0"));
	assert_true(accepts("my_app", "folded:0"));
	add("MY-APP", CREDENTIALS_PREVIOUS, "plain:0");
	assert_true(accepts("my-app", "plain:0"));
	assert_true(accepts("my-app", "plain:1"));
}

static void
previous_ones_of_the_plain_name_open_nothing_that_the_folded_has(void **state)
{
	(void)state;
	add("MY-APP", CREDENTIALS_PREVIOUS, "plain:0");
	assert_true(accepts("my-app", "plain:0"));
	assert_null(
	    credentials_set_shared(&c, CREDENTIALS_CURRENT, SLICE("shared")));
	add("MY_APP", CREDENTIALS_PREVIOUS, "folded:0");
	assert_true(accepts("my-app", "plain:0"));
	assert_false(accepts("my-app", "folded:0"));
	assert_true(accepts("my-app", ":shared"));
	add("MY_APP", CREDENTIALS_CURRENT, "folded:1");
	assert_false(accepts("my-app", "plain:0"));
	assert_true(accepts("my-app", "folded:0"));
	assert_true(accepts("my-app", "folded:1"));
	assert_false(accepts("my-app", ":shared"));
}

static void
a_refusal_says_what_is_missing(void **state)
{
	static const char none[] =
	    "no credentials are configured for this application";
	static const char wrong[] = "wrong credentials";
	static const char absent[] =
	    "no Authorization header; does the web server pass it on?";

	(void)state;
	add("OWN", CREDENTIALS_CURRENT, "a:b");
	add("OLD", CREDENTIALS_PREVIOUS, "a:b");
	assert_string_equal(
	    credentials_refusal(&c, SLICE("other"), SLICE("Basic YTpi")), none);
	assert_string_equal(
	    credentials_refusal(&c, SLICE("other"), SLICE("")), none);
	assert_string_equal(
	    credentials_refusal(&c, SLICE("own"), SLICE("")), absent);
	assert_string_equal(
	    credentials_refusal(&c, SLICE("own"), SLICE("Basic YTpi")), wrong);
	assert_string_equal(
	    credentials_refusal(&c, SLICE("old"), SLICE("")), absent);
	assert_null(
	    credentials_set_shared(&c, CREDENTIALS_PREVIOUS, SLICE("s")));
	assert_string_equal(
	    credentials_refusal(&c, SLICE("other"), SLICE("x")), none);
	assert_null(
	    credentials_set_shared(&c, CREDENTIALS_CURRENT, SLICE("s")));
	assert_string_equal(
	    credentials_refusal(&c, SLICE("other"), SLICE("x")), wrong);
	assert_string_equal(
	    credentials_refusal(&c, SLICE("other"), SLICE("")), absent);
}

static void
only_canonical_basic_headers_are_read(void **state)
{
	static const struct {
		const char *why, *in;
		bool want;
	} cases[] = {
	    {"as it should be", "Basic YTpi", true},
	    {"the scheme in lower case", "basic YTpi", true},
	    {"the scheme in upper case", "BASIC YTpi", true},
	    {"two spaces", "Basic  YTpi", true},
	    {"a space behind", "Basic YTpi ", true},
	    {"another scheme", "Bearer YTpi", false},
	    {"a longer scheme", "Basics YTpi", false},
	    {"no space", "BasicYTpi", false},
	    {"no token", "Basic ", false},
	    {"the scheme alone", "Basic", false},
	    {"nothing", "", false},
	    {"two headers joined", "Basic YTpi, Basic YTpi", false},
	    {"not base64", "Basic YTp!", false},
	    {"cut base64", "Basic YTp", false},
	    {"padding too much", "Basic YTpi=", false},
	    {"a slash", "Basic YTpiPz8/", true},
	    {"URL-safe base64", "Basic YTpiPz8_", false},
	    {"a byte beyond ASCII", "Basic YTpiPz8\xff", false},
	    {"no colon", "Basic YWI=", false},
	};

	(void)state;
	add("APP", CREDENTIALS_CURRENT, "a:b");
	add("APP", CREDENTIALS_PREVIOUS, "a:b???");
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice in = guarded(slice_of(cases[i].in));

		assert_case(
		    credentials_accept(&c, SLICE("app"), in) == cases[i].want,
		    cases[i].why);
		guarded_free(in);
	}
}

static void
credentials_have_a_greatest_length(void **state)
{
	char longest[CREDENTIALS_MAX + 2];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[1] = ':';
	assert_non_null(credentials_add(&c, SLICE("APP"), CREDENTIALS_CURRENT,
	    (struct slice){longest, CREDENTIALS_MAX + 1}));
	assert_null(credentials_add(&c, SLICE("APP"), CREDENTIALS_CURRENT,
	    (struct slice){longest, CREDENTIALS_MAX}));
	assert_true(credentials_accept(&c, SLICE("app"),
	    header("Basic ", (struct slice){longest, CREDENTIALS_MAX})));
	assert_false(credentials_accept(&c, SLICE("app"),
	    header("Basic ", (struct slice){longest, CREDENTIALS_MAX + 1})));
	assert_non_null(credentials_set_shared(&c, CREDENTIALS_CURRENT,
	    (struct slice){longest, CREDENTIALS_MAX + 1}));
}

static void
refuses_odd_names_and_values(void **state)
{
	static const char *const names[] = {"", "heaven", "A B", "A.B",
	    "1234567890123456789012345678901234567890123456789012345678901234"
	    "5"};
	static const char *const values[] = {"", "nocolon", ":"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		assert_non_null(credentials_add(
		    &c, slice_of(names[i]), CREDENTIALS_CURRENT, SLICE("a:b")));
	for (size_t i = 0; i < COUNT(values); i++)
		assert_non_null(credentials_add(&c, SLICE("APP"),
		    CREDENTIALS_CURRENT, slice_of(values[i])));
	assert_non_null(
	    credentials_set_shared(&c, CREDENTIALS_CURRENT, SLICE("")));
	assert_int_equal(c.count, 0);
}

static void
finds_each_of_many_applications(void **state)
{
	char name[32], value[32];
	static char values[APPLICATIONS_MAX][32];

	(void)state;
	for (int i = 0; i < APPLICATIONS_MAX; i++) {
		snprintf(name, sizeof(name), "APP_%d", i);
		snprintf(values[i], sizeof(values[i]), "u%d:p%d", i, i);
		add(name, CREDENTIALS_CURRENT, values[i]);
	}
	assert_non_null(credentials_add(
	    &c, SLICE("ONE_MORE"), CREDENTIALS_CURRENT, SLICE("a:b")));
	add("APP_0", CREDENTIALS_PREVIOUS, "u:p");
	for (int i = 0; i < APPLICATIONS_MAX; i++) {
		snprintf(name, sizeof(name), "app-%d", i);
		snprintf(value, sizeof(value), "u%d:p%d", i, i);
		assert_true(accepts(name, value));
		snprintf(value, sizeof(value), "u%d:p%d", i, i + 1);
		assert_false(accepts(name, value));
	}
	assert_false(accepts("app-4096", "u0:p0"));
}

static void
a_verified_user_may_write_to_what_is_his(void **state)
{
	(void)state;
	add("HEAVEN", CREDENTIALS_CURRENT, "Aladdin:x");
	add("MY_APP", CREDENTIALS_CURRENT, "jinn:x");
	add("OLD", CREDENTIALS_PREVIOUS, "past:x");
	assert_true(
	    credentials_accept_user(&c, SLICE("heaven"), SLICE("Aladdin")));
	assert_false(
	    credentials_accept_user(&c, SLICE("heaven"), SLICE("heaven")));
	assert_false(
	    credentials_accept_user(&c, SLICE("heaven"), SLICE("aladdin")));
	assert_true(
	    credentials_accept_user(&c, SLICE("my-app"), SLICE("jinn")));
	add("MY-APP", CREDENTIALS_CURRENT, "plain:x");
	assert_true(
	    credentials_accept_user(&c, SLICE("my-app"), SLICE("plain")));
	assert_false(
	    credentials_accept_user(&c, SLICE("my-app"), SLICE("jinn")));
	assert_true(
	    credentials_accept_user(&c, SLICE("other"), SLICE("other")));
	assert_false(
	    credentials_accept_user(&c, SLICE("other"), SLICE("Other")));
	assert_false(
	    credentials_accept_user(&c, SLICE("other"), SLICE("heaven")));
	assert_false(credentials_accept_user(&c, SLICE("old"), SLICE("past")));
	assert_true(credentials_accept_user(&c, SLICE("old"), SLICE("old")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(own_credentials_are_taken_alone, reset),
	    cmocka_unit_test_setup(a_nul_makes_a_difference, reset),
	    cmocka_unit_test_setup(the_shared_secret_is_for_all_others, reset),
	    cmocka_unit_test_setup(a_shared_secret_may_hold_colons, reset),
	    cmocka_unit_test_setup(without_any_secret_nobody_may_write, reset),
	    cmocka_unit_test_setup(previous_ones_are_accepted_too, reset),
	    cmocka_unit_test_setup(a_name_of_one_letter_has_one_entry, reset),
	    cmocka_unit_test_setup(
		a_previous_secret_alone_opens_nothing, reset),
	    cmocka_unit_test_setup(
		previous_credentials_help_on_the_way_to_the_shared_secret,
		reset),
	    cmocka_unit_test_setup(
		hyphens_fold_unless_the_plain_name_is_set, reset),
	    cmocka_unit_test_setup(
		the_spelling_of_the_current_ones_decides_for_the_previous,
		reset),
	    cmocka_unit_test_setup(
		previous_ones_of_the_plain_name_open_nothing_that_the_folded_has,
		reset),
	    cmocka_unit_test_setup(a_refusal_says_what_is_missing, reset),
	    cmocka_unit_test_setup(
		only_canonical_basic_headers_are_read, reset),
	    cmocka_unit_test_setup(credentials_have_a_greatest_length, reset),
	    cmocka_unit_test_setup(refuses_odd_names_and_values, reset),
	    cmocka_unit_test_setup(finds_each_of_many_applications, reset),
	    cmocka_unit_test_setup(
		a_verified_user_may_write_to_what_is_his, reset),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("credentials", tests, NULL, NULL);
}
