/*
 * Messages as an application on Heroku writes them, frame by frame, always the
 * same from the same seed.
 *
 * Of 1,000 messages, about 600 are router lines (at=info), 150 runtime metrics
 * and other words of the platform, 30 platform errors, and 220 the
 * application's own: plain text, Rails, JSON, logfmt.  A frame has 272 bytes on
 * average.
 */
#ifndef CORPUS_H
#define CORPUS_H

#include <stdint.h>

#include "base/buf.h"

/* The share of errors that is usual, of 1,000 messages. */
enum { CORPUS_ERRORS = 30 };

/* A frame is never longer than this. */
enum { CORPUS_FRAME_MAX = 2048 };

struct corpus {
	uint64_t random; /* state of the generator */
	unsigned share;  /* of errors, of 1,000 messages */
	uint64_t clock;  /* microseconds; time passes from line to line */
	size_t errors;   /* platform errors so far */
};

/* The corpus that all figures are of, but for its share of errors. */
struct corpus corpus_new(unsigned share);

/* Adds frames until `bytes` or `messages` is reached; how many were added. */
size_t corpus_put(
    struct corpus *corpus, struct buf *out, size_t messages, size_t bytes);

#endif
