/*
 * The places in a text at which a reader of logfmt may have to decide: every
 * byte up to the double quote (white space is among them), "=" and the
 * backslash.
 *
 *	at=info path="/a b"
 *	  ^    ^    ^^  ^ ^
 *
 * They are found for 64 bytes at once, as bits of a number, by the vectors of
 * gcc and clang, which need no particular processor.  Hopping from mark to mark
 * is faster than looking at each byte.
 */
#ifndef HEROKU_MARKS_H
#define HEROKU_MARKS_H

#include <stdint.h>
#include <string.h>

#include "base/slice.h"

/* The order of the bits is that of the bytes in a number. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "little-endian");

enum { MARKS_BLOCK = 64 };

struct marks {
	struct slice text;
	size_t block;  /* where the bytes start that bits is about */
	uint64_t bits; /* the marks among them that are not yet passed */
};

typedef uint8_t marks_bytes __attribute__((vector_size(16)));
typedef uint64_t marks_words __attribute__((vector_size(16)));

/* Each of 16 bytes becomes one bit if it is a mark, or 0. */
static inline marks_words
marks_in_16(const char *p)
{
	const marks_bytes bit = {
	    1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
	marks_bytes v, is_mark;

	memcpy(&v, p, sizeof(v));
	is_mark = (marks_bytes)((v <= '"') | (v == '=') | (v == '\\'));
	return (marks_words)(is_mark & bit);
}

/*
 * Moves the bits of each word into half of its bytes, and those of another word
 * into the other half.
 */
static inline marks_words
marks_fold(marks_words a, marks_words b, int shift, uint64_t half)
{
	return ((a | a >> shift) & half) | ((b | b >> shift) & half) << shift;
}

static inline uint64_t
marks_in_block(const char *p)
{
	marks_words w = marks_fold(
	    marks_fold(marks_in_16(p), marks_in_16(p + 32), 32, 0xffffffff),
	    marks_fold(
		marks_in_16(p + 16), marks_in_16(p + 48), 32, 0xffffffff),
	    16, 0x0000ffff0000ffff);

	w = (w | w >> 8) & 0x00ff00ff00ff00ff;
	return w[0] | w[1] << 8;
}

/* The same of fewer bytes. */
uint64_t marks_in_rest(struct slice rest);

static inline uint64_t
marks_from(struct slice text, size_t block)
{
	return text.len - block >= MARKS_BLOCK
	    ? marks_in_block(text.ptr + block)
	    : marks_in_rest(slice_after(text, block));
}

static inline struct marks
marks_of(struct slice text)
{
	return (struct marks){text, 0, marks_from(text, 0)};
}

/*
 * The place of the next mark, which stays the next until it is passed; text.len
 * if there is none.
 */
static inline size_t
marks_next(struct marks *m)
{
	while (m->bits == 0) {
		if (m->text.len - m->block <= MARKS_BLOCK)
			return m->text.len;
		m->block += MARKS_BLOCK;
		m->bits = marks_from(m->text, m->block);
	}
	return m->block + (size_t)__builtin_ctzll(m->bits);
}

/* Passes the mark that marks_next has returned, if there was one. */
static inline void
marks_pass(struct marks *m)
{
	m->bits &= m->bits - 1;
}

#endif
