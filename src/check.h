/*
 * logplex-statsd --check: what the configuration amounts to, or all that is
 * wrong with it.  Never a secret.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>

#include "config.h"

/*
 * Looks up the collectors, and prints what would be used to out and, where the
 * configuration trusts somebody, a warning of it to err; or, if there were
 * faults, with those of config_load in front, all of them to err, and false.
 */
bool check(
    const struct config *config, struct text *faults, FILE *out, FILE *err);

#endif
