/*
 * The configuration, with its faults and likely mistakes: read from the
 * environment once, at start.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "bounds.h"
#include "auth/credentials.h"
#include "config/counting.h"
#include "heroku/heroku.h"
#include "base/log.h"
#include "statsd/uri.h"

struct config {
	struct uri collectors[COLLECTORS_MAX]; /* METRICS_CLUSTER */
	size_t collector_count;
	bool default_cluster; /* METRICS_CLUSTER is not set */
	struct credentials credentials;
	bool remote_user; /* AUTH=remote-user: the web server checks */
	struct heroku_rules rules;
	struct counting counting;
	enum log_level log_level;
	bool count_duplicates;    /* DUPLICATES=count */
	struct slice frames_file; /* FRAMES_FILE: a path, or empty */
	struct slice capture;     /* CAPTURE: a path, or empty */
	struct slice base_path;   /* "/drain", or empty */
};

/*
 * Lines that never hold a secret: the variable, and a sentence that says what
 * is wrong with it and what to do.  Warnings are about likely mistakes and
 * prevent nothing.
 */
struct findings {
	struct buf faults, warnings;
};

/*
 * Reads a NULL-terminated array of "NAME=value" into a zeroed configuration,
 * which borrows from it.  It is usable only if no fault was found; collectors
 * that could be read are included in any case.
 */
void config_load(
    struct config *config, char *const *environment, struct findings *findings);

#endif
