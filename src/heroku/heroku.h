/*
 * What a message says: platform errors, and what else METRICS asks for.
 *
 * Who wrote a message decides what it may be, never its text alone: each family
 * has its recogniser, in a file of its own (error, router, dyno, ...), which
 * adds samples to a tally and knows nothing of statsd.
 */
#ifndef HEROKU_HEROKU_H
#define HEROKU_HEROKU_H

#include "heroku/error.h"
#include "logplex/syslog_msg.h"
#include "metric/tally.h"

/* What counts. */
struct heroku_rules {
	struct error_rules errors;
	unsigned families; /* as FAMILY_BITs: what the tally is given */
};

/* What a message is, for people. */
struct heroku_reading {
	enum error_verdict verdict;
	struct error_code code; /* if the verdict counts */
	unsigned families;      /* of the samples that it gives */
	const char *flaw;       /* why a value gives none, or NULL */
};

/*
 * Adds what the message says to the tally, errors to tally->errors whatever the
 * families; tally->messages is the message's number.
 */
struct heroku_reading heroku_read(const struct syslog_msg *message,
    const struct heroku_rules *rules, struct tally *tally);

#endif
