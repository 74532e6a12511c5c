/*
 * A collector's URI, RFC 3986.
 *
 *	statsd://user:key@host:8126/pre/fix?datagram=1432&tags=dogstatsd
 *	                  `---------------- all but the host may be left out
 */
#ifndef STATSD_URI_H
#define STATSD_URI_H

#include <stdint.h>

#include "bounds.h"
#include "base/slice.h"
#include "base/buf.h"
#include "statsd/line.h"

struct uri {
	char host[HOST_MAX + 1]; /* NUL-terminated, without brackets */
	uint16_t port;
	bool has_port;              /* or else it is the default */
	unsigned char key[KEY_MAX]; /* percent-decoded */
	size_t key_len;             /* 0: datagrams are not signed */
	char prefix[PREFIX_MAX];    /* "pre.fix.", or empty */
	size_t prefix_len;
	size_t datagram;   /* largest packed one, in bytes; 0: a line each */
	unsigned backdate; /* seconds */
	bool dogstatsd;    /* its lines have tags */
};

static inline struct slice
uri_prefix(const struct uri *uri)
{
	return (struct slice){uri->prefix, uri->prefix_len};
}

/*
 * The parts of a URI, before any of them is judged.  A key that holds a bare /,
 * ? or # is kept whole: the userinfo ends at the last @.
 */
struct uri_parts {
	struct slice scheme; /* with "://"; empty if it has none */
	struct slice userinfo, host;
	struct slice port;            /* what follows the host, ":" included */
	struct slice path;            /* with its "/" */
	struct slice query, fragment; /* with "?" and "#" */
	bool has_userinfo;
	bool has_bracket, closes; /* "[" before the host, "]" after it */
};

void uri_split(struct slice uri, struct uri_parts *out);

/* How the collector wants its lines; tags are those of TAGS. */
static inline struct line_style
uri_line_style(const struct uri *uri, struct slice tags)
{
	return (struct line_style){uri_prefix(uri), uri->dogstatsd, tags};
}

/* Returns NULL, or a sentence that says what is wrong with the URI. */
const char *uri_parse(struct slice uri, struct uri *out);

/* Parses one option of the query; returns the same as uri_parse. */
const char *uri_parse_option(struct slice option, struct uri *out);

/* Writes "statsd://host:port", without the key. */
void uri_put_address(struct buf *t, const struct uri *uri);

/* Reads a port: a number from 1 to 65535, and nothing else. */
bool uri_read_port(struct slice s, uint16_t *port);

#endif
