/*
 * Borrowed byte strings, and reading them from the front.
 *
 * All input is a slice: not NUL-terminated, any bytes, owned by someone else
 * and valid for as long as the slice is used.  A slice_take_* or slice_cut
 * function is a cursor read: it moves the slice past what it took, and leaves
 * it alone when it fails.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/ascii.h"

struct slice {
	const char *ptr; /* may be NULL only if len is 0 */
	size_t len;      /* bytes */
};

/* The slice of a string literal. */
#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})

/* For printf's "%.*s". */
#define SLICE_ARG(s) (int)(s).len, (s).ptr

/* The bytes of a NUL-terminated string; NULL gives an empty slice. */
static inline struct slice
slice_of(const char *string)
{
	return (struct slice){string, string != NULL ? strlen(string) : 0};
}

/* The first n bytes, or all of them if there are fewer. */
static inline struct slice
slice_head(struct slice s, size_t n)
{
	return (struct slice){s.ptr, n < s.len ? n : s.len};
}

/* What remains after the first n bytes; n is at most s.len. */
static inline struct slice
slice_after(struct slice s, size_t n)
{
	return n == 0 ? s : (struct slice){s.ptr + n, s.len - n};
}

/* How many bytes of whole precede its remainder rest. */
static inline size_t
slice_offset(struct slice whole, struct slice rest)
{
	return whole.len - rest.len;
}

static inline bool
slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || !memcmp(a.ptr, b.ptr, a.len));
}

static inline bool
slice_starts_with(struct slice s, struct slice prefix)
{
	return prefix.len == 0 ||
	    (s.len >= prefix.len && !memcmp(s.ptr, prefix.ptr, prefix.len));
}

/* Whether every byte of s is in a class; true if s is empty. */
static inline bool
slice_is_all(struct slice s, bool (*is_in_class)(char c))
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_in_class(s.ptr[i]))
			return false;
	return true;
}

/* Whether c is among the bytes of s. */
static inline bool
slice_contains(struct slice s, char c)
{
	return s.len > 0 && memchr(s.ptr, c, s.len) != NULL;
}

/* Removes prefix from the front. */
static inline bool
slice_take(struct slice *s, struct slice prefix)
{
	if (!slice_starts_with(*s, prefix))
		return false;
	*s = slice_after(*s, prefix.len);
	return true;
}

/* Takes everything before the first separator, and the separator. */
static inline bool
slice_cut(struct slice *s, char separator, struct slice *head)
{
	const char *end;

	if (s->len == 0 || (end = memchr(s->ptr, separator, s->len)) == NULL)
		return false;
	*head = slice_head(*s, (size_t)(end - s->ptr));
	*s = slice_after(*s, head->len + 1);
	return true;
}

/*
 * Like slice_cut, but takes everything if there is no separator; false if s is
 * empty.
 */
bool slice_take_element(struct slice *s, char separator, struct slice *head);

/* Like slice_cut, but at the last separator. */
bool slice_cut_last(struct slice *s, char separator, struct slice *head);

/* Takes and returns everything before the first delimiter, or everything. */
struct slice slice_take_until(struct slice *s, struct slice delimiters);

/* How many digits s starts with. */
static inline size_t
slice_digits(struct slice s)
{
	size_t n = 0;

	while (n < s.len && ascii_is_digit(s.ptr[n]))
		n++;
	return n;
}

/*
 * Takes a decimal number of at most max_digits (below 19) digits.  Fails if
 * there are no digits or too many.
 */
static inline bool
slice_take_number(struct slice *s, size_t max_digits, size_t *number)
{
	size_t digits = 0, n = 0;

	while (digits < s->len && ascii_is_digit(s->ptr[digits])) {
		if (digits == max_digits)
			return false;
		n = n * 10 + (size_t)(s->ptr[digits] - '0');
		digits++;
	}
	if (digits == 0)
		return false;
	*s = slice_after(*s, digits);
	*number = n;
	return true;
}

/* Whether a and b are equal when the case of ASCII letters is ignored. */
bool slice_equal_nocase(struct slice a, struct slice b);

/* s without white space at either end. */
struct slice slice_trim(struct slice s);

#endif
