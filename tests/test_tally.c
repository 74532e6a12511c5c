#include "metric/tally.h"

#include "base/buf.h"
#include "support.h"

static struct tally tally;

/* The contents of the tally, a line per sample: "2 web.1=0.5,1". */
static void
put_sample(void *context, const struct sample *sample)
{
	struct buf *t = context;

	buf_put_string(t, metrics[sample->metric].plain);
	for (int i = 0; i < 2; i++) {
		buf_put(t, SLICE(" "));
		buf_put(t, sample->parts[i].text);
	}
	buf_put(t, SLICE("="));
	if (metrics[sample->metric].type == METRIC_COUNTER)
		buf_put_number(t, sample->count);
	else
		buf_put(t, sample->number);
	buf_put(t, SLICE("\n"));
}

static void
assert_holds(const char *want)
{
	static char buf[4096];
	struct buf got = BUF_IN(buf);

	tally_each(&tally, put_sample, &got);
	assert_text(buf_slice(&got), want, "the tally");
	assert_int_equal(tally_is_empty(&tally), want[0] == '\0');
}

/* The next message begins. */
static void
begin(void)
{
	tally.messages++;
}

static bool
add(enum metric_id metric, const char *first, const char *second,
    const char *value)
{
	struct sample sample = {metric,
	    {{slice_of(first), PART_NAME}, {slice_of(second), PART_NAME}}, 1,
	    slice_of(value)};

	return tally_add(&tally, &sample);
}

static int
reset(void **state)
{
	(void)state;
	tally_reset(&tally);
	return 0;
}

static void
codes_stand_in_order_of_first_appearance(void **state)
{
	(void)state;
	assert_holds("");
	tally_add_error(&tally, SLICE("R14"), 1);
	tally_add_error(&tally, SLICE("H12"), 1);
	tally_add_error(&tally, SLICE("R14"), 1);
	tally_add_error(&tally, SLICE("L10"), 0);
	assert_holds("heroku.errors.%1 R14 =2\nheroku.errors.%1 H12 =1\n"
		     "heroku.errors.%1 L10 =0\n");
}

static void
expect_one(void *context, const struct sample *sample)
{
	size_t *seen = context;

	assert_int_equal(sample->count, 1);
	++*seen;
}

/* Every code: 3 letters, 100 of two digits, 1,000 of three. */
static void
every_code_has_a_place_of_its_own(void **state)
{
	char text[8];
	size_t n = 0, seen = 0;

	(void)state;
	for (const char *letter = "HRL"; *letter != '\0'; letter++)
		for (int width = 2; width <= 3; width++)
			for (int i = 0; i < (width == 2 ? 100 : 1000); i++) {
				snprintf(text, sizeof(text), "%c%0*d", *letter,
				    width, i);
				tally_add_error(&tally, slice_of(text), 1);
				n++;
			}
	assert_int_equal(n, TALLY_CODES);
	tally_each(&tally, expect_one, &seen);
	assert_int_equal(seen, TALLY_CODES);
}

static void
counters_are_summed_and_of_a_gauge_the_last_value_stays(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		begin();
		tally_count(&tally, METRIC_REQUESTS, 2);
		assert_true(add(METRIC_DYNO_UP, "web", NULL, NULL));
		assert_true(add(METRIC_LOAD_1M, "web", "1",
		    i == 0       ? "0.5"
			: i == 1 ? "10.25"
				 : "7"));
	}
	assert_holds("heroku.router.requests  =6\n"
		     "heroku.dyno.%1.state.up web =3\n"
		     "heroku.dyno.%1.%2.load_avg_1m web 1=7\n");
}

static void
of_one_name_in_a_message_the_first_decides(void **state)
{
	(void)state;
	begin();
	assert_true(add(METRIC_LOAD_1M, "web", "1", "1"));
	assert_false(add(METRIC_LOAD_1M, "web", "1", "2"));
	assert_false(add(METRIC_LOAD_5M, "web", "1", ""));
	assert_false(add(METRIC_LOAD_5M, "web", "1", "3"));
	assert_holds("heroku.dyno.%1.%2.load_avg_1m web 1=1\n");
	begin();
	assert_true(add(METRIC_LOAD_5M, "web", "1", "4"));
	assert_holds("heroku.dyno.%1.%2.load_avg_1m web 1=1\n"
		     "heroku.dyno.%1.%2.load_avg_5m web 1=4\n");
}

static void
timers_keep_every_value(void **state)
{
	struct sample time = {
	    METRIC_CUSTOM_TIME, {{SLICE("a.b"), PART_DOTTED}}, 0, SLICE("4.2")};

	(void)state;
	tally_time(&tally, METRIC_CONNECT, SLICE("1"));
	begin();
	assert_true(tally_add(&tally, &time));
	begin();
	tally_time(&tally, METRIC_SERVICE, SLICE("20"));
	assert_true(tally_add(&tally, &time));
	assert_holds("heroku.router.connect  =1\nheroku.router.service  =20\n"
		     "custom.%1 a.b =4.2\ncustom.%1 a.b =4.2\n");
}

static void
a_name_keeps_no_other_bytes(void **state)
{
	static const struct {
		const char *in;
		enum part_kind kind;
		const char *want; /* NULL: no name */
	} cases[] = {
	    {"az-AZ_09", PART_NAME, "az-AZ_09"},
	    {"a.b c:d|e\n", PART_NAME, "a_b_c_d_e_"},
	    {"\xff\x01", PART_NAME, "__"},
	    {"CACHE-Store", PART_LOWER, "cache-store"},
	    {"a-b_c.d", PART_KEY, "a_b_c_d"},
	    {"a-b.c_d:e", PART_DOTTED, "a-b.c_d_e"},
	    {"", PART_NAME, NULL},
	    {".a", PART_DOTTED, NULL},
	    {"a.", PART_DOTTED, NULL},
	    {"a..b", PART_DOTTED, NULL},
	    {".", PART_DOTTED, NULL},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sample sample = {METRIC_FORMATION,
		    {{slice_of(cases[i].in), cases[i].kind}}, 0, SLICE("1")};
		char want[64] = "";

		reset(state);
		begin();
		tally_add(&tally, &sample);
		if (cases[i].want != NULL)
			snprintf(want, sizeof(want),
			    "heroku.formation.%%1 %s =1\n", cases[i].want);
		assert_holds(want);
	}
}

static void
a_part_has_at_most_64_bytes(void **state)
{
	char part[PART_MAX + 2];

	(void)state;
	memset(part, 'x', sizeof(part));
	part[PART_MAX] = '\0';
	begin();
	assert_true(add(METRIC_LOAD_1M, part, part, "1"));
	part[PART_MAX] = 'x';
	part[PART_MAX + 1] = '\0';
	assert_false(add(METRIC_LOAD_1M, part, "1", "1"));
	assert_false(add(METRIC_LOAD_1M, "web", part, "1"));
	assert_int_equal(tally.left_out, 0);
}

static void
names_beyond_the_ceiling_are_left_out_but_errors(void **state)
{
	char name[16];

	(void)state;
	begin();
	for (unsigned i = 0; i < BUCKETS_MAX + 5; i++) {
		snprintf(name, sizeof(name), "t%u", i);
		assert_int_equal(
		    add(METRIC_FORMATION, name, NULL, "1"), i < BUCKETS_MAX);
	}
	assert_int_equal(tally.left_out, 5);
	begin();
	assert_true(add(METRIC_FORMATION, "t0", NULL, "2"));
	tally_add_error(&tally, SLICE("H12"), 1);
	assert_int_equal(tally.bucket_count, BUCKETS_MAX + 1);
}

static void
an_application_makes_up_a_hundred_names(void **state)
{
	char name[16];

	(void)state;
	for (unsigned i = 0; i < CUSTOM_NAMES_MAX + 3; i++) {
		begin();
		snprintf(name, sizeof(name), "n%u", i);
		assert_int_equal(add(METRIC_CUSTOM_COUNT, name, NULL, NULL),
		    i < CUSTOM_NAMES_MAX);
		assert_int_equal(add(METRIC_CUSTOM_GAUGE, name, NULL, "1"),
		    i < CUSTOM_NAMES_MAX);
	}
	assert_int_equal(tally.left_out, 6);
}

static void
values_of_timers_beyond_the_ceiling_are_left_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < TIMERS_MAX + 7; i++)
		tally_time(&tally, METRIC_SERVICE, SLICE("1"));
	assert_int_equal(tally.timer_count, TIMERS_MAX);
	assert_int_equal(tally.left_out, 7);
}

static void
a_sum_never_wraps(void **state)
{
	struct sample sample = {METRIC_CUSTOM_COUNT,
	    {{SLICE("n"), PART_DOTTED}}, UINT64_MAX - 1, {0}};

	(void)state;
	for (int i = 0; i < 3; i++) {
		begin();
		tally_count(&tally, METRIC_BYTES, UINT64_MAX - 1);
		tally_add(&tally, &sample);
	}
	assert_holds("heroku.router.bytes  =18446744073709551615\n"
		     "custom.%1 n =18446744073709551615\n");
}

static void
a_reset_leaves_nothing(void **state)
{
	(void)state;
	begin();
	tally_add_error(&tally, SLICE("H99"), 1);
	add(METRIC_LOAD_1M, "web", "1", "1");
	tally_time(&tally, METRIC_SERVICE, SLICE("1"));
	tally_count(&tally, METRIC_REQUESTS, 1);
	tally.skipped = tally.errors = tally.left_out = 1;
	tally_reset(&tally);
	assert_holds("");
	assert_int_equal(tally.messages + tally.skipped + tally.errors, 0);
	assert_int_equal(tally.left_out, 0);
	begin();
	assert_true(add(METRIC_LOAD_1M, "web", "1", "2"));
	assert_holds("heroku.dyno.%1.%2.load_avg_1m web 1=2\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(
		codes_stand_in_order_of_first_appearance, reset),
	    cmocka_unit_test_setup(every_code_has_a_place_of_its_own, reset),
	    cmocka_unit_test_setup(
		counters_are_summed_and_of_a_gauge_the_last_value_stays, reset),
	    cmocka_unit_test_setup(
		of_one_name_in_a_message_the_first_decides, reset),
	    cmocka_unit_test_setup(timers_keep_every_value, reset),
	    cmocka_unit_test(a_name_keeps_no_other_bytes),
	    cmocka_unit_test_setup(a_part_has_at_most_64_bytes, reset),
	    cmocka_unit_test_setup(
		names_beyond_the_ceiling_are_left_out_but_errors, reset),
	    cmocka_unit_test_setup(
		an_application_makes_up_a_hundred_names, reset),
	    cmocka_unit_test_setup(
		values_of_timers_beyond_the_ceiling_are_left_out, reset),
	    cmocka_unit_test_setup(a_sum_never_wraps, reset),
	    cmocka_unit_test_setup(a_reset_leaves_nothing, reset),
	};

	return cmocka_run_group_tests_name("tally", tests, NULL, NULL);
}
