/*
 * logfmt, as the router writes it: key=value pairs, separated by white space.
 *
 *	sock=client at=warning code=H27 desc="Client \"x\"" dyno= connect=1ms
 *	            `key`value `pair          `quoted       `empty
 */
#ifndef HEROKU_LOGFMT_H
#define HEROKU_LOGFMT_H

#include "base/slice.h"

struct logfmt_pair {
	struct slice key;   /* no white space, "=" or double quote; not empty */
	struct slice value; /* between the quotes, if there are any */
	bool escaped;       /* quoted, and with a backslash in it */
};

/*
 * Takes the next pair from the line.  False at the end of the line, and at
 * anything that is not a pair: a word without "=", a quote that never closes,
 * or a closing quote with text directly after it.  The line moves on failure
 * too: the rest of it must not be used then.
 */
bool logfmt_next(struct slice *line, struct logfmt_pair *pair);

/*
 * The pair's value without its escapes: \x stands for x.  It is in buf if there
 * were any; a value of more than max bytes is cut to max + 1, so that it equals
 * nothing of at most max bytes.  buf holds max + 1 bytes.
 */
struct slice logfmt_value(
    const struct logfmt_pair *pair, char *buf, size_t max);

#endif
