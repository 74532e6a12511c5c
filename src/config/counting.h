/*
 * What is counted and how it is named: METRICS, TAGS, ZEROS, PREFIX_<APP>.
 *
 * Each parse function reads a variable's value, which must stay valid.  It
 * returns NULL, or a sentence that says what is wrong with the value.
 */
#ifndef CONFIG_COUNTING_H
#define CONFIG_COUNTING_H

#include <stdint.h>

#include "bounds.h"
#include "base/slice.h"
#include "metric/tally.h"

struct app_prefix {
	struct slice variable; /* the end of PREFIX_<APP> */
	struct slice prefix;
};

struct counting {
	unsigned families; /* FAMILY_BITs */
	struct slice tags; /* "key:value,...", or empty */
	size_t zero_count;
	struct slice zeros[ZEROS_MAX]; /* codes */
	size_t prefix_count;
	struct app_prefix prefixes[APPLICATIONS_MAX]; /* sorted, once sorted */
};

const char *counting_parse_metrics(struct counting *c, struct slice value);
const char *counting_parse_tags(struct counting *c, struct slice value);
const char *counting_parse_zeros(struct counting *c, struct slice value);
const char *counting_parse_prefix(
    struct counting *c, struct slice variable, struct slice value);

/* To be called once all prefixes are parsed. */
void counting_sort(struct counting *c);

/*
 * What represents the application in bucket names: its prefix, or its own name.
 * The prefix of PREFIX_MY-APP wins over that of PREFIX_MY_APP.
 */
struct slice counting_name(const struct counting *c, struct slice app);

/*
 * Adds with value 0 the codes of ZEROS that the batch does not count itself;
 * adds none if errors are not counted.
 */
void counting_tally_zeros(
    const struct counting *c, const struct tally *batch, struct tally *tally);

#endif
