/*
 * One measurement from a message: a metric, the varying parts of its name, a
 * value.
 *
 * Recognisers form samples from unchanged slices of the body; the tally keeps
 * the cleaned parts and the sums (tally.h).
 */
#ifndef METRIC_SAMPLE_H
#define METRIC_SAMPLE_H

#include <stdint.h>

#include "base/slice.h"
#include "metric/metric.h"

/* Which bytes a part of a name keeps; every other byte becomes "_". */
enum part_kind {
	PART_NAME,  /* [A-Za-z0-9_-] */
	PART_LOWER, /* the same, letters in lower case */
	PART_KEY,   /* [A-Za-z0-9_] */
	PART_DOTTED /* [A-Za-z0-9_.-], no part between its dots empty */
};

struct part {
	struct slice text;
	enum part_kind kind;
};

struct sample {
	enum metric_id metric;
	struct part parts[2]; /* %1 and %2; empty if the name has none */
	uint64_t count;       /* of a counter */
	struct slice number;  /* of a gauge or timer, as it is sent */
};

#endif
