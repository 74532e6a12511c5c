/*
 * A connection from the web server, and the request that it carries: read
 * strictly and with a deadline, here rather than by libfcgi.  A web server
 * sends an opening and a body, and then waits in silence for its answer;
 * anything else, including a hang-up, ends the request.
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
	size_t content, padding; /* what is to come of a STDIN record */
	enum body_end end;
	size_t from, to; /* of buf: what has been received and not read */
	char buf[OPENING_MAX];
};

/*
 * Receives the opening of a request, for which the peer has only
 * OPENING_WAIT_MS; the first four members must be set.  False if no opening
 * comes, which is logged unless the peer merely hung up.  *opening lies in buf
 * and is valid until the next read.
 */
bool peer_open(struct peer *peer, struct slice *opening);

/*
 * Reads len bytes of the body; fewer only if it ends. -1 if it breaks: at a
 * hang-up, another record, or the deadline.
 */
ssize_t peer_read(struct peer *peer, char *buf, size_t len);

/* Reads the body to its end; false if it breaks. */
bool peer_drain(struct peer *peer);

/*
 * Whether the peer does not wait for an answer: the body is broken, or was
 * followed by a hang-up or by anything else, such as ABORT_REQUEST.
 */
bool peer_hung_up(struct peer *peer);

#endif
