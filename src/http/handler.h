/*
 * The policy: how one request is answered, and what it counts.  A pure function
 * of its arguments; every HTTP status is decided here.
 */
#ifndef HTTP_HANDLER_H
#define HTTP_HANDLER_H

#include "heroku/batch.h"
#include "bounds.h"
#include "config/config.h"
#include "http/request.h"
#include "metric/tally.h"

struct outcome {
	int status;         /* HTTP */
	const char *reason; /* a sentence; NULL on success */
	const char *cause;  /* of a 401, for the log alone */
	const char *allow;  /* of a 405: its Allow header */
	struct slice app;   /* in `path`; empty if the path names none */
	bool authorised;    /* to write for the app */
	struct slice path;  /* after BASE_PATH; in path_buf */
	struct batch_message fault; /* of a 422: its number and offset */
	bool duplicate;             /* of a 201: it had been counted before */
	char path_buf[PATH_MAX_BYTES];
};

/* Whether s may be an application's name: [A-Za-z0-9_-]{1,64}. */
bool handler_is_app(struct slice s);

/*
 * Decides, in this order: path, method, credentials, content type, length,
 * framing.  The tally must be empty; afterwards it holds what is to be sent.
 */
void handler_decide(const struct config *config, const struct request *request,
    struct tally *tally, struct outcome *outcome);

/* What may still prevent an accepted batch from being counted. */
enum obstacle {
	OBSTACLE_FAULTS, /* the configuration is faulty: 500 */
	OBSTACLE_BUSY,   /* another process is counting the same batch: 503 */
	OBSTACLE_HUNG_UP /* the client has disconnected: 503 */
};

/*
 * Turns the outcome into an error: nothing was counted, and nothing may be from
 * here on.
 */
void handler_withdraw(struct outcome *outcome, enum obstacle obstacle);

#endif
