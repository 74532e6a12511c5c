/*
 * Octet counting, RFC 6587 section 3.4.1: take one message off a body.
 *
 *	SYSLOG-FRAME = MSG-LEN SP SYSLOG-MSG
 *	MSG-LEN      = NONZERO-DIGIT *DIGIT        ; octets of SYSLOG-MSG
 *
 *	83 <40>1 2012-11-30T06:45:29+00:00 host app web.3 - State changed119
 *<40>...
 *	`+ `--- 83 bytes ------------------------------------------------'
 *	 MSG-LEN
 *
 * Frames are glued: nothing stands between them.  Some senders add CR or LF
 * all the same, which are skipped between frames and at the end.
 */
#ifndef LOGPLEX_FRAME_H
#define LOGPLEX_FRAME_H

#include "base/slice.h"

enum frame_result {
	FRAME_OK,         /* one message taken */
	FRAME_END,        /* no more frames */
	FRAME_PARTIAL,    /* the body ends within this frame */
	FRAME_NO_MSG_LEN, /* no number, or one with a leading zero */
	FRAME_MSG_LEN_TOO_LONG,
	FRAME_NO_SPACE /* MSG-LEN is not followed by a space */
};

/* Takes CR and LF off the front, as they may stand before a frame. */
void frame_skip_newlines(struct slice *body);

/*
 * Takes the frame that *body starts with, and sets *syslog_msg to its bytes,
 * which lie in the body.  Moves *body only if the answer is FRAME_OK.
 */
enum frame_result frame_take(struct slice *body, struct slice *syslog_msg);

/* What is wrong, as a sentence; only for results that are faults. */
const char *frame_reason(enum frame_result fault);

#endif
