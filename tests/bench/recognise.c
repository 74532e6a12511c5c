/*
 * How fast bodies are recognised - framing, header, verdict, tally - in one
 * process, on one core, beside bounds over the same bytes: copying them,
 * hopping over the frames by their lengths alone, and hopping plus what is the
 * least for a header, six memchr and a compare of what follows it.
 *
 *	recognise [seconds of a round]
 */
#include <stdio.h>
#include <stdlib.h>

#include "heroku/batch.h"
#include "bounds.h"
#include "corpus.h"
#include "measure.h"
#include "../plain.h"

static const struct heroku_rules rules = {
    {ERROR_LEVEL_ERROR | ERROR_LEVEL_WARNING, false},
    FAMILY_BIT(FAMILY_ERRORS)};

/* Bodies of so many messages each, one behind the other. */
struct bodies {
	char *bytes;
	size_t count;
	size_t *ends; /* of each body */
	size_t messages;
	size_t errors;
};

/* Keeps the compiler from leaving out what nobody looks at. */
static volatile size_t seen;

static void
make_bodies(struct bodies *b, size_t messages, size_t batch, unsigned share)
{
	struct corpus corpus = corpus_new(share);
	size_t size = (messages + 8) * 512;
	struct buf text = {malloc(size), 0, size, false};

	b->ends = calloc(messages, sizeof(b->ends[0]));
	if (text.ptr == NULL || b->ends == NULL)
		measure_fail("no memory for %zu messages", messages);
	b->count = messages / batch;
	for (size_t i = 0; i < b->count; i++) {
		corpus_put(&corpus, &text, batch, size);
		b->ends[i] = text.len;
	}
	if (text.truncated)
		measure_fail("the corpus is longer than expected");
	b->bytes = text.ptr;
	b->messages = messages;
	b->errors = corpus.errors;
}

static void
free_bodies(struct bodies *b)
{
	free(b->bytes);
	free(b->ends);
}

static size_t
bodies_len(const struct bodies *b)
{
	return b->ends[b->count - 1];
}

static void
each_body(const struct bodies *b, size_t (*function)(struct slice body))
{
	size_t start = 0, result = 0;

	for (size_t i = 0; i < b->count; i++) {
		result += function(
		    (struct slice){b->bytes + start, b->ends[i] - start});
		start = b->ends[i];
	}
	seen = result;
}

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

static struct tally tally;

static size_t
recognise(struct slice body)
{
	struct batch_message fault;

	tally_reset(&tally);
	if (batch_count(body, &rules, &tally, &fault) != FRAME_END)
		measure_fail("a body has a fault at %zu", fault.offset);
	return tally.errors;
}

/* All families of counters; and the least that any of them needs. */
static const struct heroku_rules families = {
    {ERROR_LEVEL_ERROR | ERROR_LEVEL_WARNING, false},
    ((1U << METRIC_FAMILIES) - 1) & ~FAMILY_BIT(FAMILY_TIMINGS) &
	~FAMILY_BIT(FAMILY_CUSTOM)};

static size_t
count_families(struct slice body)
{
	struct batch_message fault;

	tally_reset(&tally);
	if (batch_count(body, &families, &tally, &fault) != FRAME_END)
		measure_fail("a body has a fault at %zu", fault.offset);
	return tally.errors;
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

static void
run_copy(const void *bodies)
{
	each_body(bodies, copy);
}

static void
run_hop(const void *bodies)
{
	each_body(bodies, hop);
}

static void
run_hop_memchr(const void *bodies)
{
	each_body(bodies, hop_memchr);
}

static void
run_recognise(const void *bodies)
{
	each_body(bodies, recognise);
}

static void
run_families(const void *bodies)
{
	each_body(bodies, count_families);
}

static void
run_pairs(const void *bodies)
{
	each_body(bodies, scan_pairs);
}

static void
print_families(double seconds)
{
	puts("\nAll families of counters, 1,000 messages a body.\n\n"
	     "| messages | recognise errors, ns | plain scan of every pair, ns "
	     "| all "
	     "families, ns | of the scan |\n|-|-|-|-|-|");
	for (size_t set = 1000; set <= 100000; set *= 100) {
		struct bodies b;
		struct measured m[] = {{"recognise", run_recognise, &b, {0}},
		    {"pairs", run_pairs, &b, {0}},
		    {"families", run_families, &b, {0}}};

		make_bodies(&b, set, 1000, CORPUS_ERRORS);
		measure_in_turns(m, 3, seconds);
		printf("| %zu |", set);
		for (size_t i = 0; i < 3; i++)
			printf(" %.0f |",
			    measure_median(&m[i]) * 1e9 / (double)set);
		printf(" %.2f |\n", measure_ratio(&m[2], &m[1]));
		free_bodies(&b);
	}
}

/* What is measured must be what was generated. */
static void
verify(const struct bodies *b)
{
	run_recognise(b);
	if (seen != b->errors)
		measure_fail("%zu errors found of %zu", seen, b->errors);
	run_hop(b);
	if (seen != b->messages)
		measure_fail("%zu messages hopped of %zu", seen, b->messages);
}

enum { COPY, HOP, HOP_MEMCHR, RECOGNISE, CONTESTANTS };

static void
print_contest(size_t set, size_t batch, double seconds)
{
	struct bodies b;
	struct measured m[CONTESTANTS] = {
	    [COPY] = {"memcpy", run_copy, &b, {0}},
	    [HOP] = {"hop", run_hop, &b, {0}},
	    [HOP_MEMCHR] = {"hop + six memchr", run_hop_memchr, &b, {0}},
	    [RECOGNISE] = {"recognise", run_recognise, &b, {0}},
	};

	make_bodies(&b, set, batch, CORPUS_ERRORS);
	verify(&b);
	measure_in_turns(m, CONTESTANTS, seconds);
	printf("| %zu | %.1f MB |", batch, (double)bodies_len(&b) / 1e6);
	for (size_t i = 0; i < CONTESTANTS; i++)
		printf(" %.1f |",
		    (double)bodies_len(&b) / measure_median(&m[i]) / 1e9);
	printf(" %.0f | %.0f | %.2f | %.2f |\n",
	    measure_median(&m[RECOGNISE]) * 1e9 / (double)set,
	    (double)set / measure_median(&m[RECOGNISE]) / 1e6,
	    measure_ratio(&m[COPY], &m[RECOGNISE]),
	    measure_ratio(&m[HOP_MEMCHR], &m[RECOGNISE]));
	free_bodies(&b);
}

static void
print_contests(double seconds)
{
	puts("Recognising, in process, one core: GB/s of bodies. The first set "
	     "stays in\nthe L2 cache, the second does not.\n\n"
	     "| messages a body | set | memcpy | hop | hop + six memchr | "
	     "recognise | ns a message | million messages/s | of memcpy | "
	     "of hop + six memchr |\n|-|-|-|-|-|-|-|-|-|-|");
	for (size_t set = 1000; set <= 100000; set *= 100)
		for (size_t batch = 1; batch <= 1000; batch *= 10)
			print_contest(set, batch, seconds);
}

static void
print_growth(double seconds)
{
	puts("\nGrowth with the body.\n\n"
	     "| body | us | ns a byte |\n|-|-|-|");
	for (size_t kb = 1; kb <= 8192; kb *= 2) {
		struct bodies b;
		struct measured m = {"recognise", run_recognise, &b, {0}};
		size_t messages = kb * 1024 / 272;

		make_bodies(&b, messages, messages, CORPUS_ERRORS);
		verify(&b);
		measure_in_turns(&m, 1, seconds);
		printf("| %zu KB | %.1f | %.3f |\n", kb,
		    measure_median(&m) * 1e6,
		    measure_median(&m) * 1e9 / (double)bodies_len(&b));
		free_bodies(&b);
	}
}

static void
print_shares(double seconds)
{
	static const unsigned shares[] = {0, 30, 100, 300, 1000};

	puts("\nGrowth with the share of platform errors, 1,000 messages.\n\n"
	     "| errors | ns a message | ns a byte |\n|-|-|-|");
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		struct bodies b;
		struct measured m = {"recognise", run_recognise, &b, {0}};

		make_bodies(&b, 1000, 1000, shares[i]);
		verify(&b);
		measure_in_turns(&m, 1, seconds);
		printf("| %u %% | %.0f | %.3f |\n", shares[i] / 10,
		    measure_median(&m) * 1e6,
		    measure_median(&m) * 1e9 / (double)bodies_len(&b));
		free_bodies(&b);
	}
}

/* A frame that is repeated to fill a body: its text, and what it counts. */
static const struct worst {
	const char *name;
	const char *head, *unit; /* the frame is head, then units up to len */
	size_t len;
	size_t errors;
} worsts[] = {
    {"frames of one byte", "x", "", 1, 0},
    {"headers that break off", "<1>1 a b c d", "", 12, 0},
    {"messages without text", "<1>1 a b c d -", "", 14, 0},
    {"short Error lines", "<1>1 a b c d e Error R14", "", 24, 1},
    {"short router lines", "<1>1 a b c d e at=error code=H12", "", 32, 1},
    {"pairs without at and code", "<1>1 a b c d e H=1", " a=1", 10000, 0},
    {"one such line in all", "<1>1 a b c d e H=1", " a=1", 8000000, 0},
    {"empty values", "<1>1 a b c d e H=1", " a=", 10000, 0},
    {"quoted escapes", "<1>1 a b c d e H=\"", "\\\\", 10000, 0},
    {"pairs after structured data", "<1>1 a b c d e - H=1", " a=1", 10000, 0},
    {"structured data of many elements", "<1>1 a b c d e ", "[a b=\"c\"]",
	10000, 0},
    {"fields that never end", "<1>1 a ", "b", 10000, 0},
    {"white space", "<1>1 a b c d e H=1", " ", 10000, 0},
};

static void
make_worst(struct bodies *b, const struct worst *w)
{
	size_t size = BODY_MAX;
	struct buf text = {malloc(size), 0, size, false};

	b->ends = calloc(1, sizeof(b->ends[0]));
	if (text.ptr == NULL || b->ends == NULL)
		measure_fail("no memory for a body");
	b->messages = b->errors = 0;
	do {
		size_t end;

		buf_put_number(&text, w->len);
		buf_put(&text, SLICE(" "));
		end = text.len + w->len;
		buf_put_string(&text, w->head);
		while (text.len < end)
			buf_put(&text,
			    slice_head(slice_of(w->unit), end - text.len));
		b->messages++;
		b->errors += w->errors;
	} while (text.len < 200000);
	b->bytes = text.ptr;
	b->count = 1;
	b->ends[0] = text.len;
}

static void
print_worst(double seconds)
{
	struct bodies usual, b;
	struct measured m[] = {
	    {"usual", run_recognise, &usual, {0}},
	    {"worst", run_recognise, &b, {0}},
	};

	make_bodies(&usual, 1000, 1000, CORPUS_ERRORS);
	puts("\nBodies that make it work hard, of 200 KB and more.\n\n"
	     "| body | ns a byte | times the usual body |\n|-|-|-|");
	for (size_t i = 0; i < sizeof(worsts) / sizeof(worsts[0]); i++) {
		double bytes, usual_bytes = (double)bodies_len(&usual);

		make_worst(&b, &worsts[i]);
		verify(&b);
		measure_in_turns(m, 2, seconds);
		bytes = (double)bodies_len(&b);
		printf("| %s | %.3f | %.1f |\n", worsts[i].name,
		    measure_median(&m[1]) * 1e9 / bytes,
		    measure_ratio(&m[1], &m[0]) * usual_bytes / bytes);
		free_bodies(&b);
	}
	free_bodies(&usual);
}

int
main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 0.02;

	print_contests(seconds);
	print_families(seconds);
	print_growth(seconds);
	print_shares(seconds);
	print_worst(seconds);
}
