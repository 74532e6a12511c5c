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

/* The pairs that are used: the first one of each key. */
struct router_line {
	struct logfmt_pair at, code, status, service, connect, bytes;
};

/* Scans a line; a pair that is missing or incomplete gets no key. */
void router_scan(struct slice text, struct router_line *line);

/*
 * Adds the samples of the wanted families, if the line has an `at`.  Returns
 * the bits of the families that got samples; *flaw is set if a value is not a
 * number.
 */
unsigned router_tally(const struct router_line *line, unsigned families,
    struct tally *tally, const char **flaw);

#endif
