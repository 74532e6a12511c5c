/*
 * When an application's zeros are due: with its first batch, and then at most
 * once a minute while batches come.
 *
 * A fixed table, for constant memory: with more than ZEROS_APPS_MAX
 * applications, some get their zeros more often than necessary.
 */
#ifndef METRIC_ZEROS_H
#define METRIC_ZEROS_H

#include <stdint.h>

#include "bounds.h"
#include "base/slice.h"

struct zeros {
	struct {
		uint64_t app; /* a hash of its name; 0: none */
		int64_t sent; /* by clock_ms */
	} slots[ZEROS_APPS_MAX];
};

/* Whether they are due now; if so, they count as sent. */
bool zeros_take(struct zeros *zeros, struct slice app, int64_t now);

#endif
