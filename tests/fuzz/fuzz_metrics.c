/*
 * What messages give in each family: a byte that says who writes, a byte for
 * the families that are wanted, and a MSG; more messages follow after an LF.
 *
 * Asserted, of every line that would be sent, plain and with tags: it is one
 * line of its metric and of this application, whatever the bytes: no other
 * name, tag or line can appear in it.  No family gives a sample that is not
 * wanted, and fixed counters never shrink.
 */
#include "base/ascii.h"
#include "fuzz.h"
#include "heroku/heroku.h"
#include "statsd/line.h"

static const struct {
	struct slice app_name, procid;
} writers[] = {
#define WRITER(app_name, procid)                                               \
	{                                                                      \
		{app_name, sizeof(app_name) - 1},                              \
		{                                                              \
			procid, sizeof(procid) - 1                             \
		}                                                              \
	}
    WRITER("heroku", "router"),
    WRITER("heroku", "web.1"),
    WRITER("heroku", "run.2660"),
    WRITER("heroku", "logplex"),
    WRITER("app", "api"),
    WRITER("app", "heroku-postgres"),
    WRITER("app", "heroku-redis"),
    WRITER("app", "heroku-pgbouncer"),
    WRITER("app", "web.1"),
    WRITER("heroku", "a b:c|d#e,f.9"),
#undef WRITER
};

static bool
is_name_byte(char c)
{
	return ascii_is_alnum(c) || c == '_' || c == '-';
}

static bool
is_dotted_byte(char c)
{
	return is_name_byte(c) || c == '.';
}

/* Takes what the pattern says, any parts for %1 and %2. */
static void
take_pattern(struct slice *line, const char *pattern, bool dotted)
{
	for (; *pattern != '\0'; pattern++) {
		size_t n = 0;

		if (*pattern != '%') {
			assert(line->len > 0 && line->ptr[0] == *pattern);
			*line = slice_after(*line, 1);
			continue;
		}
		pattern++;
		while (n < line->len &&
		    (dotted ? is_dotted_byte(line->ptr[n])
			    : is_name_byte(line->ptr[n])))
			n++;
		assert(n > 0 && n <= PART_MAX);
		*line = slice_after(*line, n);
	}
}

static void
take_value(struct slice *line, const struct metric *metric)
{
	size_t whole;

	assert(slice_take(line, SLICE(":")));
	whole = slice_digits(*line);
	assert(whole > 0 && whole <= 23);
	*line = slice_after(*line, whole);
	if (metric->type != METRIC_COUNTER && slice_take(line, SLICE("."))) {
		assert(slice_digits(*line) > 0);
		*line = slice_after(*line, slice_digits(*line));
	}
	assert(slice_take(line, SLICE("|")));
	assert(slice_take(line, metric_type_text(metric->type)));
}

static void
check_line(const struct sample *sample, bool tagged)
{
	const struct metric *metric = &metrics[sample->metric];
	const struct line_style style = {SLICE("p."), tagged, SLICE("env:x")};
	bool dotted = metric->family == FAMILY_CUSTOM;
	char name[LINE_BYTES_MAX], text[LINE_BYTES_MAX];
	struct buf bucket = BUF_IN(name), t = BUF_IN(text);
	struct slice line;

	line_put_bucket(&bucket, SLICE("shop"), sample);
	line_put(&t, &style, SLICE("shop"), buf_slice(&bucket), sample);
	assert(!bucket.truncated && !t.truncated);
	line = buf_slice(&t);
	assert(slice_take(&line, SLICE("p.")));
	if (!tagged)
		assert(slice_take(&line, SLICE("shop.")));
	take_pattern(&line, tagged ? metric->tagged : metric->plain, dotted);
	take_value(&line, metric);
	if (tagged) {
		assert(slice_take(&line, SLICE("|#app:shop")));
		if (metric->tags[0] != '\0')
			assert(slice_take(&line, SLICE(",")));
		take_pattern(&line, metric->tags, false);
		assert(slice_take(&line, SLICE(",env:x")));
	}
	assert(line.len == 0);
}

static void
check_sample(void *context, const struct sample *sample)
{
	const unsigned *families = context;

	assert(*families & FAMILY_BIT(metrics[sample->metric].family));
	check_line(sample, false);
	check_line(sample, true);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tally tally;
	struct slice rest = {(const char *)data, size}, line;
	struct heroku_rules rules = {
	    {ERROR_LEVEL_ERROR | ERROR_LEVEL_WARNING, false}, 0};

	if (size < 1)
		return 0;
	rules.families = data[0] == 'a' ? ~0u : (unsigned)data[0] << 1 | 1;
	rest = slice_after(rest, 1);
	tally_reset(&tally);
	while (slice_take_element(&rest, '\n', &line)) {
		uint64_t before = tally.counts[METRIC_REQUESTS];
		struct syslog_msg m;
		size_t writer;

		if (line.len == 0)
			continue;
		writer = (unsigned char)line.ptr[0] %
		    (sizeof(writers) / sizeof(writers[0]));
		m = (struct syslog_msg){writers[writer].app_name,
		    writers[writer].procid, fuzz_copy(slice_after(line, 1))};
		tally.messages++;
		heroku_read(&m, &rules, &tally);
		assert(tally.counts[METRIC_REQUESTS] >= before);
		fuzz_release(); /* the tally has its own copies */
	}
	tally_each(&tally, check_sample, &rules.families);
	return 0;
}
