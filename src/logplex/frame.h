/*
 * Octet counting, RFC 6587 section 3.4.1: taking one message from a body.
 *
 *	SYSLOG-FRAME = MSG-LEN SP SYSLOG-MSG
 *	MSG-LEN      = NONZERO-DIGIT *DIGIT        ; octets of SYSLOG-MSG
 *
 *	27 <40>1 - host app web.1 - Up23 <40>1 - host app web.1 - ...
 *	`  `--- 27 bytes -------------'`MSG-LEN of the next frame
 *	 MSG-LEN
 *
 * Frames follow each other directly, with nothing in between.  Some senders add
 * CR or LF all the same; these are skipped between frames and at the end.
 */
#ifndef LOGPLEX_FRAME_H
#define LOGPLEX_FRAME_H

#include "base/slice.h"

enum frame_result {
	FRAME_OK,         /* one message taken */
	FRAME_END,        /* no more frames */
	FRAME_PARTIAL,    /* the body ends within this frame */
	FRAME_NO_MSG_LEN, /* not a number, or with a leading zero */
	FRAME_MSG_LEN_TOO_LONG,
	FRAME_NO_SPACE /* MSG-LEN is not followed by a space */
};

/* Removes CR and LF, which may precede a frame, from the front. */
void frame_skip_newlines(struct slice *body);

/*
 * Takes the frame that *body starts with, and sets *syslog_msg to its bytes,
 * which lie in the body.  Moves *body only if the result is FRAME_OK.
 */
enum frame_result frame_take(struct slice *body, struct slice *syslog_msg);

/* A sentence that says what is wrong; only for results that are faults. */
const char *frame_reason(enum frame_result fault);

#endif
