/*
 * logfmt, as the router writes it: key=value pairs, separated by white space.
 *
 *	sock=client at=warning code=H27 desc="Client \"x\"" dyno= connect=1ms
 *	            `key`value `pair          `quoted       `empty
 */
#ifndef HEROKU_LOGFMT_H
#define HEROKU_LOGFMT_H

#include "heroku/marks.h"

struct logfmt_pair {
	struct slice key;   /* no white space, "=" or double quote; not empty */
	struct slice value; /* between the quotes, if there are any */
	bool escaped;       /* quoted, and with a backslash in it */
};

/* A line whose pairs are being read. */
struct logfmt {
	struct marks marks;
	size_t
	    at; /* where the next pair is looked for; may be beyond the end */
};

static inline struct logfmt
logfmt_of(struct slice line)
{
	return (struct logfmt){marks_of(line), 0};
}

/*
 * Takes the next pair from the line.  False at the end of the line, and at
 * anything that is not a pair: a word without "=", a quote that never closes,
 * or a closing quote with text directly after it.  The line moves on failure
 * too: it must not be read on then.
 */
static inline bool logfmt_next(struct logfmt *line, struct logfmt_pair *pair);

/*
 * The pair's value without its escapes: \x stands for x.  It is in buf if there
 * were any; a value of more than max bytes is cut to max + 1, so that it equals
 * nothing of at most max bytes.  buf holds max + 1 bytes.
 */
struct slice logfmt_value(
    const struct logfmt_pair *pair, char *buf, size_t max);

/* What a byte ends, as bits. */
enum { LOGFMT_WORD = 1, LOGFMT_KEY = 2, LOGFMT_QUOTED = 4 };
extern const unsigned char logfmt_ends[256];

/*
 * The place of the next byte that ends this, which is the next mark then; the
 * line's length if there is none.
 */
static inline size_t
logfmt_find(struct logfmt *line, unsigned what)
{
	struct slice text = line->marks.text;
	size_t n;

	while ((n = marks_next(&line->marks)) < text.len &&
	    !(logfmt_ends[(unsigned char)text.ptr[n]] & what))
		marks_pass(&line->marks);
	return n;
}

/* The bytes from where the line is to the place. */
static inline struct slice
logfmt_part(const struct logfmt *line, size_t to)
{
	return (struct slice){line->marks.text.ptr + line->at, to - line->at};
}

/* Passes the byte at the next mark, or the end. */
static inline void
logfmt_pass(struct logfmt *line, size_t n)
{
	marks_pass(&line->marks);
	line->at = n + 1;
}

/* The line is at the opening quote. */
static inline bool
logfmt_take_quoted(struct logfmt *line, struct logfmt_pair *pair)
{
	struct slice text = line->marks.text;
	size_t n;

	logfmt_pass(line, logfmt_find(line, LOGFMT_QUOTED));
	pair->escaped = false;
	while ((n = logfmt_find(line, LOGFMT_QUOTED)) < text.len &&
	    text.ptr[n] == '\\') {
		pair->escaped = true;
		marks_pass(&line->marks);
		if (marks_next(&line->marks) == n + 1)
			marks_pass(&line->marks);
	}
	if (n == text.len)
		return false;
	pair->value = logfmt_part(line, n);
	logfmt_pass(line, n);
	return line->at == text.len || ascii_is_space(text.ptr[line->at]);
}

static inline bool
logfmt_next(struct logfmt *line, struct logfmt_pair *pair)
{
	struct slice text = line->marks.text;
	size_t n;

	while ((n = logfmt_find(line, LOGFMT_KEY)) == line->at &&
	    n < text.len && ascii_is_space(text.ptr[n]))
		logfmt_pass(line, n);
	if (n == line->at || n == text.len || text.ptr[n] != '=')
		return false;
	pair->key = logfmt_part(line, n);
	logfmt_pass(line, n);
	if (line->at < text.len && text.ptr[line->at] == '"')
		return logfmt_take_quoted(line, pair);
	n = logfmt_find(line, LOGFMT_WORD);
	pair->value = logfmt_part(line, n);
	pair->escaped = false;
	logfmt_pass(line, n);
	return true;
}

#endif
