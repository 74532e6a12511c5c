/*
 * Metrics that an application defines itself, in the form of l2met.
 *
 *	count#signups=1 measure#signup-controller=50ms sample#queue.length=99
 */
#ifndef HEROKU_CUSTOM_H
#define HEROKU_CUSTOM_H

#include "metric/tally.h"

/*
 * Adds the line's samples; false if there are none.  *flaw is set if a value is
 * not a number.
 */
bool custom_tally(struct slice text, struct tally *tally, const char **flaw);

#endif
