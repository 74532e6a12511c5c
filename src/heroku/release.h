/*
 * Releases and scaling, as the API reports them.
 *
 *	Release v138 created by user user@example.com
 *	Rollback to v7 by user user@example.com
 *	Scaled to web@2:Standard-1X worker@1:Basic by user user@example.com
 */
#ifndef HEROKU_RELEASE_H
#define HEROKU_RELEASE_H

#include "metric/tally.h"

/* Adds the line's samples; false if there are none. */
bool release_tally(struct slice text, struct tally *tally);

#endif
