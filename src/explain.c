#include "explain.h"

#include "batch.h"
#include "statsd.h"

/* Bytes of a message's text that are shown. */
enum { TEXT_SHOWN = 60 };

static void
print(FILE *out, const struct text *line)
{
	fwrite(line->ptr, 1, line->len, out);
	fputc('\n', out);
}

static void
put_column(struct text *line, struct slice s)
{
	text_put(line, s);
	text_put(line, SLICE("\t"));
}

static void
put_numbers(struct text *line, const struct batch_message *m)
{
	text_put_number(line, m->number);
	text_put(line, SLICE("\t"));
	text_put_number(line, m->offset);
	text_put(line, SLICE("\t"));
}

static struct slice
verdict_of(const struct batch_message *m)
{
	if (m->skipped)
		return SLICE("skipped");
	return heroku_counts(m->verdict) ? heroku_code_slice(&m->code)
					 : SLICE("-");
}

static void
print_message(const struct batch_message *m, FILE *out)
{
	char buf[TEXT_SHOWN * sizeof("\\x00") + 256];
	struct text line = TEXT_IN(buf);

	put_numbers(&line, m);
	put_column(&line, verdict_of(m));
	put_column(&line,
	    m->skipped ? SLICE("its header cannot be read")
		       : slice_of(heroku_reason(m->verdict)));
	text_put_visible(&line, slice_head(m->text, TEXT_SHOWN));
	print(out, &line);
}

static void
print_fault(const struct batch_message *m, enum frame_result fault, FILE *out)
{
	fprintf(out, "fault\t%zu\t%s\n", m->offset, frame_reason(fault));
}

static void
print_counter(const struct config *config, const struct statsd_counter *counter,
    FILE *out)
{
	const struct statsd_uri *collector =
	    &config->collectors[statsd_shard(counter, config->collector_count)];
	char buf[HOST_MAX + PREFIX_MAX + STATSD_LINE_MAX + 32];
	struct text line = TEXT_IN(buf);

	statsd_uri_put_address(&line, collector);
	text_put(&line, SLICE("\t"));
	statsd_put_line(&line, statsd_uri_prefix(collector), counter);
	print(out, &line);
}

bool
explain(
    const struct config *config, struct slice app, struct slice body, FILE *out)
{
	static struct tally tally;
	struct batch batch = batch_of(body);
	struct batch_message message = {0};
	enum frame_result result;

	tally_reset(&tally);
	while ((result = batch_next(&batch, &config->rules, &message)) ==
	    FRAME_OK) {
		batch_tally(&message, &tally);
		print_message(&message, out);
	}
	if (result != FRAME_END) {
		print_fault(&message, result, out);
		return false;
	}
	fputc('\n', out);
	for (size_t i = 0; i < tally.distinct; i++)
		print_counter(config,
		    &(struct statsd_counter){app,
			heroku_code_slice(&tally.codes[i]),
			tally_count(&tally, &tally.codes[i])},
		    out);
	return true;
}
