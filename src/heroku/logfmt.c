#include "heroku/logfmt.h"

#include "base/ascii.h"

/* What a byte ends, as bits. */
enum { WORD = 1, KEY = 2, QUOTED = 4 };

/* White space ends a word; "=" and the quote end a key as well. */
static const unsigned char ends[256] = {
    [' '] = WORD | KEY,
    ['\t'] = WORD | KEY,
    ['\n'] = WORD | KEY,
    ['\v'] = WORD | KEY,
    ['\f'] = WORD | KEY,
    ['\r'] = WORD | KEY,
    ['='] = KEY,
    ['"'] = KEY | QUOTED,
    ['\\'] = QUOTED,
};

/*
 * The place of the first byte, from n on, that ends this; s.len if there is
 * none.
 */
static inline size_t
find_end(struct slice s, size_t n, unsigned what)
{
	while (n < s.len && !(ends[(unsigned char)s.ptr[n]] & what))
		n++;
	return n;
}

/* *s starts after the opening quote. */
static bool
take_quoted(struct slice *s, struct logfmt_pair *pair)
{
	size_t n = find_end(*s, 0, QUOTED);

	pair->escaped = false;
	while (n < s->len && s->ptr[n] == '\\') {
		pair->escaped = true;
		n = n + 2 < s->len ? find_end(*s, n + 2, QUOTED) : s->len;
	}
	if (n >= s->len)
		return false;
	pair->value = slice_head(*s, n);
	*s = slice_after(*s, n + 1);
	return s->len == 0 || ascii_is_space(s->ptr[0]);
}

bool
logfmt_next(struct slice *line, struct logfmt_pair *pair)
{
	size_t n = 0;

	while (n < line->len && ascii_is_space(line->ptr[n]))
		n++;
	*line = slice_after(*line, n);
	n = find_end(*line, 0, KEY);
	if (n == 0 || n == line->len || line->ptr[n] != '=')
		return false;
	pair->key = slice_head(*line, n);
	*line = slice_after(*line, n + 1);
	if (slice_take(line, SLICE("\"")))
		return take_quoted(line, pair);
	n = find_end(*line, 0, WORD);
	pair->value = slice_head(*line, n);
	pair->escaped = false;
	*line = slice_after(*line, n);
	return true;
}

struct slice
logfmt_value(const struct logfmt_pair *pair, char *buf, size_t max)
{
	struct slice raw = pair->value;
	size_t n = 0;

	if (!pair->escaped)
		return raw;
	for (size_t i = 0; i < raw.len && n <= max; i++) {
		if (raw.ptr[i] == '\\')
			i++;
		buf[n++] = raw.ptr[i];
	}
	return (struct slice){buf, n};
}
