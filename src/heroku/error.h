/*
 * Platform errors: which messages report one, and their codes.
 *
 *	Error R14 (Memory quota exceeded)
 *	Error L12: 222 messages dropped since 2013-11-04T21:31:32.125756+00:00.
 *	at=error code=H12 desc="Request timeout" method=GET path="/" ...
 *	sock=client at=warning code=H27 desc="Client Request Interrupted" ...
 *
 * Their documented forms are in Heroku's "Error Codes" article; the whole list,
 * with lines that only look like errors, is tests/fixtures/platform-errors.tsv.
 */
#ifndef HEROKU_ERROR_H
#define HEROKU_ERROR_H

#include <stdint.h>

#include "heroku/logfmt.h"
#include "logplex/syslog_msg.h"

/* A code: [HRL][0-9]{2,3}. */
struct error_code {
	char text[4];
	uint8_t len;
};

static inline struct slice
error_code_slice(const struct error_code *code)
{
	return (struct slice){code->text, code->len};
}

/* Whether s is a code, and nothing else. */
bool error_is_code(struct slice s);

/* Levels of router lines (at=...), as a set of bits. */
enum error_level {
	ERROR_LEVEL_ERROR = 1,
	ERROR_LEVEL_WARNING = 2,
	ERROR_LEVEL_INFO = 4
};

/* The level's bit, or 0 if the name is not one of the three. */
unsigned error_level(struct slice name);

/* Which errors count. */
struct error_rules {
	unsigned levels;    /* of router lines */
	bool platform_only; /* only what the platform itself wrote */
};

enum error_verdict {
	ERROR_LINE,         /* counts: Error <code> */
	ERROR_ROUTER_LINE,  /* counts: at=<level> code=<code> */
	ERROR_OTHER_LEVEL,  /* a router line whose level does not count */
	ERROR_NOT_ONE,      /* anything else */
	ERROR_NOT_PLATFORM, /* an error's text, written by someone else */
};

static inline bool
error_counts(enum error_verdict verdict)
{
	return verdict <= ERROR_ROUTER_LINE;
}

/*
 * Judges a message by its text (syslog_msg_text).  *code is set when the
 * verdict counts.
 */
enum error_verdict error_judge(const struct syslog_msg *message,
    struct slice text, const struct error_rules *rules,
    struct error_code *code);

/*
 * The same for a line whose first `at` and first `code` are already known; a
 * pair without a key means that the line has none.
 */
enum error_verdict error_judge_pairs(const struct logfmt_pair *at,
    const struct logfmt_pair *code_pair, const struct error_rules *rules,
    struct error_code *code);

/* A verdict in a few words. */
const char *error_reason(enum error_verdict verdict);

#endif
