/*
 * What is counted: one row per metric.  The names of buckets and tags, --check,
 * --explain and docs/metrics.md all come from this table.
 *
 * The name of a metric is fixed, or part of it varies: %1 and %2 stand for the
 * parts that a sample supplies.
 *
 *	plain   heroku.dyno.%1.%2.memory_total      web.1 -> %1 = web, %2 = 1
 *	tagged  heroku.dyno.memory_total            #app:...,type:web,dyno:web.1
 */
#ifndef METRIC_METRIC_H
#define METRIC_METRIC_H

#include "base/slice.h"

/* In the order in which a batch's lines are sent. */
enum metric_family {
	FAMILY_ERRORS,
	FAMILY_LOSS,
	FAMILY_ROUTER,
	FAMILY_LATENCY,
	FAMILY_TIMINGS,
	FAMILY_DYNOS,
	FAMILY_RELEASES,
	FAMILY_ADDONS,
	FAMILY_CUSTOM,
	FAMILY_DRAIN,
	METRIC_FAMILIES
};

/* Families are kept as a set of bits. */
#define FAMILY_BIT(family) (1U << (family))

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_TIMER };

/* In the order of the families; fixed metrics of a family come first. */
enum metric_id {
	METRIC_ERROR,
	METRIC_DROPPED,
	METRIC_LOST,
	METRIC_REQUESTS,
	METRIC_STATUS_1XX,
	METRIC_STATUS_2XX,
	METRIC_STATUS_3XX,
	METRIC_STATUS_4XX,
	METRIC_STATUS_5XX,
	METRIC_STATUS_NONE,
	METRIC_BYTES,
	METRIC_LE_100,
	METRIC_LE_250,
	METRIC_LE_500,
	METRIC_LE_1000,
	METRIC_LE_2500,
	METRIC_LE_5000,
	METRIC_LE_10000,
	METRIC_LE_30000,
	METRIC_LE_INF,
	METRIC_SERVICE,
	METRIC_CONNECT,
	METRIC_LOAD_1M,
	METRIC_LOAD_5M,
	METRIC_LOAD_15M,
	METRIC_MEMORY_TOTAL,
	METRIC_MEMORY_RSS,
	METRIC_MEMORY_CACHE,
	METRIC_MEMORY_SWAP,
	METRIC_MEMORY_QUOTA,
	METRIC_MEMORY_PERCENT,
	METRIC_DYNO_STARTING,
	METRIC_DYNO_UP,
	METRIC_DYNO_DOWN,
	METRIC_DYNO_CRASHED,
	METRIC_DYNO_COMPLETE,
	METRIC_DYNO_EXIT,
	METRIC_RELEASE,
	METRIC_ROLLBACK,
	METRIC_FORMATION,
	METRIC_POSTGRES,
	METRIC_REDIS,
	METRIC_PGBOUNCER,
	METRIC_CUSTOM_COUNT,
	METRIC_CUSTOM_TIME,
	METRIC_CUSTOM_GAUGE,
	METRIC_BATCHES,
	METRIC_MESSAGES,
	METRIC_SKIPPED,
	METRIC_DUPLICATES,
	METRIC_REFUSED,
	METRICS
};

struct metric {
	enum metric_family family;
	enum metric_type type;
	const char *plain;  /* the bucket, after the application's name */
	const char *tagged; /* the name of a line with tags */
	const char *tags;   /* of such a line, after app: "key:value,..." */
	const char *unit;
	const char *meaning;
	const char *line; /* the message that it comes from */
};

extern const struct metric metrics[METRICS];

/* A family's name in METRICS, and how to read its metrics. */
struct metric_family_info {
	struct slice name;
	const char *cost; /* what it sends for a batch of 100 requests */
	const char *reading;
};

extern const struct metric_family_info metric_families[METRIC_FAMILIES];

/* The family's bit, or 0 if no family has that name. */
unsigned metric_family_bit(struct slice name);

/* Whether nothing in the metric's name varies. */
static inline bool
metric_is_fixed(const struct metric *metric)
{
	return strchr(metric->plain, '%') == NULL;
}

/* The type as it follows a value: "c", "g" or "ms". */
struct slice metric_type_text(enum metric_type type);

#endif
