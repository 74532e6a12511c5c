/*
 * logplex-statsd --explain: what the body of a drain's request, or the output
 * of `heroku logs`, would count, message by message.  It makes no decisions and
 * sends nothing.
 */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include <stdio.h>

#include "config/config.h"

struct explain {
	const struct config *config;
	struct slice app;
	FILE *out, *err;
	bool is_terminal; /* whether columns have a header and line up */
	bool colour; /* whether verdicts are coloured, by ANSI escape codes */
};

/*
 * Prints one tab-separated line per message to out:
 *
 *	number  offset  verdict  why  start of its text
 *
 * The verdict is "-", "skipped", or a code and the names of whatever else the
 * message yields, joined by commas.  After an empty line comes one line for
 * each line that would be sent: "statsd://host:port", and the statsd line with
 * its prefix.  At a framing fault, prints the messages before it and then
 * "fault", its byte offset and the reason, but no counters, and returns false.
 * Prints a one-line summary to err.
 */
bool explain(const struct explain *job, struct slice input);

#endif
