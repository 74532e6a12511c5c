/*
 * Platform errors: which messages are one, and their codes.
 *
 *	Error R14 (Memory quota exceeded)
 *	Error L12: 222 messages dropped since 2013-11-04T21:31:32.125756+00:00.
 *	at=error code=H12 desc="Request timeout" method=GET path="/" ...
 *	sock=client at=warning code=H27 desc="Client Request Interrupted" ...
 *
 * Their documented forms are in Heroku's "Error Codes" article; the whole
 * list, with lines that only look like errors, is
 * tests/fixtures/platform-errors.tsv.
 */
#ifndef HEROKU_ERROR_H
#define HEROKU_ERROR_H

#include "base/slice.h"
#include "logplex/syslog_msg.h"
#include "metric/code.h"

/* Levels of router lines (at=...), as a set of bits. */
enum heroku_level {
	HEROKU_LEVEL_ERROR = 1,
	HEROKU_LEVEL_WARNING = 2,
	HEROKU_LEVEL_INFO = 4
};

/* The level's bit, or 0 if the name is none of the three. */
unsigned heroku_level(struct slice name);

/* What counts. */
struct heroku_rules {
	unsigned levels;    /* of router lines */
	bool platform_only; /* only what the platform itself wrote */
};

enum heroku_verdict {
	HEROKU_ERROR_LINE,   /* counts: Error <code> */
	HEROKU_ROUTER_LINE,  /* counts: at=<level> code=<code> */
	HEROKU_OTHER_LEVEL,  /* a router line whose level does not count */
	HEROKU_NOT_AN_ERROR, /* anything else */
	HEROKU_NOT_PLATFORM  /* an error's text, by someone else */
};

static inline bool
heroku_counts(enum heroku_verdict verdict)
{
	return verdict <= HEROKU_ROUTER_LINE;
}

/*
 * Judges one message.  *code is set when the verdict counts.  MSG is judged
 * as it stands; if that is no error, also without leading STRUCTURED-DATA.
 */
enum heroku_verdict heroku_judge(const struct syslog_msg *message,
    const struct heroku_rules *rules, struct heroku_code *code);

/* A verdict in a few words. */
const char *heroku_reason(enum heroku_verdict verdict);

#endif
