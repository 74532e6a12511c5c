/*
 * What the files of this folder share: a configuration that is being loaded.
 */
#ifndef CONFIG_LOADING_H
#define CONFIG_LOADING_H

#include "config/config.h"

struct loading {
	struct config *config;
	struct findings *findings;
	struct buf passwords; /* warnings for where this program checks them */
	struct slice variable;
	struct slice app; /* the end of a name such as API_CREDENTIALS_<APP> */
	bool on_dyno;
};

/* A line of the findings: the variable, and a sentence. */
void loading_note(
    struct buf *findings, struct slice variable, const char *sentence);

/*
 * Each reads the value of l->variable and adds its warnings.  It returns NULL,
 * or a sentence about the fault.
 */
const char *load_cluster(struct loading *l, struct slice value);
const char *load_credentials(struct loading *l, struct slice value);
const char *load_previous_credentials(struct loading *l, struct slice value);
const char *load_secret(struct loading *l, struct slice value);
const char *load_previous_secret(struct loading *l, struct slice value);
const char *load_auth(struct loading *l, struct slice value);

/* Sets the collectors used if METRICS_CLUSTER is not set. */
void load_default_cluster(struct loading *l);

/*
 * To be called once all variables are read, to check them against each other.
 */
void judge_cluster(struct loading *l);
void judge_passwords(struct loading *l);

#endif
