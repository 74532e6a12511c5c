/*
 * A request's body, message by message: framing, header, meaning.
 */
#ifndef HEROKU_BATCH_H
#define HEROKU_BATCH_H

#include "heroku/heroku.h"
#include "logplex/frame.h"

struct batch {
	struct slice body;
	struct slice rest; /* what has not been read */
};

struct batch_message {
	size_t number;            /* from 1 */
	size_t offset;            /* of its frame in the body, in bytes */
	bool skipped;             /* its header cannot be read */
	struct slice syslog_msg;  /* the whole SYSLOG-MSG */
	struct syslog_msg header; /* if it is not skipped */
};

static inline struct batch
batch_of(struct slice body)
{
	return (struct batch){body, body};
}

/*
 * Takes the next message.  Any result but FRAME_OK ends the batch; after a
 * fault, message->number and message->offset say where it is.  The number is
 * one more than *message held before, so zero *message at the start.
 */
enum frame_result batch_next(
    struct batch *batch, struct batch_message *message);

/* Adds to the tally what a message says; a skipped one says nothing. */
struct heroku_reading batch_tally(const struct batch_message *message,
    const struct heroku_rules *rules, struct tally *tally);

/* Adds the counters of the batch itself, once all messages are read. */
void batch_end(const struct heroku_rules *rules, struct tally *tally);

/*
 * Reads all messages and adds them up in an empty tally.  Returns FRAME_END, or
 * the fault with its place in *message; the tally then holds what came before
 * it and must not be used.
 */
enum frame_result batch_count(struct slice body,
    const struct heroku_rules *rules, struct tally *tally,
    struct batch_message *message);

#endif
