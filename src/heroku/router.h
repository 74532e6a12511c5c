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

/* The pairs that somebody asks for: the first of each key. */
struct router_line {
	struct logfmt_pair at, code, status, service, connect, bytes;
};

/* Scans a line; pairs that it does not have, or not whole, have no key. */
void router_scan(struct slice text, struct router_line *line);

/*
 * Adds what the line says of a request to those families that are wanted, if
 * it has an `at`.  The bits of the families that it gives samples to; *flaw is
 * set if a value is no number.
 */
unsigned router_tally(const struct router_line *line, unsigned families,
    struct tally *tally, const char **flaw);

#endif
