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
	bool send; /* whether collectors are probed, probe.h */
	FILE *out, *err;
};

/*
 * Looks up the collectors, probes them, and prints what would be used to out,
 * and likely mistakes to err; or, if there were faults, with those of
 * config_load in front, all of them to err, and false.
 */
bool check(const struct check *job, struct findings *findings);

#endif
