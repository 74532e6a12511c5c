/*
 * logplex-statsd --check: what the configuration amounts to, or all of its
 * faults.  It never shows a secret.
 */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include <stdio.h>

#include "config/config.h"

struct check {
	const struct config *config;
	bool send;            /* whether to probe collectors, see probe.h */
	bool for_start;       /* whether one usable collector is enough */
	bool strict;          /* whether warnings count as faults */
	const char *exposure; /* what is wrong with the socket, or NULL */
	size_t backlog;       /* the system's limit; 0: unknown */
	FILE *out, *err;
};

/*
 * Looks up the collectors and probes them, which may add to the findings.
 * Prints what would be used to out, the warnings to err, and then their number
 * to out; or, if there are faults, only those, to err.  False if there are
 * faults, or if there are warnings and strict is set.
 */
bool check(const struct check *job, struct findings *findings);

#endif
