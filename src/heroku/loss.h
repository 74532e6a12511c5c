/*
 * Messages that never reached the drain, as L10, L12 and L13 report them.
 *
 *	Error L10 (output buffer overflow): 491 messages dropped since ...
 *	Error L10 (output buffer overflow): drain 'd.x' dropped 1 messages ...
 *	Error L13: 2 messages lost since 2013-11-04T21:31:32.125756+00:00
 */
#ifndef HEROKU_LOSS_H
#define HEROKU_LOSS_H

#include "heroku/error.h"
#include "metric/tally.h"

/*
 * Adds the number of messages that an error line with this code reports as
 * dropped or lost.  False if the code is another one, or the line has no such
 * number.
 */
bool loss_tally(
    struct slice text, const struct error_code *code, struct tally *tally);

#endif
