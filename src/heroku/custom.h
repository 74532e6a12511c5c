/*
 * Metrics of an application's own, in the form of l2met.
 *
 *	count#signups=1 measure#signup-controller=50ms sample#queue.length=99
 */
#ifndef HEROKU_CUSTOM_H
#define HEROKU_CUSTOM_H

#include "metric/tally.h"

/* Adds them; false if there are none.  *flaw is set if a value is no number. */
bool custom_tally(struct slice text, struct tally *tally, const char **flaw);

#endif
