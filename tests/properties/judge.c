/*
 * Judges many bodies by the program's own functions, for a comparison with
 * another implementation.  Standard input holds records: a byte of rules (1, 2,
 * 4 for the levels error, warning, info; 8 for PLATFORM_ONLY), the body's
 * length as four bytes, little-endian, and the body.  For each, standard output
 * gets a line of tab-separated columns:
 *
 *	"ok", or "fault <offset> <message>"
 *	"<messages> <skipped> <errors>"
 *	"<code>=<count>" for each code, in order of appearance
 *	"<offset>:<verdict>" for each message: a code, "-" or "skipped"
 */
#include <stdio.h>
#include <stdlib.h>

#include "heroku/batch.h"

static void
print_code(void *context, const struct sample *sample)
{
	bool *more = context;

	printf("%s%.*s=%llu", *more ? " " : "",
	    SLICE_ARG(sample->parts[0].text),
	    (unsigned long long)sample->count);
	*more = true;
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
judge(struct slice body, const struct heroku_rules *rules)
{
	static struct tally tally, ignored;
	struct batch batch = batch_of(body);
	struct batch_message message;
	enum frame_result result;
	bool more = false;

	tally_reset(&tally);
	result = batch_count(body, rules, &tally, &message);
	if (result == FRAME_END)
		fputs("ok", stdout);
	else
		printf("fault %zu %zu", message.offset, message.number);
	printf("\t%zu %zu %zu\t", tally.messages, tally.skipped, tally.errors);
	tally_each(&tally, print_code, &more);
	fputs("\t", stdout);
	message = (struct batch_message){0};
	tally_reset(&ignored);
	while (batch_next(&batch, &message) == FRAME_OK) {
		struct heroku_reading reading =
		    batch_tally(&message, rules, &ignored);

		print_message(&message, &reading);
	}
	fputs("\n", stdout);
}

int
main(void)
{
	unsigned char head[5];

	while (fread(head, 1, sizeof(head), stdin) == sizeof(head)) {
		struct heroku_rules rules = {{head[0] & 7, (head[0] & 8) != 0},
		    FAMILY_BIT(FAMILY_ERRORS)};
		size_t len = head[1] | (size_t)head[2] << 8 |
		    (size_t)head[3] << 16 | (size_t)head[4] << 24;
		char *body = malloc(len + (len == 0));

		if (body == NULL || fread(body, 1, len, stdin) != len)
			return 1;
		judge((struct slice){body, len}, &rules);
		free(body);
	}
	return 0;
}
