#include "base/buf.h"

#include "base/ascii.h"

void
buf_put(struct buf *t, struct slice s)
{
	size_t room = t->cap - t->len;

	if (s.len > room) {
		s.len = room;
		t->truncated = true;
	}
	if (s.len > 0)
		memcpy(t->ptr + t->len, s.ptr, s.len);
	t->len += s.len;
}

void
buf_put_string(struct buf *t, const char *string)
{
	buf_put(t, slice_of(string));
}

void
buf_put_number(struct buf *t, uint64_t number)
{
	buf_put_padded(t, number, 1);
}

void
buf_put_padded(struct buf *t, uint64_t number, unsigned width)
{
	char digits[20];
	size_t first = sizeof(digits);

	while (number > 0 || (sizeof(digits) - first < width && first > 0)) {
		digits[--first] = (char)('0' + number % 10);
		number /= 10;
	}
	buf_put(t, (struct slice){digits + first, sizeof(digits) - first});
}

static void
put_byte(struct buf *t, char c, bool quoted)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char byte = (unsigned char)c;

	if (c == '\n')
		buf_put(t, SLICE("\\n"));
	else if (c == '\r')
		buf_put(t, SLICE("\\r"));
	else if (c == '\t')
		buf_put(t, SLICE("\\t"));
	else if (quoted && (c == '"' || c == '\\'))
		buf_put(t, (struct slice){(char[]){'\\', c}, 2});
	else if (c == ' ' || ascii_is_visible(c))
		buf_put(t, (struct slice){&c, 1});
	else
		buf_put(t,
		    (struct slice){
			(char[]){'\\', 'x', hex[byte >> 4], hex[byte & 15]},
			4});
}

void
buf_put_visible(struct buf *t, struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		put_byte(t, s.ptr[i], false);
}

void
buf_put_quoted(struct buf *t, struct slice s)
{
	buf_put(t, SLICE("\""));
	for (size_t i = 0; i < s.len; i++)
		put_byte(t, s.ptr[i], true);
	buf_put(t, SLICE("\""));
}
