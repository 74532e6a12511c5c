/*
 * Classes of single bytes, independent of the locale.
 */
#ifndef BASE_ASCII_H
#define BASE_ASCII_H

#include <stdbool.h>

static inline bool
ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
ascii_is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static inline bool
ascii_is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static inline char
ascii_to_upper(char c)
{
	return (char)(ascii_is_lower(c) ? c - 'a' + 'A' : c);
}

static inline char
ascii_to_lower(char c)
{
	return (char)(ascii_is_upper(c) ? c - 'A' + 'a' : c);
}

static inline bool
ascii_is_letter(char c)
{
	return ascii_is_upper(c) || ascii_is_lower(c);
}

static inline bool
ascii_is_alnum(char c)
{
	return ascii_is_digit(c) || ascii_is_letter(c);
}

/* Space, tab, LF, VT, FF and CR. */
static inline bool
ascii_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* PRINTUSASCII of RFC 5424 section 6: 33 to 126. */
static inline bool
ascii_is_visible(char c)
{
	return c > ' ' && c < 0x7f;
}

/* -1 if c is no hexadecimal digit. */
static inline int
ascii_hex_value(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_to_upper(c);
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

#endif
