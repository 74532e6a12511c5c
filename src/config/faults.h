/*
 * Configuration faults: a text of one line each, as config_load and
 * cluster_look_up write it.
 */
#ifndef CONFIG_FAULTS_H
#define CONFIG_FAULTS_H

#include "base/slice.h"

/* Each as an error in the log: event=fault reason="...". */
void faults_log(struct slice faults);

#endif
