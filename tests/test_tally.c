#include "metric/tally.h"

#include "support.h"

static struct tally tally;

static struct heroku_code
code(const char *text)
{
	struct heroku_code c = {.len = (uint8_t)strlen(text)};

	memcpy(c.text, text, c.len);
	return c;
}

static void
add(const char *text)
{
	struct heroku_code c = code(text);

	tally_add(&tally, &c);
}

static uint32_t
count(const char *text)
{
	struct heroku_code c = code(text);

	return tally_count(&tally, &c);
}

static void
codes_stand_in_order_of_first_appearance(void **state)
{
	(void)state;
	tally_reset(&tally);
	add("R14");
	add("H12");
	add("R14");
	assert_int_equal(tally.errors, 3);
	assert_int_equal(tally.distinct, 2);
	assert_text(heroku_code_slice(&tally.codes[0]), "R14", "first");
	assert_text(heroku_code_slice(&tally.codes[1]), "H12", "second");
	assert_int_equal(count("R14"), 2);
	assert_int_equal(count("H12"), 1);
	assert_int_equal(count("L10"), 0);
}

/* Every code there is: 3 letters, 100 of two digits, 1,000 of three. */
static void
every_code_has_a_place_of_its_own(void **state)
{
	char text[8];
	uint32_t n = 0;

	(void)state;
	tally_reset(&tally);
	for (const char *letter = "HRL"; *letter != '\0'; letter++)
		for (int width = 2; width <= 3; width++)
			for (int i = 0; i < (width == 2 ? 100 : 1000); i++) {
				snprintf(text, sizeof(text), "%c%0*d", *letter,
				    width, i);
				assert_int_equal(count(text), 0);
				add(text);
				assert_int_equal(count(text), 1);
				n++;
			}
	assert_int_equal(n, TALLY_CODES);
	assert_int_equal(tally.distinct, TALLY_CODES);
	assert_int_equal(tally.errors, TALLY_CODES);
}

static void
a_reset_leaves_nothing(void **state)
{
	(void)state;
	tally_reset(&tally);
	add("H99");
	add("L999");
	tally.messages = 3;
	tally.skipped = 1;
	tally_reset(&tally);
	assert_int_equal(tally.messages, 0);
	assert_int_equal(tally.skipped, 0);
	assert_int_equal(tally.errors, 0);
	assert_int_equal(tally.distinct, 0);
	assert_int_equal(count("H99"), 0);
	assert_int_equal(count("L999"), 0);
	for (size_t i = 0; i < TALLY_CODES; i++)
		assert_int_equal(tally.counts[i], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(codes_stand_in_order_of_first_appearance),
	    cmocka_unit_test(every_code_has_a_place_of_its_own),
	    cmocka_unit_test(a_reset_leaves_nothing),
	};

	return cmocka_run_group_tests_name("tally", tests, NULL, NULL);
}
