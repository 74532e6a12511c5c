/*
 * Text written into a buffer of fixed size: answers, log lines, buckets.
 *
 * What does not fit is dropped and noted in `truncated`; nothing is ever
 * written past the end.  The text is not NUL-terminated.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct buf {
	char *ptr;
	size_t len; /* bytes written */
	size_t cap; /* bytes there is room for */
	bool truncated;
};

/* An empty buffer in a char array. */
#define BUF_IN(array) ((struct buf){(array), 0, sizeof(array), false})

static inline struct slice
buf_slice(const struct buf *t)
{
	return (struct slice){t->ptr, t->len};
}

void buf_put(struct buf *t, struct slice s);
void buf_put_string(struct buf *t, const char *string);
void buf_put_number(struct buf *t, uint64_t number);

/* Writes number with leading zeros, up to width digits. */
void buf_put_padded(struct buf *t, uint64_t number, unsigned width);

/*
 * Bytes made visible: control characters and bytes beyond ASCII appear as \n,
 * \r, \t or \xHH, so that a value can neither end a line nor control a
 * terminal.
 */
void buf_put_visible(struct buf *t, struct slice s);

/*
 * Like buf_put_visible, in double quotes, with quotes and backslashes escaped.
 */
void buf_put_quoted(struct buf *t, struct slice s);

#endif
