/*
 * How fast bodies are recognised - framing, header, verdict, tally - in one
 * process, on one core, beside bounds over the same bytes: copying them,
 * hopping over the frames by their lengths alone, hopping plus what is the
 * least for a header, six memchr and a compare of what follows it; and, for all
 * families of counters, reading every logfmt pair, byte by byte.
 *
 *	recognise [seconds of a round]
 */
#include <stdio.h>
#include <stdlib.h>

#include "bounds.h"
#include "corpus.h"
#include "measure.h"
#include "set.h"
#include "../plain.h"

static size_t
copy(struct slice body)
{
	static char target[BODY_MAX];

	memcpy(target, body.ptr, body.len);
	return (size_t)target[body.len / 2];
}

static bool
hop_one(struct slice *rest, struct slice *message)
{
	size_t len;

	if (!slice_take_number(rest, MSG_LEN_DIGITS, &len))
		return false;
	*message = slice_head(slice_after(*rest, 1), len);
	*rest = slice_after(*rest, len + 1);
	return true;
}

static size_t
hop(struct slice body)
{
	struct slice message;
	size_t messages = 0;

	while (hop_one(&body, &message))
		messages++;
	return messages;
}

static size_t
hop_memchr(struct slice body)
{
	struct slice message, field;
	size_t infos = 0;

	while (hop_one(&body, &message)) {
		for (int i = 0; i < 6; i++)
			slice_cut(&message, ' ', &field);
		infos += slice_starts_with(message, SLICE("at=info"));
	}
	return infos;
}

static size_t
scan_pairs(struct slice body)
{
	struct batch batch = batch_of(body);
	struct batch_message message = {0};
	struct logfmt_pair pair;
	size_t pairs = 0;

	while (batch_next(&batch, &message) == FRAME_OK)
		while (plain_logfmt_next(&message.header.msg, &pair))
			pairs++;
	return pairs;
}

enum { COPY, HOP, HOP_MEMCHR, PAIRS, ERRORS, COUNTERS, EVERYTHING, JOBS };

static size_t (*const functions[JOBS])(struct slice body) = {
    [COPY] = copy,
    [HOP] = hop,
    [HOP_MEMCHR] = hop_memchr,
    [PAIRS] = scan_pairs,
    [ERRORS] = set_count_errors,
    [COUNTERS] = set_count_counters,
    [EVERYTHING] = set_count_everything,
};

/* A set, and each function's time over it. */
struct contest {
	struct set set;
	struct job jobs[JOBS];
	struct measured m[JOBS];
};

/* What is measured must be what was generated. */
static void
verify(const struct contest *c)
{
	size_t errors = job_sum(&c->jobs[ERRORS]);
	size_t messages = job_sum(&c->jobs[HOP]);

	if (errors != c->set.errors)
		measure_fail("%zu errors found of %zu", errors, c->set.errors);
	if (messages != c->set.messages)
		measure_fail(
		    "%zu messages hopped of %zu", messages, c->set.messages);
}

/* Runs the functions from first to last. */
static void
hold(struct contest *c, size_t messages, size_t batch, size_t first,
    size_t last, double seconds)
{
	set_make(&c->set, messages, batch, CORPUS_ERRORS);
	for (size_t i = 0; i < JOBS; i++) {
		c->jobs[i] = (struct job){&c->set, functions[i]};
		c->m[i] = (struct measured){job_run, &c->jobs[i], {0}};
	}
	verify(c);
	measure_in_turns(c->m + first, last - first + 1, seconds);
}

static double
ns_a_message(const struct contest *c, size_t job)
{
	return measure_median(&c->m[job]) * 1e9 / (double)c->set.messages;
}

static void
print_bounds(size_t messages, size_t batch, double seconds)
{
	static const size_t shown[] = {COPY, HOP, HOP_MEMCHR, ERRORS};
	struct contest c;
	double bytes;

	hold(&c, messages, batch, COPY, ERRORS, seconds);
	bytes = (double)set_len(&c.set);
	printf("| %zu | %.1f MB |", batch, bytes / 1e6);
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		printf(" %.1f |", bytes / measure_median(&c.m[shown[i]]) / 1e9);
	printf(" %.0f |", ns_a_message(&c, ERRORS));
	measure_print_spread(measure_ratio(&c.m[HOP_MEMCHR], &c.m[ERRORS]));
	puts("");
	set_free(&c.set);
}

static void
print_families(size_t messages, double seconds)
{
	struct contest c;

	hold(&c, messages, 1000, PAIRS, EVERYTHING, seconds);
	printf("| %.1f MB |", (double)set_len(&c.set) / 1e6);
	for (size_t i = PAIRS; i <= EVERYTHING; i++)
		printf(" %.0f |", ns_a_message(&c, i));
	measure_print_spread(measure_ratio(&c.m[COUNTERS], &c.m[PAIRS]));
	puts("");
	set_free(&c.set);
}

int
main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 0.02;

	measure_table("recognising",
	    "| messages a body | set | memcpy | hop | hop + six memchr | "
	    "recognise | ns a message | of hop + six memchr |");
	for (size_t set = 1000; set <= 100000; set *= 100)
		for (size_t batch = 1; batch <= 1000; batch *= 10)
			print_bounds(set, batch, seconds);
	measure_table("families",
	    "| set | plain scan | errors alone | all counters | with timings "
	    "and custom | all counters, of the scan |");
	for (size_t set = 1000; set <= 100000; set *= 100)
		print_families(set, seconds);
}
