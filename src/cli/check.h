/*
 * logplex-statsd --check: what the configuration amounts to, or all that is
 * wrong with it.  Never a secret.
 */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include <stdio.h>

#include "config/config.h"

struct check {
	const struct config *config;
	bool send;            /* whether collectors are probed, probe.h */
	bool for_start;       /* whether one usable collector will do */
	bool strict;          /* warnings are as bad as faults */
	const char *exposure; /* what is wrong with the socket, or NULL */
	size_t backlog;       /* the system's limit; 0: not known */
	FILE *out, *err;
};

/*
 * Looks up the collectors and probes them, which adds to the findings.  Prints
 * what would be used to out, likely mistakes to err, and then their number to
 * out; or, if there are faults, all of those to err and nothing else.  False if
 * there are faults, or warnings where they are as bad.
 */
bool check(const struct check *job, struct findings *findings);

#endif
