#include "cli/explain.h"

#include "base/buf.h"
#include "cli/heroku_logs.h"
#include "heroku/batch.h"
#include "statsd/line.h"

/* How many bytes of a message's text are shown. */
enum { TEXT_SHOWN = 60 };

/*
 * How wide a column is at least: on a terminal, where a tab goes to the next
 * multiple of 8, columns line up.  0 elsewhere: a tab ends each.
 */
struct widths {
	size_t verdict, why;
};

static void
print(FILE *out, const struct buf *line)
{
	fwrite(line->ptr, 1, line->len, out);
	fputc('\n', out);
}

static struct widths
widths_of(const struct explain *job)
{
	bool only_codes =
	    job->config->counting.families == FAMILY_BIT(FAMILY_ERRORS);

	if (!job->is_terminal)
		return (struct widths){0, 0};
	return (struct widths){only_codes ? 8 : 16, 24};
}

/* Ends a column whose text has len characters. */
static void
end_column(struct buf *line, size_t len, size_t width)
{
	size_t tabs = len < width ? (width - len + 7) / 8 : 1;

	for (; tabs > 0; tabs--)
		buf_put(line, SLICE("\t"));
}

static void
print_head(const struct explain *job)
{
	char buf[64];
	struct buf line = BUF_IN(buf);
	struct widths widths = widths_of(job);

	buf_put(&line, SLICE("number\toffset\tverdict"));
	end_column(&line, strlen("verdict"), widths.verdict);
	buf_put(&line, SLICE("why"));
	end_column(&line, strlen("why"), widths.why);
	buf_put(&line, SLICE("text"));
	print(job->out, &line);
}

enum colour {
	COLOUR_ERROR,
	COLOUR_METRIC,
	COLOUR_SKIPPED,
	COLOUR_PASSED,
	COLOUR_NONE
};

/* Red, green, yellow, faint. */
static void
put_coloured(struct buf *line, enum colour colour, struct slice s)
{
	static const char *const escapes[] = {
	    [COLOUR_ERROR] = "\x1b[1;31m",
	    [COLOUR_METRIC] = "\x1b[32m",
	    [COLOUR_SKIPPED] = "\x1b[33m",
	    [COLOUR_PASSED] = "\x1b[2m",
	};

	if (colour != COLOUR_NONE)
		buf_put_string(line, escapes[colour]);
	buf_put(line, s);
	if (colour != COLOUR_NONE)
		buf_put(line, SLICE("\x1b[0m"));
}

/* What a message may be besides an error. */
static const struct {
	struct slice name;
	unsigned families;
	const char *reason;
} kinds[] = {
    {{"loss", 4}, FAMILY_BIT(FAMILY_LOSS), NULL}, /* it is an error too */
    {{"router", 6},
	FAMILY_BIT(FAMILY_ROUTER) | FAMILY_BIT(FAMILY_LATENCY) |
	    FAMILY_BIT(FAMILY_TIMINGS),
	"a request"},
    {{"dyno", 4}, FAMILY_BIT(FAMILY_DYNOS), "a dyno's line"},
    {{"release", 7}, FAMILY_BIT(FAMILY_RELEASES), "a line of the API"},
    {{"addon", 5}, FAMILY_BIT(FAMILY_ADDONS), "an add-on's samples"},
    {{"custom", 6}, FAMILY_BIT(FAMILY_CUSTOM), "application's metrics"},
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* The verdict on a message: its code, what else it yields, or neither. */
static void
put_verdict(struct buf *line, const struct batch_message *m,
    const struct heroku_reading *reading)
{
	size_t before = line->len;

	if (m->skipped)
		buf_put(line, SLICE("skipped"));
	else if (error_counts(reading->verdict))
		buf_put(line, error_code_slice(&reading->code));
	for (size_t i = 0; i < KINDS; i++) {
		if (!(reading->families & kinds[i].families))
			continue;
		if (line->len > before)
			buf_put(line, SLICE(","));
		buf_put(line, kinds[i].name);
	}
	if (line->len == before)
		buf_put(line, SLICE("-"));
}

static enum colour
colour_of(const struct batch_message *m, const struct heroku_reading *reading)
{
	if (m->skipped)
		return COLOUR_SKIPPED;
	if (error_counts(reading->verdict))
		return COLOUR_ERROR;
	return reading->families != 0 ? COLOUR_METRIC : COLOUR_PASSED;
}

/* The reason for the verdict. */
static const char *
reason_of(const struct batch_message *m, const struct heroku_reading *reading)
{
	if (m->skipped)
		return "header cannot be read";
	if (error_counts(reading->verdict))
		return error_reason(reading->verdict);
	for (size_t i = 0; i < KINDS; i++)
		if (reading->families & kinds[i].families)
			return kinds[i].reason;
	return error_reason(reading->verdict);
}

static void
print_message(const struct explain *job, const struct batch_message *m,
    const struct heroku_reading *reading)
{
	char buf[TEXT_SHOWN * sizeof("\\x00") + 512], verdict_buf[64];
	struct buf line = BUF_IN(buf), verdict = BUF_IN(verdict_buf);
	struct widths widths = widths_of(job);
	size_t why;

	buf_put_number(&line, m->number);
	buf_put(&line, SLICE("\t"));
	buf_put_number(&line, m->offset);
	buf_put(&line, SLICE("\t"));
	put_verdict(&verdict, m, reading);
	put_coloured(&line, job->colour ? colour_of(m, reading) : COLOUR_NONE,
	    buf_slice(&verdict));
	end_column(&line, verdict.len, widths.verdict);
	why = line.len;
	buf_put_string(&line, reason_of(m, reading));
	if (reading->flaw != NULL)
		buf_put(&line, SLICE("; "));
	buf_put_string(&line, reading->flaw);
	end_column(&line, line.len - why, widths.why);
	buf_put_visible(&line,
	    slice_head(m->skipped ? m->syslog_msg : m->header.msg, TEXT_SHOWN));
	print(job->out, &line);
}

static void
print_fault(const struct explain *job, const struct batch_message *m,
    enum frame_result fault)
{
	fprintf(job->out, "fault\t%zu\t%s\n", m->offset, frame_reason(fault));
	fflush(job->out);
	if (m->offset == 0 && fault == FRAME_NO_MSG_LEN)
		fputs("this is neither a drain body nor the output of heroku "
		      "logs\n",
		    job->err);
	fprintf(job->err,
	    "a framing fault in message %zu, at byte %zu: the whole batch "
	    "would be refused with 422 and nothing counted\n",
	    m->number, m->offset);
}

/* The lines of a tally, while they are printed. */
struct printing {
	const struct explain *job;
	size_t lines;
};

static void
print_line(void *context, const struct sample *sample)
{
	struct printing *printing = context;
	const struct config *config = printing->job->config;
	struct slice app = counting_name(&config->counting, printing->job->app);
	char buf[HOST_MAX + 32 + LINE_BYTES_MAX], name[LINE_BYTES_MAX];
	struct buf line = BUF_IN(buf), bucket = BUF_IN(name);
	const struct uri *collector;
	struct line_style style;

	line_put_bucket(&bucket, app, sample);
	collector = &config->collectors[line_owner(
	    buf_slice(&bucket), config->collector_count)];
	style = uri_line_style(collector, config->counting.tags);
	uri_put_address(&line, collector);
	buf_put(&line, SLICE("\t"));
	line_put(&line, &style, app, buf_slice(&bucket), sample);
	print(printing->job->out, &line);
	printing->lines++;
}

static const char *
plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static void
print_lines(const struct explain *job, const struct tally *tally)
{
	struct printing printing = {job, 0};

	fputc('\n', job->out);
	tally_each(tally, print_line, &printing);
	fflush(job->out);
	fprintf(job->err,
	    "%zu message%s: %zu platform error%s, %zu line%s, %zu skipped\n",
	    tally->messages, plural(tally->messages), tally->errors,
	    plural(tally->errors), printing.lines, plural(printing.lines),
	    tally->skipped);
}

/* A message of either form; FRAME_END ends the input. */
static enum frame_result
next_message(struct batch *input, bool is_log, struct batch_message *m)
{
	if (!is_log)
		return batch_next(input, m);
	m->number++;
	m->offset = slice_offset(input->body, input->rest);
	if (!slice_take_element(&input->rest, '\n', &m->syslog_msg))
		return FRAME_END;
	m->skipped = !heroku_logs_read(m->syslog_msg, &m->header);
	return FRAME_OK;
}

bool
explain(const struct explain *job, struct slice input)
{
	static struct tally tally;
	const struct config *config = job->config;
	struct batch batch = batch_of(input);
	struct batch_message message = {0};
	enum frame_result result;
	bool is_log = heroku_logs_is(input);

	tally_reset(&tally);
	if (job->is_terminal)
		print_head(job);
	while ((result = next_message(&batch, is_log, &message)) == FRAME_OK) {
		struct heroku_reading reading =
		    batch_tally(&message, &config->rules, &tally);

		print_message(job, &message, &reading);
	}
	if (result != FRAME_END) {
		print_fault(job, &message, result);
		return false;
	}
	batch_end(&config->rules, &tally);
	counting_tally_zeros(&config->counting, &tally, &tally);
	print_lines(job, &tally);
	return true;
}
