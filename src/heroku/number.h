/*
 * Numbers as Heroku writes them.
 */
#ifndef HEROKU_NUMBER_H
#define HEROKU_NUMBER_H

#include <stdint.h>

#include "base/slice.h"
#include "bounds.h"

/*
 * A gauge's number: digits, perhaps a point and digits, at most 20 bytes, and
 * then nothing but the letters of a unit.  Takes the number and leaves the
 * unit in *s; an empty slice, and *s untouched, if it is anything else.
 */
struct slice number_take_gauge(struct slice *s);

/* A whole number of at most 15 digits, and nothing else. */
bool number_read_whole(struct slice s, uint64_t *number);

/* What --explain says of a value that is no number. */
extern const char number_flaw[];

/*
 * Seconds as milliseconds, by moving the point: 1.23 is 1230, 0.0042 is 4.2.
 * The seconds are a number as number_take_gauge takes it.
 */
struct slice number_to_ms(struct slice seconds, char ms[static NUMBER_MAX]);

#endif
