/*
 * logplex-statsd --explain: what a drain's body, or the output of `heroku
 * logs`, would count, message by message.  It decides nothing of its own and
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
	bool is_terminal; /* columns get a header */
	bool colour; /* of verdicts, by the ANSI escape codes of terminals */
};

/*
 * Prints to out a line a message, tab-separated:
 *
 *	number  offset  verdict  why  start of its text
 *
 * The verdict is a code, the names of what else the message yields, joined by
 * commas, "-" or "skipped".  Then an empty line, and one for each line that
 * would be sent: "statsd://host:port", and the statsd line with its prefix.
 * With a framing fault: the messages before it, then "fault", its byte offset
 * and the reason; no counters, and false.  A summary in one line goes to err.
 */
bool explain(const struct explain *job, struct slice input);

#endif
