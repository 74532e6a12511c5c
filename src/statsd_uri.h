/*
 * A collector's URI, RFC 3986.
 *
 *	statsd://user:key@host:8126/pre/fix?datagram=1432&backdate=1
 *	                  `---------------- all but the host may be left out
 */
#ifndef STATSD_URI_H
#define STATSD_URI_H

#include <stdint.h>

#include "bounds.h"
#include "slice.h"
#include "text.h"

struct statsd_uri {
	char host[HOST_MAX + 1]; /* NUL-terminated, without brackets */
	uint16_t port;
	unsigned char key[KEY_MAX]; /* percent-decoded */
	size_t key_len;             /* 0: datagrams are not signed */
	char prefix[PREFIX_MAX];    /* "pre.fix.", or empty */
	size_t prefix_len;
	size_t datagram;   /* most bytes of a packed one; 0: a line each */
	unsigned backdate; /* seconds */
};

static inline struct slice
statsd_uri_prefix(const struct statsd_uri *uri)
{
	return (struct slice){uri->prefix, uri->prefix_len};
}

/* NULL, or a sentence on what is wrong with the URI. */
const char *statsd_uri_parse(struct slice uri, struct statsd_uri *out);

/* "statsd://host:port", without the key. */
void statsd_uri_put_address(struct text *t, const struct statsd_uri *uri);

/* A port: a number from 1 to 65535, and nothing else. */
bool statsd_uri_read_port(struct slice s, uint16_t *port);

#endif
