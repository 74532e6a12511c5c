/*
 * Judges many bodies by the program's own functions, for a comparison with
 * another implementation.  Standard input holds records: a byte of rules (1, 2,
 * 4 for the levels error, warning, info; 8 for PLATFORM_ONLY), the families as
 * two bytes of bits, the body's length as four bytes, little-endian, and the
 * body.  For each, standard output gets a line of tab-separated columns:
 *
 *	"ok", or "fault <offset> <message>"
 *	"<messages> <skipped> <errors> <left out>"
 *	"<offset>:<verdict>" for each message: a code, "-" or "skipped"
 *	each line for the application "shop", as it is sent
 *	each line with tags, the last "env:test"
 */
#include <stdio.h>
#include <stdlib.h>

#include "heroku/batch.h"
#include "statsd/line.h"

static const struct slice app = {"shop", 4};

static void
print_line(void *context, const struct sample *sample)
{
	const struct line_style *style = context;
	char bucket[LINE_BYTES_MAX], line[LINE_BYTES_MAX];
	struct buf name = BUF_IN(bucket), text = BUF_IN(line);

	line_put_bucket(&name, app, sample);
	line_put(&text, style, app, buf_slice(&name), sample);
	printf("%.*s ", SLICE_ARG(buf_slice(&text)));
}

static void
print_lines(const struct tally *tally)
{
	struct line_style plain = {.tagged = false};
	struct line_style tagged = {.tagged = true, .tags = SLICE("env:test")};

	fputs("\t", stdout);
	tally_each(tally, print_line, &plain);
	fputs("\t", stdout);
	tally_each(tally, print_line, &tagged);
}

static void
print_message(
    const struct batch_message *m, const struct heroku_reading *reading)
{
	printf("%s%zu:", m->number > 1 ? " " : "", m->offset);
	if (m->skipped)
		fputs("skipped", stdout);
	else if (error_counts(reading->verdict))
		printf("%.*s", SLICE_ARG(error_code_slice(&reading->code)));
	else
		fputs("-", stdout);
}

static void
print_verdicts(struct slice body, const struct heroku_rules *rules)
{
	static struct tally ignored;
	struct batch batch = batch_of(body);
	struct batch_message message = {0};

	tally_reset(&ignored);
	while (batch_next(&batch, &message) == FRAME_OK) {
		struct heroku_reading reading =
		    batch_tally(&message, rules, &ignored);

		print_message(&message, &reading);
	}
}

static void
judge(struct slice body, const struct heroku_rules *rules)
{
	static struct tally tally;
	struct batch_message message;
	enum frame_result result;

	tally_reset(&tally);
	result = batch_count(body, rules, &tally, &message);
	if (result == FRAME_END)
		fputs("ok", stdout);
	else
		printf("fault %zu %zu", message.offset, message.number);
	printf("\t%zu %zu %zu %zu\t", tally.messages, tally.skipped,
	    tally.errors, tally.left_out);
	print_verdicts(body, rules);
	if (result == FRAME_END)
		print_lines(&tally);
	fputs("\n", stdout);
	fflush(stdout);
}

int
main(void)
{
	unsigned char head[7];

	while (fread(head, 1, sizeof(head), stdin) == sizeof(head)) {
		struct heroku_rules rules = {{head[0] & 7, (head[0] & 8) != 0},
		    head[1] | (unsigned)head[2] << 8};
		size_t len = head[3] | (size_t)head[4] << 8 |
		    (size_t)head[5] << 16 | (size_t)head[6] << 24;
		char *body = malloc(len + (len == 0));

		if (body == NULL || fread(body, 1, len, stdin) != len)
			return 1;
		judge((struct slice){body, len}, &rules);
		free(body);
	}
	return 0;
}
