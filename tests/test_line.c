#include "statsd/line.h"

#include "support.h"

static const struct statsd_counter h12 = {{"heaven", 6}, {"H12", 3}, 1};

static void
writes_a_counter_line(void **state)
{
	char buf[256];
	struct buf t = BUF_IN(buf);
	struct statsd_counter many = {
	    SLICE("my-app"), SLICE("R151"), UINT32_MAX};

	(void)state;
	line_put(&t, SLICE(""), &h12);
	assert_text(buf_slice(&t), "heaven.heroku.errors.H12:1|c", "plain");
	t.len = 0;
	line_put(&t, SLICE("a.b."), &many);
	assert_text(buf_slice(&t), "a.b.my-app.heroku.errors.R151:4294967295|c",
	    "prefixed");
}

static void
the_longest_line_is_as_long_as_announced(void **state)
{
	char app[APP_MAX], buf[512];
	struct buf t = BUF_IN(buf);
	struct statsd_counter longest = {
	    {app, sizeof(app)}, SLICE("H999"), UINT32_MAX};

	(void)state;
	memset(app, 'x', sizeof(app));
	line_put(&t, SLICE(""), &longest);
	assert_int_equal(t.len, LINE_BYTES_MAX);
}

/* Values computed by other implementations of the same rule. */
static void
shards_by_crc32_modulo_n(void **state)
{
	static const struct {
		const char *code;
		size_t of_two, of_three, of_four, of_five;
	} cases[] = {
	    {"H12", 1, 0, 3, 3},
	    {"R99", 1, 2, 1, 0},
	    {"R89", 0, 2, 0, 2},
	    {"L99", 1, 2, 3, 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct statsd_counter counter = {
		    SLICE("heaven"), slice_of(cases[i].code), 7};

		assert_int_equal(line_owner(&counter, 1), 0);
		assert_int_equal(line_owner(&counter, 2), cases[i].of_two);
		assert_int_equal(line_owner(&counter, 3), cases[i].of_three);
		assert_int_equal(line_owner(&counter, 4), cases[i].of_four);
		assert_int_equal(line_owner(&counter, 5), cases[i].of_five);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(writes_a_counter_line),
	    cmocka_unit_test(the_longest_line_is_as_long_as_announced),
	    cmocka_unit_test(shards_by_crc32_modulo_n),
	};

	return cmocka_run_group_tests_name("line", tests, NULL, NULL);
}
