/*
 * The line of a sample, in the form that a collector takes, and who owns it.
 *
 *	my.prefix.heaven.heroku.errors.H12:3|c
 *	`prefix  `bucket                   `value, type
 *
 *	my.prefix.heroku.errors:3|c|#app:heaven,code:H12,env:production
 *	          `fixed name       `tags                `TAGS
 */
#ifndef STATSD_LINE_H
#define STATSD_LINE_H

#include "base/buf.h"
#include "metric/sample.h"

/* How a collector wants its lines. */
struct line_style {
	struct slice prefix; /* "my.prefix.", or empty */
	bool tagged;         /* as DogStatsD has it */
	struct slice tags;   /* to add to each tagged line; or empty */
};

/* Writes "<app>.<name>", with the varying parts filled in. */
void line_put_bucket(
    struct buf *t, struct slice app, const struct sample *sample);

/*
 * Which of n collectors owns a bucket: the bucket's CRC-32 (zlib's) modulo n.
 * Neither the prefix nor the style of the line matters.
 */
size_t line_owner(struct slice bucket, size_t n);

/* Writes the whole line of a sample whose bucket is given. */
void line_put(struct buf *t, const struct line_style *style, struct slice app,
    struct slice bucket, const struct sample *sample);

/*
 * The length of the longest line that the families can give, for an app of
 * app_max bytes.
 */
size_t line_max(
    const struct line_style *style, size_t app_max, unsigned families);

#endif
