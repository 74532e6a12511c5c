/*
 * Likely mistakes in a configuration that has no faults: what --check warns
 * of.  Never a secret.
 */
#ifndef CONFIG_WARNINGS_H
#define CONFIG_WARNINGS_H

#include <stdio.h>

#include "config/config.h"

/*
 * Prints "warning: " and a sentence for each to err.  The environment is the
 * one that the configuration was read from.
 */
void warnings_print(
    const struct config *config, char *const *environment, FILE *err);

#endif
