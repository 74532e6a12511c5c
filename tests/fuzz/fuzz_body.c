/*
 * A request's body: framing, header and verdict of every message.
 *
 * Asserted: the counts agree with each other; every message lies where its
 * offset says, each after the previous one; a body counts as much as its parts,
 * cut between two frames; what is cut within a frame is a fault; --explain
 * says the same, except of text that looks like the output of `heroku logs`.
 */
#include <stdio.h>

#include "heroku/batch.h"
#include "cli/explain.h"
#include "cli/heroku_logs.h"
#include "fuzz.h"

static const struct heroku_rules rules[] = {
    {{ERROR_LEVEL_ERROR | ERROR_LEVEL_WARNING, false}, 1},
    {{ERROR_LEVEL_ERROR | ERROR_LEVEL_WARNING | ERROR_LEVEL_INFO, true},
	(1 << METRIC_FAMILIES) - 1},
};

static struct config config = {.collector_count = 2};
static struct explain job = {.config = &config};

static bool
lies_in(struct slice inner, struct slice outer)
{
	return inner.len <= outer.len && inner.ptr >= outer.ptr &&
	    inner.ptr + inner.len <= outer.ptr + outer.len;
}

/* The end of some frame, chosen by the body's length; or the fault's place. */
static size_t
walk(struct slice body, enum frame_result *result)
{
	struct batch batch = batch_of(body);
	struct batch_message message = {0};
	size_t before = 0, end = 0, number = 0;

	while ((*result = batch_next(&batch, &message)) == FRAME_OK) {
		assert(message.number == ++number);
		assert(message.offset >= before && message.offset < body.len);
		assert(body.ptr[message.offset] >= '1' &&
		    body.ptr[message.offset] <= '9');
		assert(lies_in(message.syslog_msg, body));
		assert(message.skipped ||
		    lies_in(message.header.msg, message.syslog_msg));
		before = slice_offset(body, batch.rest);
		if (number <= body.len % 5 + 1)
			end = before;
	}
	if (*result == FRAME_END)
		assert(slice_offset(body, batch.rest) == body.len);
	else
		assert(message.offset >= before && message.offset < body.len &&
		    frame_reason(*result) != NULL);
	return end;
}

static void
count(struct slice body, const struct heroku_rules *r, struct tally *tally,
    enum frame_result *result)
{
	struct batch_message message;

	tally_reset(tally);
	*result = batch_count(body, r, tally, &message);
	fuzz_check_tally(tally);
}

static uint64_t
error_count(const struct tally *tally, size_t code)
{
	bucket_number n = tally->codes[code];

	return n == 0 ? 0 : tally->buckets[n - 1].count;
}

static void
check_parts(struct slice body, const struct heroku_rules *r, size_t cut)
{
	static struct tally whole, front, back;
	enum frame_result all, first, second;

	count(body, r, &whole, &all);
	count(fuzz_copy(slice_head(body, cut)), r, &front, &first);
	count(fuzz_copy(slice_after(body, cut)), r, &back, &second);
	assert(first == FRAME_END && second == all);
	assert(whole.messages == front.messages + back.messages);
	assert(whole.skipped == front.skipped + back.skipped);
	assert(whole.errors == front.errors + back.errors);
	for (int m = 0; m < METRIC_BATCHES; m++)
		assert(whole.counts[m] == front.counts[m] + back.counts[m]);
	for (size_t i = 0; i < TALLY_CODES; i++)
		assert(error_count(&whole, i) ==
		    error_count(&front, i) + error_count(&back, i));
	if (cut > 0 && body.ptr[cut - 1] != '\n' && body.ptr[cut - 1] != '\r') {
		count(fuzz_copy(slice_head(body, cut - 1)), r, &front, &first);
		assert(first == FRAME_PARTIAL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *nowhere;
	struct slice body = fuzz_copy((struct slice){(const char *)data, size});

	if (nowhere == NULL)
		nowhere = fopen("/dev/null", "w");
	assert(nowhere != NULL);
	job.app = SLICE("app");
	job.out = job.err = nowhere;
	job.colour = body.len % 2 == 0;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		enum frame_result result;
		size_t cut = walk(body, &result);

		check_parts(body, &rules[i], cut);
		config.rules = rules[i];
		config.counting.families = rules[i].families;
		assert(explain(&job, body) ==
		    (result == FRAME_END || heroku_logs_is(body)));
	}
	fuzz_release();
	return 0;
}
