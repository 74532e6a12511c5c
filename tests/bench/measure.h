/*
 * Timing things in turns, so that a machine whose speed drifts is fair to all:
 * a, b, c, a, b, c, ...  What counts is the median of the rounds, and for two
 * things the median of their ratios, round by round.  Seconds are of CPU time,
 * of this process and its children, so that other load disturbs little.
 *
 * The tables are for docs/benchmarks.md; bench.py puts them there.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include <stddef.h>

enum { MEASURE_ROUNDS = 7 };

struct measured {
	void (*run)(const void *input);
	const void *input;
	double seconds[MEASURE_ROUNDS]; /* of one run */
};

/* Of the rounds: their quartiles. */
struct spread {
	double low, median, high;
};

/*
 * Fills in the seconds of each; a round runs a thing as often as it takes to
 * fill round_seconds.  With 0 seconds, each runs once.
 */
void measure_in_turns(struct measured *m, size_t count, double round_seconds);

/* Seconds of one run. */
double measure_median(const struct measured *m);

/* How many times as long a takes as b. */
struct spread measure_ratio(const struct measured *a, const struct measured *b);

/* Begins a table: its marker, its head ("| a | b |"), and the line below. */
void measure_table(const char *name, const char *head);

/* Prints a cell: "0.97 (0.95 to 0.98) |". */
void measure_print_spread(struct spread spread);

/* Ends the program with a sentence: it could not measure, or not this. */
_Noreturn void measure_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

#endif
