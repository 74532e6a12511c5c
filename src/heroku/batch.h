/*
 * A request's body, judged message by message: framing, header, verdict.
 */
#ifndef HEROKU_BATCH_H
#define HEROKU_BATCH_H

#include "logplex/frame.h"
#include "heroku/error.h"
#include "metric/tally.h"

struct batch {
	struct slice body;
	struct slice rest; /* what has not been read */
};

struct batch_message {
	size_t number;     /* from 1 */
	size_t offset;     /* of its frame in the body, in bytes */
	bool skipped;      /* its header cannot be read: no verdict */
	struct slice text; /* MSG, or the whole SYSLOG-MSG if skipped */
	enum heroku_verdict verdict;
	struct heroku_code code; /* if the verdict counts */
};

static inline struct batch
batch_of(struct slice body)
{
	return (struct batch){body, body};
}

/*
 * Judges the next message.  Any answer but FRAME_OK ends the batch; with a
 * fault, message->number and message->offset say where.  The number goes on
 * from what *message held before, so it starts zeroed.
 */
enum frame_result batch_next(struct batch *batch,
    const struct heroku_rules *rules, struct batch_message *message);

/* Adds one judged message to the counts. */
void batch_tally(const struct batch_message *message, struct tally *tally);

/*
 * Judges all and adds them up in an empty tally.  FRAME_END, or the fault, with
 * its place in *message; the tally then holds what came before and must not
 * be used.
 */
enum frame_result batch_count(struct slice body,
    const struct heroku_rules *rules, struct tally *tally,
    struct batch_message *message);

#endif
