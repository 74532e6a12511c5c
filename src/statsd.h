/*
 * What goes to a collector: a counter's line, the collector that owns it, and
 * the signature of a datagram.  Bytes in, bytes out; time and nonce are
 * arguments.
 *
 *	my.prefix.heaven.heroku.errors.H12:3|c
 *	`prefix  `bucket                   `count
 */
#ifndef STATSD_H
#define STATSD_H

#include <sodium.h>
#include <stdint.h>

#include "bounds.h"
#include "slice.h"
#include "text.h"

/* The longest line without prefix: application, path, code, a 32-bit count. */
#define STATSD_LINE_MAX                                                        \
	(APP_MAX + sizeof(".heroku.errors.H999:4294967295|c") - 1)

/* One counter of one application. */
struct statsd_counter {
	struct slice app;
	struct slice code;
	uint32_t count;
};

/* Writes "<prefix><app>.heroku.errors.<code>:<count>|c". */
void statsd_put_line(
    struct text *t, struct slice prefix, const struct statsd_counter *counter);

/*
 * Which of n collectors owns the counter: CRC-32 (zlib's) of the bucket
 * without prefix, modulo n.
 */
size_t statsd_shard(const struct statsd_counter *counter, size_t n);

/*
 * A signed datagram, as statsd-ruby and brubeck know it:
 *
 *	| HMAC-SHA256 | seconds since 1970 | nonce | text
 *	0             32                   40      44
 *
 * The time is a little-endian int64; the HMAC covers all that follows it.
 */
enum {
	STATSD_HMAC_LEN = 32,
	STATSD_TIME_LEN = 8,
	STATSD_NONCE_LEN = 4,
	STATSD_SIGNATURE_LEN =
	    STATSD_HMAC_LEN + STATSD_TIME_LEN + STATSD_NONCE_LEN
};

/* A key, made ready once. */
struct statsd_key {
	crypto_auth_hmacsha256_state state;
};

void statsd_key_init(
    struct statsd_key *key, const unsigned char *bytes, size_t len);

/*
 * Fills in the first STATSD_SIGNATURE_LEN of a datagram's len bytes; the text
 * stands behind them already.
 */
void statsd_sign(const struct statsd_key *key, int64_t seconds,
    const unsigned char nonce[STATSD_NONCE_LEN], unsigned char *datagram,
    size_t len);

/*
 * NULL if the datagram is signed with the key, and sets *seconds; otherwise a
 * sentence on what is wrong with it.
 */
const char *statsd_verify(const struct statsd_key *key,
    const unsigned char *datagram, size_t len, int64_t *seconds);

#endif
