/*
 * Samples of add-ons: Postgres, Redis (Key-Value Store) and PgBouncer.
 *
 *	source=DATABASE addon=postgresql-curly-12345
 *	    sample#db_size=90755887bytes sample#active-connections=15
 *	    sample#memory-total=3944484kB
 */
#ifndef HEROKU_ADDON_H
#define HEROKU_ADDON_H

#include "metric/tally.h"

/* The metric of the add-on with this PROCID, or METRICS if there is none. */
enum metric_id addon_metric(struct slice procid);

/*
 * Adds the line's samples; false if there are none.  *flaw is set if a value is
 * not a number.
 */
bool addon_tally(enum metric_id metric, struct slice text, struct tally *tally,
    const char **flaw);

#endif
