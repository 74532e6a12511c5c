/*
 * The router's lines: requests, their status, size and times.
 *
 *	at=info method=GET path="/" ... dyno=web.1 connect=1ms service=364ms
 *	    status=200 bytes=20946 protocol=https
 */
#ifndef HEROKU_ROUTER_H
#define HEROKU_ROUTER_H

#include "heroku/logfmt.h"
#include "metric/tally.h"

enum router_key {
	ROUTER_AT,
	ROUTER_CODE,
	ROUTER_STATUS,
	ROUTER_SERVICE,
	ROUTER_CONNECT,
	ROUTER_BYTES,
	ROUTER_KEYS
};

/* The pairs that are used: the first one of each key. */
struct router_line {
	unsigned found; /* a bit for each key */
	struct logfmt_pair pairs[ROUTER_KEYS];
};

void router_scan(struct slice text, struct router_line *line);

/* The pair, which is empty if it is missing or incomplete. */
const struct logfmt_pair *router_pair(
    const struct router_line *line, enum router_key key);

/*
 * Adds the samples of the wanted families, if the line has an `at`.  Returns
 * the bits of the families that got samples; *flaw is set if a value is not a
 * number.
 */
unsigned router_tally(const struct router_line *line, unsigned families,
    struct tally *tally, const char **flaw);

#endif
