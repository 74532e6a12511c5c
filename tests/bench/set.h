/*
 * Sets of bodies in memory, one after the other, and what is counted in them.
 */
#ifndef SET_H
#define SET_H

#include "heroku/batch.h"

struct set {
	char *bytes;
	size_t count;
	size_t *ends; /* of each body */
	size_t messages;
	size_t errors;
};

/* METRICS=errors; all but timings and custom; all. */
extern const struct heroku_rules errors_alone, all_counters, everything;

/* An empty set with room for so many bodies, and bytes of them. */
void set_init(struct set *set, size_t bodies, size_t size);

/* Bodies of the corpus, `batch` messages each; share: see corpus.h. */
void set_make(struct set *set, size_t messages, size_t batch, unsigned share);

void set_free(struct set *set);

/* Bytes of all bodies. */
size_t set_len(const struct set *set);

/*
 * Counts a body in *tally, which must have been zeroed once; returns its
 * errors.  Ends the program if the body has a fault.
 */
size_t set_count(
    struct slice body, const struct heroku_rules *rules, struct tally *tally);

/* The same by each of the rules, for struct job; they count in set_tally. */
size_t set_count_errors(struct slice body);
size_t set_count_counters(struct slice body);
size_t set_count_everything(struct slice body);
extern struct tally set_tally;

/* How many lines it gives. */
size_t tally_lines(const struct tally *tally);

/* What is measured: a function, called for each body of a set. */
struct job {
	const struct set *set;
	size_t (*function)(struct slice body);
};

/* The sum of what the function returns. */
size_t job_sum(const struct job *job);

/* The same for struct measured. */
void job_run(const void *job);

#endif
