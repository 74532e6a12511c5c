#include "plain.h"

#include "base/ascii.h"

static bool
take_key(struct slice *s, struct slice *key)
{
	size_t n = 0;

	while (n < s->len && s->ptr[n] != '=' && s->ptr[n] != '"' &&
	    !ascii_is_space(s->ptr[n]))
		n++;
	if (n == 0 || n == s->len || s->ptr[n] != '=')
		return false;
	*key = slice_head(*s, n);
	*s = slice_after(*s, n + 1);
	return true;
}

static void
take_bare(struct slice *s, struct logfmt_pair *pair)
{
	size_t n = 0;

	while (n < s->len && !ascii_is_space(s->ptr[n]))
		n++;
	pair->value = slice_head(*s, n);
	pair->escaped = false;
	*s = slice_after(*s, n);
}

/* *s starts after the opening quote. */
static bool
take_quoted(struct slice *s, struct logfmt_pair *pair)
{
	size_t n = 0;

	pair->escaped = false;
	while (n < s->len && s->ptr[n] != '"') {
		if (s->ptr[n] == '\\') {
			pair->escaped = true;
			n++;
		}
		n++;
	}
	if (n >= s->len)
		return false;
	pair->value = slice_head(*s, n);
	*s = slice_after(*s, n + 1);
	return s->len == 0 || ascii_is_space(s->ptr[0]);
}

bool
plain_logfmt_next(struct slice *line, struct logfmt_pair *pair)
{
	size_t n = 0;

	while (n < line->len && ascii_is_space(line->ptr[n]))
		n++;
	*line = slice_after(*line, n);
	if (!take_key(line, &pair->key))
		return false;
	if (slice_take(line, SLICE("\"")))
		return take_quoted(line, pair);
	take_bare(line, pair);
	return true;
}
