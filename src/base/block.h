/*
 * Looking at 64 bytes at once: which of them are of some kind, as the bits of a
 * number.
 *
 *	"a=b c=d ..."    of kind "="    ->    ...00100010
 *
 * This uses the vectors of gcc and clang, which need no particular processor.
 * Hopping from bit to bit is faster than looking at each byte: the processor
 * mispredicts where a loop over bytes ends.
 */
#ifndef BASE_BLOCK_H
#define BASE_BLOCK_H

#include <stdint.h>
#include <string.h>

enum { BLOCK = 64 };

/* The order of the bits is that of the bytes in a number. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "little-endian");

/* A comparison of vectors gives 0xff or 0 for each byte. */
typedef uint8_t block_bytes __attribute__((vector_size(16)));
typedef uint64_t block_words __attribute__((vector_size(16)));

static inline block_bytes
block_load(const char *p)
{
	block_bytes v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/*
 * Moves the bits of each word into half of its bytes, and those of another word
 * into the other half.
 */
static inline block_words
block_fold(block_words a, block_words b, int shift, uint64_t half)
{
	return ((a | a >> shift) & half) | ((b | b >> shift) & half) << shift;
}

/* The bits of four times 16 bytes, each 0xff or 0. */
static inline uint64_t
block_bits(block_bytes a, block_bytes b, block_bytes c, block_bytes d)
{
	const block_bytes bit = {
	    1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
	const uint64_t half = 0xffffffff, quarter = 0x0000ffff0000ffff;
	block_words ac = block_fold(
	    (block_words)(a & bit), (block_words)(c & bit), 32, half);
	block_words bd = block_fold(
	    (block_words)(b & bit), (block_words)(d & bit), 32, half);
	block_words w = block_fold(ac, bd, 16, quarter);

	w = (w | w >> 8) & 0x00ff00ff00ff00ff;
	return w[0] | w[1] << 8;
}

/* The place of the lowest bit; bits is not 0. */
static inline size_t
block_first(uint64_t bits)
{
	return (size_t)__builtin_ctzll(bits);
}

/* The bits without the lowest one. */
static inline uint64_t
block_rest(uint64_t bits)
{
	return bits & (bits - 1);
}

#endif
