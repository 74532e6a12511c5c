/*
 * Text written into a buffer of fixed size: answers, log lines, buckets.
 *
 * What does not fit is dropped and noted in `truncated`; nothing is ever
 * written past the end.  The text is not NUL-terminated.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slice.h"

struct text {
	char *ptr;
	size_t len; /* bytes written */
	size_t cap; /* bytes there is room for */
	bool truncated;
};

/* An empty text in a char array. */
#define TEXT_IN(array) ((struct text){(array), 0, sizeof(array), false})

static inline struct slice
text_slice(const struct text *t)
{
	return (struct slice){t->ptr, t->len};
}

void text_put(struct text *t, struct slice s);
void text_put_string(struct text *t, const char *string);
void text_put_number(struct text *t, uint64_t number);

/* number with leading zeros up to width digits. */
void text_put_padded(struct text *t, uint64_t number, unsigned width);

/*
 * Bytes made visible: control characters and all beyond ASCII appear as \n,
 * \r, \t or \xHH, so that a value can neither end a line nor drive a terminal.
 */
void text_put_visible(struct text *t, struct slice s);

/* As text_put_visible, in double quotes, with \" and \\ for those two. */
void text_put_quoted(struct text *t, struct slice s);

#endif
