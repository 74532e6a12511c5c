/*
 * What a dyno reports about itself: load and memory, its state, and exits.
 *
 *	source=web.1 dyno=heroku.x sample#load_avg_1m=0.20 ...
 *	source=web.1 dyno=heroku.x sample#memory_total=180.43MB ...
 *	Process running mem=870M(170.1%)
 *	State changed from starting to up
 *	Process exited with status 137
 */
#ifndef HEROKU_DYNO_H
#define HEROKU_DYNO_H

#include "metric/tally.h"

/* The parts of a PROCID such as web.1 or run.2660. */
struct dyno {
	struct slice type; /* "web" */
	struct slice n;    /* "1" */
};

/* Splits a PROCID at its last dot; false if it does not name a dyno. */
bool dyno_read(struct slice procid, struct dyno *dyno);

/*
 * Adds the line's samples; false if there are none.  *flaw is set if a value is
 * not a number.
 */
bool dyno_tally(const struct dyno *dyno, struct slice text, struct tally *tally,
    const char **flaw);

#endif
