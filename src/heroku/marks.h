/*
 * The places in a text at which a reader of logfmt may have to decide: every
 * byte up to the double quote (white space is among them), "=" and the
 * backslash.
 *
 *	at=info path="/a b"
 *	  ^    ^    ^^  ^ ^
 */
#ifndef HEROKU_MARKS_H
#define HEROKU_MARKS_H

#include "base/block.h"
#include "base/slice.h"

struct marks {
	struct slice text;
	size_t block;  /* where the bytes start that bits is about */
	uint64_t bits; /* the marks among them that are not yet passed */
};

static inline block_bytes
marks_in_16(const char *p)
{
	block_bytes v = block_load(p);

	return (block_bytes)((v <= '"') | (v == '=') | (v == '\\'));
}

static inline uint64_t
marks_in_block(const char *p)
{
	return block_bits(marks_in_16(p), marks_in_16(p + 16),
	    marks_in_16(p + 32), marks_in_16(p + 48));
}

/* The same of fewer bytes. */
uint64_t marks_in_rest(struct slice rest);

static inline uint64_t
marks_from(struct slice text, size_t block)
{
	return text.len - block >= BLOCK
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
		if (m->text.len - m->block <= BLOCK)
			return m->text.len;
		m->block += BLOCK;
		m->bits = marks_from(m->text, m->block);
	}
	return m->block + block_first(m->bits);
}

/* Passes the mark that marks_next has returned, if there was one. */
static inline void
marks_pass(struct marks *m)
{
	m->bits = block_rest(m->bits);
}

#endif
