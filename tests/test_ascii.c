#include "base/ascii.h"

#include "support.h"

#define DIGITS "0123456789"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER "abcdefghijklmnopqrstuvwxyz"

/* Every byte, against a list of those that belong. */
static void
assert_class(bool (*is_member)(char), const char *members)
{
	for (int i = 0; i < 256; i++)
		if (is_member((char)i) !=
		    (i != '\0' && strchr(members, i) != NULL))
			fail_msg("byte %d and \"%s\"", i, members);
}

static void
every_byte_is_in_its_classes_and_no_others(void **state)
{
	(void)state;
	assert_class(ascii_is_digit, DIGITS);
	assert_class(ascii_is_upper, UPPER);
	assert_class(ascii_is_lower, LOWER);
	assert_class(ascii_is_alnum, DIGITS UPPER LOWER);
	assert_class(ascii_is_space, " \t\n\v\f\r");
	assert_class(ascii_is_visible,
	    DIGITS UPPER LOWER "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~");
}

static void
only_lower_case_letters_change_case(void **state)
{
	(void)state;
	for (int i = 0; i < 256; i++) {
		const char *lower = i == 0 ? NULL : strchr(LOWER, i);

		assert_int_equal(ascii_to_upper((char)i),
		    lower == NULL ? (char)i : UPPER[lower - LOWER]);
	}
}

static void
hexadecimal_digits_have_a_value_and_nothing_else(void **state)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";

	(void)state;
	for (int i = 0; i < 256; i++) {
		const char *at = i == 0 ? NULL : strchr(digits, i);

		assert_int_equal(ascii_hex_value((char)i),
		    at == NULL ? -1 : (at - digits) % 16);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_byte_is_in_its_classes_and_no_others),
	    cmocka_unit_test(only_lower_case_letters_change_case),
	    cmocka_unit_test(hexadecimal_digits_have_a_value_and_nothing_else),
	};

	return cmocka_run_group_tests_name("ascii", tests, NULL, NULL);
}
