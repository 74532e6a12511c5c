#include "statsd/line.h"

#include "bounds.h"
#include "support.h"

static const struct sample h12 = {
    METRIC_ERROR, {{{"H12", 3}, PART_NAME}}, 1, {NULL, 0}};

static const char *
line_of(const struct line_style *style, const char *app,
    const struct sample *sample)
{
	static char line[LINE_BYTES_MAX + 1], name[LINE_BYTES_MAX];
	struct buf t = BUF_IN(line), bucket = BUF_IN(name);

	line_put_bucket(&bucket, slice_of(app), sample);
	line_put(&t, style, slice_of(app), buf_slice(&bucket), sample);
	line[t.len] = '\0';
	return line;
}

static void
writes_a_plain_line(void **state)
{
	const struct line_style plain = {{0}, false, SLICE("env:live")};
	const struct line_style prefixed = {SLICE("a.b."), false, {0}};
	struct sample many = h12,
		      gauge = {METRIC_LOAD_1M,
			  {{SLICE("web"), PART_NAME}, {SLICE("1"), PART_NAME}},
			  0, SLICE("0.20")};

	(void)state;
	many.count = UINT32_MAX;
	assert_string_equal(
	    line_of(&plain, "heaven", &h12), "heaven.heroku.errors.H12:1|c");
	assert_string_equal(line_of(&prefixed, "my-app", &many),
	    "a.b.my-app.heroku.errors.H12:4294967295|c");
	assert_string_equal(line_of(&plain, "shop.live", &gauge),
	    "shop.live.heroku.dyno.web.1.load_avg_1m:0.20|g");
}

static void
writes_a_line_with_tags(void **state)
{
	const struct line_style tagged = {{0}, true, {0}};
	const struct line_style more = {
	    SLICE("a."), true, SLICE("env:live,team:x")};
	struct sample total = {METRIC_MEMORY_TOTAL,
	    {{SLICE("web"), PART_NAME}, {SLICE("1"), PART_NAME}}, 0,
	    SLICE("180.43")};
	struct sample requests = {.metric = METRIC_REQUESTS, .count = 3};

	(void)state;
	assert_string_equal(line_of(&tagged, "heaven", &h12),
	    "heroku.errors:1|c|#app:heaven,code:H12");
	assert_string_equal(line_of(&tagged, "heaven", &total),
	    "heroku.dyno.memory_total:180.43|g|#app:heaven,type:web,dyno:web."
	    "1");
	assert_string_equal(line_of(&more, "heaven", &requests),
	    "a.heroku.router.requests:3|c|#app:heaven,env:live,team:x");
	assert_string_equal(line_of(&more, "heaven", &h12),
	    "a.heroku.errors:1|c|#app:heaven,code:H12,env:live,team:x");
}

static void
knows_the_longest_line(void **state)
{
	const struct line_style plain = {{0}, false, {0}};
	char tags[TAGS_MAX], prefix[PREFIX_MAX];
	const struct line_style most = {
	    {prefix, sizeof(prefix)}, true, {tags, sizeof(tags)}};

	(void)state;
	memset(tags, 'x', sizeof(tags));
	memset(prefix, 'x', sizeof(prefix));
	assert_int_equal(line_max(&plain, APP_MAX, FAMILY_BIT(FAMILY_ERRORS)),
	    APP_MAX + strlen(".heroku.errors.H999:4294967295|c"));
	assert_true(line_max(&most, PREFIX_MAX, ~0u) > 600);
	/* A signed datagram, 1,023 bytes, holds any line. */
	assert_true(
	    line_max(&most, PREFIX_MAX, ~0u) + 44 < SIGNED_DATAGRAM_MAX);
}

/* Values computed by other implementations of the same rule. */
static void
the_owner_is_the_crc32_modulo_n(void **state)
{
	static const struct {
		const char *bucket;
		size_t of_two, of_three, of_four, of_five;
	} cases[] = {
	    {"heaven.heroku.errors.H12", 1, 0, 3, 3},
	    {"heaven.heroku.errors.R99", 1, 2, 1, 0},
	    {"heaven.heroku.errors.R89", 0, 2, 0, 2},
	    {"heaven.heroku.errors.L99", 1, 2, 3, 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice bucket = slice_of(cases[i].bucket);

		assert_int_equal(line_owner(bucket, 1), 0);
		assert_int_equal(line_owner(bucket, 2), cases[i].of_two);
		assert_int_equal(line_owner(bucket, 3), cases[i].of_three);
		assert_int_equal(line_owner(bucket, 4), cases[i].of_four);
		assert_int_equal(line_owner(bucket, 5), cases[i].of_five);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(writes_a_plain_line),
	    cmocka_unit_test(writes_a_line_with_tags),
	    cmocka_unit_test(knows_the_longest_line),
	    cmocka_unit_test(the_owner_is_the_crc32_modulo_n),
	};

	return cmocka_run_group_tests_name("line", tests, NULL, NULL);
}
