/*
 * What one request counts: the sum of a counter, the last value of a gauge,
 * each value of a timer.  Nothing is allocated; samples beyond the ceilings are
 * left out, and their number is kept in left_out.
 *
 * A metric with a fixed name has a fixed place, so that counting it is one
 * addition.  A name with varying parts has a bucket, which is found by a hash
 * of the parts; the bucket of a platform error is found by its code, as there
 * are only 3 x 1,100 codes.
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

/* A metric and the cleaned parts of its name. */
struct bucket_key {
	uint8_t metric; /* enum metric_id */
	uint8_t len[2];
	char text[2 * PART_MAX]; /* one part after the other */
};

struct bucket {
	uint64_t count;
	size_t message;       /* the last message that named it */
	bucket_number *place; /* of its number in the tally */
	bucket_number next;   /* of the family, in order of appearance */
	bool shown;           /* has a value, or is meant to be sent as 0 */
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
	unsigned char hash_key[16]; /* secret: names come from clients */
	bool has_hash_key;
	struct bucket buckets[TALLY_BUCKETS];
	struct timer timers[TIMERS_MAX];
};

/* Empties a tally for reuse; it must have been zeroed once. */
void tally_reset(struct tally *tally);

/* a + b, or UINT64_MAX if that is less. */
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
 * Adds a sample whose name varies, after cleaning its parts.  It is ignored if
 * a part is empty or longer than PART_MAX bytes, or if the current message
 * (tally->messages) has already given a sample of that name: the first one
 * decides.  A gauge or timer without a number adds nothing, but counts as that
 * first one.  Returns whether a value was added.
 */
bool tally_add(struct tally *tally, const struct sample *sample);

/* Adds n platform errors of a code [HRL][0-9]{2,3}; 0 makes it appear. */
void tally_add_error(struct tally *tally, struct slice code, uint64_t n);

/* Whether the code has been added. */
bool tally_has_error(const struct tally *tally, struct slice code);

/* Whether there is nothing to send. */
bool tally_is_empty(const struct tally *tally);

/*
 * Calls visit for everything that is to be sent, family by family: first the
 * fixed counters, then the varying names in order of appearance, then timers.
 * A sample's parts are clean, and belong to the tally.
 */
void tally_each(const struct tally *tally,
    void (*visit)(void *context, const struct sample *sample), void *context);

#endif
