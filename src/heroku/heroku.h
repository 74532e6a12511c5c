/*
 * What a message says: platform errors, and whatever else METRICS asks for.
 *
 * The writer of a message decides what it may be, never its text alone.  Each
 * family has a recogniser in a separate file (error, router, dyno, ...), which
 * adds samples to a tally and knows nothing about statsd.
 */
#ifndef HEROKU_HEROKU_H
#define HEROKU_HEROKU_H

#include "heroku/error.h"
#include "logplex/syslog_msg.h"
#include "metric/tally.h"

/* What counts. */
struct heroku_rules {
	struct error_rules errors;
	unsigned families; /* FAMILY_BITs of those to count */
};

/* What a message is, in a form for people. */
struct heroku_reading {
	enum error_verdict verdict;
	struct error_code code; /* if the verdict counts */
	unsigned families;      /* of the samples that it gives */
	const char *flaw;       /* why a value gives no sample, or NULL */
};

/*
 * Adds to the tally what the message says; errors add to tally->errors
 * whichever families are on. tally->messages must be the message's number.
 */
struct heroku_reading heroku_read(const struct syslog_msg *message,
    const struct heroku_rules *rules, struct tally *tally);

#endif
