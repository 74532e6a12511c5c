/*
 * Numbers as Heroku writes them.
 */
#ifndef HEROKU_NUMBER_H
#define HEROKU_NUMBER_H

#include <stdint.h>

#include "base/slice.h"
#include "bounds.h"

/*
 * A gauge's number: digits, optionally a point and more digits, at most 20
 * bytes, followed by nothing but the letters of a unit.  Takes the number and
 * leaves the unit in *s.  Returns an empty slice, and leaves *s alone, if *s is
 * anything else.
 */
struct slice number_take_gauge(struct slice *s);

/* A whole number of at most 15 digits, and nothing else. */
bool number_read_whole(struct slice s, uint64_t *number);

/* What --explain says about a value that is not a number. */
extern const char number_flaw[];

/*
 * Converts seconds to milliseconds by moving the point: 1.23 becomes 1230,
 * 0.0042 becomes 4.2.  The seconds must be a number from number_take_gauge.
 */
struct slice number_to_ms(struct slice seconds, char ms[static NUMBER_MAX]);

#endif
