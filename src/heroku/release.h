/*
 * Releases and scaling, as the API tells of them.
 *
 *	Release v138 created by user user@example.com
 *	Rollback to v7 by user user@example.com
 *	Scaled to web@2:Standard-1X worker@1:Basic by user user@example.com
 */
#ifndef HEROKU_RELEASE_H
#define HEROKU_RELEASE_H

#include "metric/tally.h"

/* Adds what the API says; false if that is nothing. */
bool release_tally(struct slice text, struct tally *tally);

#endif
