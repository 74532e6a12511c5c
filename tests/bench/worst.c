/*
 * Bodies that make the program work hard: what a byte of them costs, beside a
 * byte of the usual body, how long the largest body of that kind takes with all
 * families on, and how long it takes to send what it gives.
 *
 *	worst [seconds of a round]
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "bounds.h"
#include "corpus.h"
#include "measure.h"
#include "set.h"
#include "sink.h"
#include "statsd/send.h"

/* Every % stands for a number that rises. */
static const struct kind {
	const char *name;
	const char *head, *unit; /* a frame is head, then units up to len */
	size_t len;              /* 0: of the head */
	size_t errors;           /* that a frame counts */
} kinds[] = {
    {"frames of one byte", "x", "", 0, 0},
    {"headers that break off", "<1>1 a b c d", "", 0, 0},
    {"messages without text", "<1>1 a b c d -", "", 0, 0},
    {"short Error lines", "<1>1 a b c d e Error R14", "", 0, 1},
    {"short router lines", "<1>1 a b c d e at=error code=H12", "", 0, 1},
    {"pairs without at and code", "<1>1 a b c d e H=1", " a=1", 10000, 0},
    {"one such line in all", "<1>1 a b c d e H=1", " a=1", 8000000, 0},
    {"empty values", "<1>1 a b c d e H=1", " a=", 10000, 0},
    {"quoted escapes", "<1>1 a b c d e H=\"", "\\\\", 10000, 0},
    {"pairs after structured data", "<1>1 a b c d e - H=1", " a=1", 10000, 0},
    {"structured data of many elements", "<1>1 a b c d e ", "[a b=\"c\"]",
	10000, 0},
    {"fields that never end", "<1>1 a ", "b", 10000, 0},
    {"white space", "<1>1 a b c d e H=1", " ", 10000, 0},
    {"short requests", "<1>1 a b heroku router - at=a service=1 connect=1", "",
	0, 0},
    {"samples of one dyno", "<1>1 a b heroku a.1 -", " sample#memory_quota=1",
	10000, 0},
    {"a dyno in each line", "<1>1 a b heroku a.% - sample#memory_quota=1", "",
	0, 0},
    {"an exit in each line",
	"<1>1 a b heroku a%.1 - Process exited with "
	"status 1",
	"", 0, 0},
    {"new samples of one add-on", "<1>1 a b app heroku-redis - addon=a",
	" sample#%=1", 10000, 0},
    {"samples without an add-on", "<1>1 a b app heroku-redis -", " sample#a=1",
	10000, 0},
    {"a time in each line", "<1>1 a b app a.1 - measure#a=0.001s", "", 0, 0},
    {"new times of an application", "<1>1 a b app a.1 -", " measure#%=0.001s",
	10000, 0},
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]), USUAL = 200000, MANY = 1000 };

static void
put_pattern(struct buf *t, const char *pattern, size_t *number)
{
	struct slice rest = slice_of(pattern), before;

	while (slice_cut(&rest, '%', &before)) {
		buf_put(t, before);
		buf_put_number(t, (*number)++);
	}
	buf_put(t, rest);
}

/* Adds a frame; its last unit may be cut. */
static void
put_frame(struct buf *t, const struct kind *kind, size_t *number)
{
	static char bytes[BODY_MAX];
	struct buf frame = BUF_IN(bytes);
	size_t len;

	put_pattern(&frame, kind->head, number);
	len = kind->len > 0 ? kind->len : frame.len;
	while (frame.len < len) {
		char unit[64];
		struct buf u = BUF_IN(unit);

		put_pattern(&u, kind->unit, number);
		buf_put(&frame, slice_head(buf_slice(&u), len - frame.len));
	}
	buf_put_number(t, frame.len);
	buf_put(t, SLICE(" "));
	buf_put(t, buf_slice(&frame));
}

/* One body of at least so many bytes, or else as long as possible. */
static void
make_body(struct set *set, const struct kind *kind, size_t bytes)
{
	struct buf text;
	size_t number = 0, end = 0;

	set_init(set, 1, BODY_MAX);
	text = (struct buf){set->bytes, 0, BODY_MAX, false};
	while (text.len < bytes) {
		put_frame(&text, kind, &number);
		if (text.truncated)
			break;
		end = text.len;
		set->messages++;
		set->errors += kind->errors;
	}
	set->count = 1;
	set->ends[0] = end;
}

static size_t (*const functions[])(struct slice body) = {
    set_count_errors, set_count_counters, set_count_everything};

enum { RULES = sizeof(functions) / sizeof(functions[0]) };

/* A byte of the body, beside one of the usual body, by the same rules. */
static void
print_times(const struct set *usual, const struct set *body, double seconds)
{
	struct job jobs[2 * RULES];
	struct measured m[2 * RULES];
	double share = (double)set_len(usual) / (double)set_len(body);

	for (size_t i = 0; i < 2 * RULES; i++) {
		jobs[i] = (struct job){i % 2 ? body : usual, functions[i / 2]};
		m[i] = (struct measured){job_run, &jobs[i], {0}};
	}
	measure_in_turns(m, 2 * RULES, seconds);
	for (size_t i = 0; i < 2 * RULES; i += 2)
		printf(
		    " %.1f |", measure_ratio(&m[i + 1], &m[i]).median * share);
}

static void
send_all(const void *sink)
{
	_Atomic uint32_t handed = 0;

	send_tally((struct cluster *)(uintptr_t)sink, SLICE("app"), SLICE(""),
	    &set_tally, &handed);
}

/* The largest body: how long it takes, and whether it has found its errors. */
static double
time_largest(const struct kind *kind, double seconds)
{
	struct set set;
	struct job errors = {&set, set_count_errors};
	struct job all = {&set, set_count_everything};
	struct measured m = {job_run, &all, {0}};
	size_t found;

	make_body(&set, kind, BODY_MAX);
	found = job_sum(&errors);
	if (found != set.errors)
		measure_fail("%zu errors found of %zu", found, set.errors);
	measure_in_turns(&m, 1, seconds);
	set_free(&set);
	return measure_median(&m);
}

static void
print_kind(const struct kind *kind, const struct set *usual, double seconds)
{
	struct set body;

	make_body(&body, kind, USUAL);
	printf("| %s |", kind->name);
	print_times(usual, &body, seconds / 4);
	set_free(&body);
	printf(" %.0f |\n", time_largest(kind, seconds) * 1e3);
}

/* If the largest body gives many lines: how long it takes to send them. */
static void
print_sends(const struct kind *kind, double seconds)
{
	static struct sink single, packed;
	struct set set;
	struct job all = {&set, set_count_everything};
	struct measured m[] = {
	    {send_all, &single.cluster, {0}}, {send_all, &packed.cluster, {0}}};

	if (single.cluster.count == 0) {
		sink_connect(&single, "", "");
		sink_connect(&packed, "", "?datagram=1432");
	}
	make_body(&set, kind, BODY_MAX);
	job_run(&all);
	set_free(&set);
	if (tally_lines(&set_tally) < MANY)
		return;
	measure_in_turns(m, 2, seconds);
	printf("| %s | %zu | %.0f | %.1f |\n", kind->name,
	    tally_lines(&set_tally), measure_median(&m[0]) * 1e3,
	    measure_median(&m[1]) * 1e3);
}

int
main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 0.02;
	struct set usual;

	if (sodium_init() < 0)
		measure_fail("libsodium does not work here");
	set_make(&usual, 1000, 1000, CORPUS_ERRORS);
	measure_table("worst",
	    "| body | errors alone | all counters | everything | 8 MiB, ms |");
	for (size_t i = 0; i < KINDS; i++)
		print_kind(&kinds[i], &usual, seconds);
	measure_table("sends",
	    "| body of 8 MiB | lines | sent one by one, ms | packed, ms |");
	for (size_t i = 0; i < KINDS; i++)
		print_sends(&kinds[i], seconds);
	set_free(&usual);
}
