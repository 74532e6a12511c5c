/*
 * What goes to a collector: the line of a counter, and who owns it.
 *
 *	my.prefix.heaven.heroku.errors.H12:3|c
 *	`prefix  `bucket                   `count
 */
#ifndef STATSD_LINE_H
#define STATSD_LINE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "bounds.h"

/* The longest line without prefix: application, path, code, a 32-bit count. */
#define LINE_BYTES_MAX                                                         \
	(APP_MAX + sizeof(".heroku.errors.H999:4294967295|c") - 1)

/* One counter of one application. */
struct statsd_counter {
	struct slice app;
	struct slice code;
	uint32_t count;
};

/* Writes "<prefix><app>.heroku.errors.<code>:<count>|c". */
void line_put(
    struct buf *t, struct slice prefix, const struct statsd_counter *counter);

/*
 * Which of n collectors owns the counter: CRC-32 (zlib's) of the bucket
 * without prefix, modulo n.
 */
size_t line_owner(const struct statsd_counter *counter, size_t n);

#endif
