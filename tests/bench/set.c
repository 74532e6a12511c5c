#include "set.h"

#include <stdlib.h>

#include "corpus.h"
#include "measure.h"

#define ERRORS                                                                 \
	{                                                                      \
		ERROR_LEVEL_ERROR | ERROR_LEVEL_WARNING, false                 \
	}
#define EVERY_FAMILY ((1U << METRIC_FAMILIES) - 1)

const struct heroku_rules errors_alone = {ERRORS, FAMILY_BIT(FAMILY_ERRORS)};
const struct heroku_rules all_counters = {ERRORS,
    EVERY_FAMILY & ~FAMILY_BIT(FAMILY_TIMINGS) & ~FAMILY_BIT(FAMILY_CUSTOM)};
const struct heroku_rules everything = {ERRORS, EVERY_FAMILY};

void
set_init(struct set *set, size_t bodies, size_t size)
{
	*set = (struct set){.bytes = malloc(size),
	    .ends = calloc(bodies, sizeof(set->ends[0]))};
	if (set->bytes == NULL || set->ends == NULL)
		measure_fail("no memory for bodies of %zu bytes", size);
}

void
set_make(struct set *set, size_t messages, size_t batch, unsigned share)
{
	struct corpus corpus = corpus_new(share);
	size_t size = (messages + 8) * 512;
	struct buf text;

	set_init(set, messages / batch, size);
	text = (struct buf){set->bytes, 0, size, false};
	for (; set->count < messages / batch; set->count++) {
		corpus_put(&corpus, &text, batch, size);
		set->ends[set->count] = text.len;
	}
	if (text.truncated)
		measure_fail("the corpus is longer than expected");
	set->messages = messages;
	set->errors = corpus.errors;
}

void
set_free(struct set *set)
{
	free(set->bytes);
	free(set->ends);
}

size_t
set_len(const struct set *set)
{
	return set->ends[set->count - 1];
}

size_t
set_count(
    struct slice body, const struct heroku_rules *rules, struct tally *tally)
{
	struct batch_message fault;

	tally_reset(tally);
	if (batch_count(body, rules, tally, &fault) != FRAME_END)
		measure_fail("a body has a fault at %zu", fault.offset);
	return tally->errors;
}

struct tally set_tally;

size_t
set_count_errors(struct slice body)
{
	return set_count(body, &errors_alone, &set_tally);
}

size_t
set_count_counters(struct slice body)
{
	return set_count(body, &all_counters, &set_tally);
}

size_t
set_count_everything(struct slice body)
{
	return set_count(body, &everything, &set_tally);
}

static void
count_line(void *count, const struct sample *sample)
{
	(void)sample;
	++*(size_t *)count;
}

size_t
tally_lines(const struct tally *tally)
{
	size_t count = 0;

	tally_each(tally, count_line, &count);
	return count;
}

size_t
job_sum(const struct job *job)
{
	const struct set *set = job->set;
	size_t start = 0, sum = 0;

	for (size_t i = 0; i < set->count; i++) {
		sum += job->function(
		    (struct slice){set->bytes + start, set->ends[i] - start});
		start = set->ends[i];
	}
	return sum;
}

/* Keeps the compiler from leaving out what nobody looks at. */
static volatile size_t seen;

void
job_run(const void *job)
{
	seen = job_sum(job);
}
