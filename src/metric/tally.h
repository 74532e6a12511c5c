/*
 * What one request counts: counters summed, of a gauge the last value, timers
 * one by one.  No allocation; what is beyond the ceilings is left out, and
 * counted in left_out.
 *
 * A fixed metric has a place of its own, so that counting it is an addition.
 * A name with varying parts has a bucket, found by a hash of its parts; that of
 * a platform error by its code, of which there are 3 x 1,100.
 */
#ifndef METRIC_TALLY_H
#define METRIC_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "bounds.h"
#include "metric/sample.h"

enum {
	TALLY_CODES = 3 * 1100,
	TALLY_BUCKETS = BUCKETS_MAX + TALLY_CODES, /* errors always fit */
	TALLY_PLACES = 32768 /* a power of two, well above TALLY_BUCKETS */
};

/* Buckets are numbered from 1; 0 stands for none. */
typedef uint16_t bucket_number;

/* A metric and the clean parts of a name. */
struct bucket_key {
	uint8_t metric; /* enum metric_id */
	uint8_t len[2];
	char text[2 * PART_MAX]; /* one part after the other */
};

struct bucket {
	uint64_t count;
	size_t message;       /* the last one that named it */
	bucket_number *place; /* where its number stands in the tally */
	bucket_number next;   /* of the family, in order of appearance */
	bool shown;           /* it has a value, or is 0 on purpose */
	uint8_t number_len;
	char number[NUMBER_MAX];
	struct bucket_key key;
};

/* A value of a timer: a fixed one, or a bucket's. */
struct timer {
	bucket_number bucket;
	uint8_t metric;
	uint8_t number_len;
	char number[NUMBER_MAX];
};

struct tally {
	size_t messages;          /* well-formed frames */
	size_t skipped;           /* of these, with an unreadable header */
	size_t errors;            /* of these, platform errors */
	size_t left_out;          /* samples beyond the ceilings */
	uint64_t counts[METRICS]; /* of fixed counters */
	bool has_counts;          /* some are not 0 */
	size_t bucket_count, timer_count, custom_names;
	bucket_number first[METRIC_FAMILIES], last[METRIC_FAMILIES];
	bucket_number codes[TALLY_CODES];
	bucket_number places[TALLY_PLACES];
	unsigned char hash_key[16]; /* secret: names come from anybody */
	bool has_hash_key;
	struct bucket buckets[TALLY_BUCKETS];
	struct timer timers[TIMERS_MAX];
};

/* A tally must be zeroed once; after that this empties it for reuse. */
void tally_reset(struct tally *tally);

/* a + b, or the largest number there is. */
static inline uint64_t
tally_sum(uint64_t a, uint64_t b)
{
	return a + b >= a ? a + b : UINT64_MAX;
}

/* Adds to a fixed counter. */
static inline void
tally_count(struct tally *tally, enum metric_id metric, uint64_t n)
{
	tally->counts[metric] = tally_sum(tally->counts[metric], n);
	tally->has_counts = true;
}

/* Adds a value of a fixed timer, at most NUMBER_MAX bytes. */
void tally_time(
    struct tally *tally, enum metric_id metric, struct slice number);

/*
 * Adds a sample whose name varies, after making its parts fit for a name.  It
 * is ignored if a part is empty or above PART_MAX bytes, and if the current
 * message (tally->messages) has named it before: of several, the first
 * decides.  A gauge or timer without a number only takes that place.  Whether
 * the tally has got a value.
 */
bool tally_add(struct tally *tally, const struct sample *sample);

/* Adds n platform errors of a code [HRL][0-9]{2,3}; 0 makes it appear. */
void tally_add_error(struct tally *tally, struct slice code, uint64_t n);

/* Whether the code has been added. */
bool tally_has_error(const struct tally *tally, struct slice code);

/* Whether there is nothing to send. */
bool tally_is_empty(const struct tally *tally);

/*
 * Hands what is to be sent to visit: the families in their order; in each the
 * fixed counters, then what varies as it appeared, then timers.  A sample's
 * parts are clean, and belong to the tally.
 */
void tally_each(const struct tally *tally,
    void (*visit)(void *context, const struct sample *sample), void *context);

#endif
