/*
 * The configuration: read from the environment, once, at start.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "bounds.h"
#include "auth/credentials.h"
#include "heroku/error.h"
#include "base/log.h"
#include "statsd/uri.h"

struct config {
	struct uri collectors[COLLECTORS_MAX]; /* METRICS_CLUSTER */
	size_t collector_count;
	bool default_cluster; /* METRICS_CLUSTER is not set */
	struct credentials credentials;
	bool remote_user; /* AUTH=remote-user: the web server checks */
	struct heroku_rules rules;
	enum log_level log_level;
	struct slice base_path; /* "/drain", or empty */
};

/*
 * Reads a NULL-terminated array of "NAME=value" into a zeroed configuration,
 * which borrows from it.  Every fault adds a line to *faults: the variable,
 * and a sentence on what is wrong and what to do; never a secret.  Usable only
 * if there are none; collectors that could be read are there all the same.
 */
void config_load(
    struct config *config, char *const *environment, struct buf *faults);

#endif
