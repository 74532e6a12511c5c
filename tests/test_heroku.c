#include "heroku/batch.h"

#include "base/buf.h"
#include "statsd/line.h"
#include "support.h"

enum {
	ALL = (1 << METRIC_FAMILIES) - 1,
	BUT_DRAIN = ALL & ~FAMILY_BIT(FAMILY_DRAIN)
};

static const struct heroku_rules all = {
    {ERROR_LEVEL_ERROR | ERROR_LEVEL_WARNING, false}, BUT_DRAIN};
static struct tally tally;

/* Lines of the application `shop`, sorted and joined by spaces. */
struct lines {
	bool tagged;
	size_t count;
	char lines[64][256];
};

static void
collect(void *context, const struct sample *sample)
{
	struct lines *l = context;
	char name[LINE_BYTES_MAX];
	struct buf bucket = BUF_IN(name);
	struct buf t = {l->lines[l->count++], 0, 255, false};
	const struct line_style style = {{0}, l->tagged, {0}};

	assert_true(l->count <= 64);
	line_put_bucket(&bucket, SLICE("shop"), sample);
	line_put(&t, &style, SLICE("shop"), buf_slice(&bucket), sample);
	t.ptr[t.len] = '\0';
}

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static const char *
lines_of_tally(bool tagged)
{
	static char joined[64 * 256];
	static struct lines l;
	struct buf t = BUF_IN(joined);

	l.tagged = tagged;
	l.count = 0;
	tally_each(&tally, collect, &l);
	qsort(l.lines, l.count, sizeof(l.lines[0]), compare);
	for (size_t i = 0; i < l.count; i++) {
		buf_put(&t, i > 0 ? SLICE(" ") : SLICE(""));
		buf_put_string(&t, l.lines[i]);
	}
	if (l.count == 0)
		buf_put(&t, SLICE("-"));
	joined[t.len] = '\0';
	return joined;
}

/* The metrics of one message by that process. */
static const char *
given(const struct heroku_rules *rules, const char *app_name,
    const char *procid, struct slice msg)
{
	struct slice in = guarded(msg);
	struct syslog_msg m = {slice_of(app_name), slice_of(procid), in};

	tally_reset(&tally);
	tally.messages++;
	heroku_read(&m, rules, &tally);
	guarded_free(in);
	return lines_of_tally(false);
}

static struct slice
column(struct slice *line)
{
	struct slice value = *line;

	slice_take_element(line, '\t', &value);
	return value;
}

/* Sorts words by bytes, as in the fixture. */
static void
assert_words(struct slice want, const char *got, struct slice row)
{
	if (!slice_equal(want, slice_of(got)))
		fail_msg("row %.*s:\n%s\n%.*s", SLICE_ARG(row), got,
		    SLICE_ARG(want));
}

static struct slice
sorted_words(struct slice words, char *buf, size_t size)
{
	static char list[64][256];
	struct buf t = {buf, 0, size, false};
	struct slice word;
	size_t n = 0;

	for (; slice_take_element(&words, ' ', &word); n++)
		snprintf(list[n], sizeof(list[n]), "%.*s", SLICE_ARG(word));
	qsort(list, n, sizeof(list[0]), compare);
	for (size_t i = 0; i < n; i++) {
		buf_put(&t, i > 0 ? SLICE(" ") : SLICE(""));
		buf_put_string(&t, list[i]);
	}
	return buf_slice(&t);
}

static void
gives_every_real_line_what_it_must(void **state)
{
	struct slice messages = fixture("metric-lines.tsv"), lines = messages;
	struct slice table = fixture("metric-lines.expected.tsv");
	struct slice rows = table, row, line;
	size_t n = 0;

	(void)state;
	slice_cut(&rows, '\n', &row);
	slice_cut(&lines, '\n', &line);
	for (; slice_take_element(&rows, '\n', &row) &&
	     slice_take_element(&lines, '\n', &line);
	     n++) {
		struct slice number = column(&row), app_name = column(&row);
		struct slice procid = column(&row), plain = column(&row);
		struct slice tagged = column(&row), msg;
		struct syslog_msg m = {app_name, procid, {0}};
		char buf[16384];

		column(&line);
		column(&line);
		msg = column(&line);
		m.msg = msg;
		tally_reset(&tally);
		tally.messages++;
		heroku_read(&m, &all, &tally);
		assert_words(sorted_words(plain, buf, sizeof(buf)),
		    lines_of_tally(false), number);
		assert_words(sorted_words(tagged, buf, sizeof(buf)),
		    lines_of_tally(true), number);
	}
	assert_int_equal(n, 146);
	free((void *)(uintptr_t)messages.ptr);
	free((void *)(uintptr_t)table.ptr);
}

static void
a_family_that_is_off_gives_nothing(void **state)
{
	static const struct {
		unsigned families;
		const char *app_name, *procid, *msg;
	} cases[] = {
	    {FAMILY_BIT(FAMILY_ERRORS), "heroku", "router",
		"at=error code=H12 status=503 service=1ms connect=1ms bytes=1"},
	    {FAMILY_BIT(FAMILY_LOSS), "heroku", "logplex",
		"Error L10 (x): 5 messages dropped"},
	    {FAMILY_BIT(FAMILY_DYNOS), "heroku", "web.1",
		"sample#memory_total=1MB"},
	    {FAMILY_BIT(FAMILY_RELEASES), "app", "api",
		"Release v1 created by"},
	    {FAMILY_BIT(FAMILY_ADDONS), "app", "heroku-redis",
		"addon=x sample#a=1"},
	    {FAMILY_BIT(FAMILY_CUSTOM), "app", "web.1", "count#a=1"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct heroku_rules off = all, only = all;

		off.families &= ~(cases[i].families |
		    FAMILY_BIT(FAMILY_ROUTER) | FAMILY_BIT(FAMILY_LATENCY) |
		    FAMILY_BIT(FAMILY_TIMINGS) | FAMILY_BIT(FAMILY_ERRORS));
		only.families = cases[i].families;
		assert_case(strcmp(given(&off, cases[i].app_name,
				       cases[i].procid, slice_of(cases[i].msg)),
				"-") == 0,
		    cases[i].msg);
		assert_case(strcmp(given(&only, cases[i].app_name,
				       cases[i].procid, slice_of(cases[i].msg)),
				"-") != 0,
		    cases[i].msg);
	}
}

static void
who_wrote_a_line_decides_what_it_may_be(void **state)
{
	static const struct {
		const char *app_name, *procid, *msg;
	} cases[] = {
	    {"app", "router", "at=info status=200 service=1ms"},
	    {"heroku", "router1", "at=info status=200 service=1ms"},
	    {"app", "web.1", "State changed from up to crashed"},
	    {"heroku", "web", "State changed from up to crashed"},
	    {"heroku", "web.x", "State changed from up to crashed"},
	    {"heroku", ".1", "State changed from up to crashed"},
	    {"heroku", "heroku-redis", "addon=x sample#a=1"},
	    {"app", "heroku-kafka", "addon=x sample#a=1"},
	    {"app", "web", "count#a=1"},
	    {"heroku", "web.1", "count#a=1"},
	    {"app", "api.1", "Release v1 created by x"},
	    {"other", "api", "Release v1 created by x"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_case(strcmp(given(&all, cases[i].app_name,
				       cases[i].procid, slice_of(cases[i].msg)),
				"-") == 0,
		    cases[i].msg);
}

static void
gives_what_the_rules_say(void **state)
{
	static const struct {
		const char *app_name, *procid, *msg, *want;
	} cases[] = {
	    /* Several pairs, empty values, quotes, damage. */
	    {"heroku", "web.1", "sample#load_avg_1m=1 sample#load_avg_1m=2",
		"shop.heroku.dyno.web.1.load_avg_1m:1|g"},
	    {"heroku", "web.1", "sample#load_avg_1m=\"1.5\"",
		"shop.heroku.dyno.web.1.load_avg_1m:1.5|g"},
	    {"heroku", "web.1",
		"sample#load_avg_1m=1 junk sample#load_avg_5m=2",
		"shop.heroku.dyno.web.1.load_avg_1m:1|g"},
	    {"heroku", "web.1", "sample#load_avg_1m=-1", "-"},
	    {"heroku", "web.1", "sample#load_avg_1m=1e3x5", "-"},
	    {"heroku", "web.1", "sample#load_avg_1m=.5", "-"},
	    {"heroku", "web.1", "sample#load_avg_1m=5.", "-"},
	    {"heroku", "web.1", "sample#load_avg_1m=12345678901234567890",
		"shop.heroku.dyno.web.1.load_avg_1m:12345678901234567890|g"},
	    {"heroku", "web.1", "sample#load_avg_1m=123456789012345678901",
		"-"},
	    {"heroku", "a.b.7", "State changed from up to down",
		"shop.heroku.dyno.a_b.state.down:1|c"},
	    {"heroku", "web.1", "State changed from up to downs", "-"},
	    {"heroku", "run.5", "Process exited with status 0",
		"shop.heroku.dyno.run.exit.0:1|c"},
	    {"heroku", "web.1", "Process exited with status 256", "-"},
	    {"heroku", "web.1", "Process exited with status 00", "-"},
	    {"heroku", "web.1", "Process exited with status 1x", "-"},
	    {"heroku", "web.1", "Process running mem=870M(170.1%)\n",
		"shop.heroku.dyno.web.1.memory_percent:170.1|g "
		"shop.heroku.dyno.web.1.memory_total:870|g"},
	    {"heroku", "web.1", "Process running mem=870M(17",
		"shop.heroku.dyno.web.1.memory_total:870|g"},
	    {"heroku", "web.1", "Process running mem=870M!", "-"},
	    {"heroku", "router", "status=200 bytes=1", "-"},
	    {"heroku", "router", "at= status=200", "-"},
	    {"heroku", "router", "at=x status=2000 bytes=1x service=1s",
		"shop.heroku.router.requests:1|c "
		"shop.heroku.router.status.none:1|c"},
	    {"heroku", "router", "- at=x status=600",
		"shop.heroku.router.requests:1|c "
		"shop.heroku.router.status.none:1|c"},
	    {"heroku", "router", "at=x status=\"101\" service=5ms bytes=",
		"shop.heroku.router.requests:1|c "
		"shop.heroku.router.status.1xx:1|c"},
	    {"heroku", "logplex", "Error L10 (x): 2147483647 messages dropped",
		"shop.heroku.errors.L10:1|c "
		"shop.heroku.logplex.dropped:2147483647|c"},
	    {"heroku", "logplex", "Error L10 (x): 00000000000000005 messages",
		"shop.heroku.errors.L10:1|c shop.heroku.logplex.dropped:5|c"},
	    {"heroku", "logplex", "Error L10 (x): 2147483648 messages dropped",
		"shop.heroku.errors.L10:1|c"},
	    {"heroku", "logplex", "Error L10 (x): many messages, 3 messages y",
		"shop.heroku.errors.L10:1|c shop.heroku.logplex.dropped:3|c"},
	    {"heroku", "web.1", "Error R14: 3 messages",
		"shop.heroku.errors.R14:1|c"},
	    {"app", "api", "Release v9 created byx", "shop.heroku.release:1|c"},
	    {"app", "api", "Release v created by x", "-"},
	    {"app", "api", "Scaled to web@2:x odd worker@1:y by z",
		"shop.heroku.formation.web:2|g"},
	    {"app", "heroku-postgres", "sample#a-b=1kB", "-"},
	    {"app", "heroku-postgres", "source=MY_Db sample#a-b=1kB",
		"shop.heroku.postgres.my_db.a_b:1|g"},
	    {"app", "heroku-redis", "sample#a=1 addon=X-y source=z",
		"shop.heroku.redis.X-y.a:1|g"},
	    {"app", "heroku-redis", "addon= sample#a=1 source=Z addon=x",
		"shop.heroku.redis.z.a:1|g"},
	    {"app", "web.1", "count#a=1 count#a=2 sample#a=3 measure#a=4ms",
		"shop.custom.a:1|c shop.custom.a:3|g shop.custom.a:4|ms"},
	    {"app", "web.1", "count#a=1.0 count#a=2", "-"},
	    {"app", "web.1", "count#a=0 count#b=1234567890123456", "-"},
	    {"app", "web.1", "measure#a=1.23s measure#b=0.0042s measure#c=5s",
		"shop.custom.a:1230|ms shop.custom.b:4.2|ms "
		"shop.custom.c:5000|ms"},
	    {"app", "web.1", "measure#a=5 measure#b=5us measure#c=1m", "-"},
	    {"app", "web.1", "count#a:1|c#x=1", "shop.custom.a_1_c_x:1|c"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *got = given(&all, cases[i].app_name,
		    cases[i].procid, slice_of(cases[i].msg));

		if (strcmp(got, cases[i].want) != 0)
			fail_msg(
			    "%s:\n%s\n%s", cases[i].msg, got, cases[i].want);
	}
}

static void
every_prefix_of_a_line_is_read(void **state)
{
	static const struct {
		const char *app_name, *procid, *msg;
	} cases[] = {
	    {"heroku", "router",
		"at=info path=\"/a b\" connect=1ms service=12ms status=200 "
		"bytes=9"},
	    {"heroku", "web.1",
		"source=web.1 sample#load_avg_1m=0.20 sample#memory_rss=1.5MB"},
	    {"heroku", "web.1", "Process running mem=870M(170.1%)"},
	    {"heroku", "web.1", "State changed from starting to complete"},
	    {"heroku", "logplex", "Error L10 (x): 5 messages dropped since"},
	    {"app", "api", "Scaled to web@2:a worker@11:b by c"},
	    {"app", "heroku-postgres", "source=A addon=b-1 sample#x-y=1.0kB"},
	    {"app", "web.1", "count#a=1 measure#b=0.5s sample#c=2"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice msg = slice_of(cases[i].msg);

		for (size_t n = 0; n <= msg.len; n++)
			given(&all, cases[i].app_name, cases[i].procid,
			    slice_head(msg, n));
		assert_case(tally.bucket_count > 0 || tally.errors > 0 ||
			tally.counts[METRIC_REQUESTS] > 0,
		    cases[i].msg);
	}
}

static void
errors_are_judged_alike_whatever_the_families(void **state)
{
	struct slice file = fixture("platform-errors.tsv"), rest = file, row;
	const struct heroku_rules plain = {
	    {ERROR_LEVEL_ERROR | ERROR_LEVEL_WARNING, false},
	    FAMILY_BIT(FAMILY_ERRORS)};
	size_t rows = 0;

	(void)state;
	for (; slice_take_element(&rest, '\n', &row); rows++) {
		struct syslog_msg m = {
		    SLICE("heroku"), SLICE("router"), column(&row)};
		struct heroku_reading with, without;

		tally_reset(&tally);
		with = heroku_read(&m, &all, &tally);
		without = heroku_read(&m, &plain, &tally);
		assert_int_equal(
		    error_counts(with.verdict), error_counts(without.verdict));
		if (error_counts(with.verdict))
			assert_slice(error_code_slice(&with.code),
			    error_code_slice(&without.code), "code");
	}
	assert_true(rows > 100);
	free((void *)(uintptr_t)file.ptr);
}

static void
the_batch_itself_counts_in_its_family(void **state)
{
	const struct heroku_rules drain = {
	    {0, false}, FAMILY_BIT(FAMILY_DRAIN)};
	struct batch_message m;

	(void)state;
	tally_reset(&tally);
	assert_int_equal(batch_count(SLICE("3 odd17 <1>1 t h a p - hi\n"),
			     &drain, &tally, &m),
	    FRAME_END);
	assert_string_equal(lines_of_tally(false),
	    "shop.heroku.drain.batches:1|c shop.heroku.drain.messages:2|c "
	    "shop.heroku.drain.skipped:1|c");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gives_every_real_line_what_it_must),
	    cmocka_unit_test(a_family_that_is_off_gives_nothing),
	    cmocka_unit_test(who_wrote_a_line_decides_what_it_may_be),
	    cmocka_unit_test(gives_what_the_rules_say),
	    cmocka_unit_test(every_prefix_of_a_line_is_read),
	    cmocka_unit_test(errors_are_judged_alike_whatever_the_families),
	    cmocka_unit_test(the_batch_itself_counts_in_its_family),
	};

	return cmocka_run_group_tests_name("heroku", tests, NULL, NULL);
}
