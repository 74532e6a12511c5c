/*
 * Configuration faults: a text of one line each, as config_load and
 * cluster_look_up write it.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include "slice.h"

/* Each as an error in the log: event=fault reason="...". */
void faults_log(struct slice faults);

#endif
