/*
 * A connection of the web server's, and the request that it carries: read here
 * and not by libfcgi, with a deadline, and strictly.  A web server sends an
 * opening, a body, and is silent until it has its answer; all else ends the
 * request, and so does a hang-up.
 */
#ifndef SERVE_PEER_H
#define SERVE_PEER_H

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

#include "bounds.h"
#include "serve/record.h"

enum body_end { BODY_OPEN, BODY_ENDED, BODY_BROKEN };

struct peer {
	int fd;                  /* does not block */
	int64_t deadline;        /* by clock_ms */
	const sigset_t *waiting; /* the signal mask while it waits */
	size_t opening_max;      /* at most OPENING_MAX */
	unsigned request;        /* the request's id */
	size_t content, padding; /* of a STDIN record, what is to come */
	enum body_end end;
	size_t from, to; /* of buf: what has been received and not read */
	char buf[OPENING_MAX];
};

/*
 * With the first four members set, receives the opening of a request; the
 * peer has only OPENING_WAIT_MS for it.  False if there is none, and the log
 * says so unless the peer has just gone.  *opening lies in buf, until the next
 * read.
 */
bool peer_open(struct peer *peer, struct slice *opening);

/*
 * Reads len bytes of the body; fewer only if it ends, -1 if it breaks: by a
 * hang-up, another record, or the deadline.
 */
ssize_t peer_read(struct peer *peer, char *buf, size_t len);

/* Reads the body to its end; false if it breaks. */
bool peer_drain(struct peer *peer);

/*
 * Whether the peer does not wait for an answer: the body is broken, or after it
 * came a hang-up, or anything else, such as ABORT_REQUEST.
 */
bool peer_hung_up(struct peer *peer);

#endif
