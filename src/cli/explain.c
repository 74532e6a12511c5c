#include "cli/explain.h"

#include "heroku/batch.h"
#include "statsd/line.h"

/* Bytes of a message's text that are shown. */
enum { TEXT_SHOWN = 60 };

static void
print(FILE *out, const struct buf *line)
{
	fwrite(line->ptr, 1, line->len, out);
	fputc('\n', out);
}

enum colour { COLOUR_COUNTED, COLOUR_SKIPPED, COLOUR_PASSED, COLOUR_NONE };

/* Red, yellow, faint. */
static void
put_coloured(struct buf *line, enum colour colour, struct slice s)
{
	static const char *const escapes[] = {
	    [COLOUR_COUNTED] = "\x1b[1;31m",
	    [COLOUR_SKIPPED] = "\x1b[33m",
	    [COLOUR_PASSED] = "\x1b[2m",
	};

	if (colour != COLOUR_NONE)
		buf_put_string(line, escapes[colour]);
	buf_put(line, s);
	if (colour != COLOUR_NONE)
		buf_put(line, SLICE("\x1b[0m"));
}

static void
put_column(struct buf *line, struct slice s)
{
	buf_put(line, s);
	buf_put(line, SLICE("\t"));
}

static void
put_numbers(struct buf *line, const struct batch_message *m)
{
	buf_put_number(line, m->number);
	buf_put(line, SLICE("\t"));
	buf_put_number(line, m->offset);
	buf_put(line, SLICE("\t"));
}

static struct slice
verdict_of(const struct batch_message *m)
{
	if (m->skipped)
		return SLICE("skipped");
	return heroku_counts(m->verdict) ? heroku_code_slice(&m->code)
					 : SLICE("-");
}

static enum colour
colour_of(const struct batch_message *m)
{
	if (m->skipped)
		return COLOUR_SKIPPED;
	return heroku_counts(m->verdict) ? COLOUR_COUNTED : COLOUR_PASSED;
}

static void
print_message(const struct explain *job, const struct batch_message *m)
{
	char buf[TEXT_SHOWN * sizeof("\\x00") + 256];
	struct buf line = BUF_IN(buf);

	put_numbers(&line, m);
	put_coloured(
	    &line, job->colour ? colour_of(m) : COLOUR_NONE, verdict_of(m));
	buf_put(&line, SLICE("\t"));
	put_column(&line,
	    m->skipped ? SLICE("its header cannot be read")
		       : slice_of(heroku_reason(m->verdict)));
	buf_put_visible(&line, slice_head(m->text, TEXT_SHOWN));
	print(job->out, &line);
}

static void
print_fault(const struct explain *job, const struct batch_message *m,
    enum frame_result fault)
{
	fprintf(job->out, "fault\t%zu\t%s\n", m->offset, frame_reason(fault));
	fflush(job->out);
	fprintf(job->err,
	    "a framing fault in message %zu, at byte %zu: the whole batch "
	    "would be answered 422 and nothing counted\n",
	    m->number, m->offset);
}

static void
print_counter(const struct explain *job, const struct statsd_counter *counter)
{
	const struct config *config = job->config;
	const struct uri *collector =
	    &config->collectors[line_owner(counter, config->collector_count)];
	char buf[HOST_MAX + PREFIX_MAX + LINE_BYTES_MAX + 32];
	struct buf line = BUF_IN(buf);

	uri_put_address(&line, collector);
	buf_put(&line, SLICE("\t"));
	line_put(&line, uri_prefix(collector), counter);
	print(job->out, &line);
}

static void
print_counters(const struct explain *job, const struct tally *tally)
{
	fputc('\n', job->out);
	for (size_t i = 0; i < tally->distinct; i++)
		print_counter(job,
		    &(struct statsd_counter){job->app,
			heroku_code_slice(&tally->codes[i]),
			tally_count(tally, &tally->codes[i])});
	fflush(job->out);
	fprintf(job->err,
	    "%zu messages: %zu platform errors of %zu codes, %zu skipped\n",
	    tally->messages, tally->errors, tally->distinct, tally->skipped);
}

bool
explain(const struct explain *job, struct slice body)
{
	static struct tally tally;
	struct batch batch = batch_of(body);
	struct batch_message message = {0};
	enum frame_result result;

	tally_reset(&tally);
	while ((result = batch_next(&batch, &job->config->rules, &message)) ==
	    FRAME_OK) {
		batch_tally(&message, &tally);
		print_message(job, &message);
	}
	if (result != FRAME_END)
		print_fault(job, &message, result);
	else
		print_counters(job, &tally);
	return result == FRAME_END;
}
