/*
 * The counts of one request, by code, in order of first appearance.
 *
 * There are 3 x 1,100 possible codes, so each has a place of its own: adding
 * costs no search and no allocation, and resetting only what was used.
 */
#ifndef METRIC_TALLY_H
#define METRIC_TALLY_H

#include <stdint.h>

#include "metric/code.h"

enum { TALLY_CODES = 3 * 1100 };

struct tally {
	size_t messages; /* well-formed frames */
	size_t skipped;  /* of these, messages whose header cannot be read */
	size_t errors;   /* of these, platform errors */
	size_t distinct; /* entries of `codes` */
	struct heroku_code codes[TALLY_CODES]; /* in order of appearance */
	uint32_t counts[TALLY_CODES];          /* by tally_index */
};

/* A tally must be zeroed once; after that this empties it for reuse. */
void tally_reset(struct tally *tally);

void tally_add(struct tally *tally, const struct heroku_code *code);

/* How often the code was added. */
uint32_t tally_count(const struct tally *tally, const struct heroku_code *code);

#endif
