#include "text.h"

#include "ascii.h"

void
text_put(struct text *t, struct slice s)
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
text_put_string(struct text *t, const char *string)
{
	text_put(t, slice_of(string));
}

void
text_put_number(struct text *t, uint64_t number)
{
	text_put_padded(t, number, 1);
}

void
text_put_padded(struct text *t, uint64_t number, unsigned width)
{
	char digits[20];
	size_t first = sizeof(digits);

	while (number > 0 || (sizeof(digits) - first < width && first > 0)) {
		digits[--first] = (char)('0' + number % 10);
		number /= 10;
	}
	text_put(t, (struct slice){digits + first, sizeof(digits) - first});
}

static void
put_byte(struct text *t, char c, bool quoted)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char byte = (unsigned char)c;

	if (c == '\n')
		text_put(t, SLICE("\\n"));
	else if (c == '\r')
		text_put(t, SLICE("\\r"));
	else if (c == '\t')
		text_put(t, SLICE("\\t"));
	else if (quoted && (c == '"' || c == '\\'))
		text_put(t, (struct slice){(char[]){'\\', c}, 2});
	else if (c == ' ' || ascii_is_visible(c))
		text_put(t, (struct slice){&c, 1});
	else
		text_put(t,
		    (struct slice){
			(char[]){'\\', 'x', hex[byte >> 4], hex[byte & 15]},
			4});
}

void
text_put_visible(struct text *t, struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		put_byte(t, s.ptr[i], false);
}

void
text_put_quoted(struct text *t, struct slice s)
{
	text_put(t, SLICE("\""));
	for (size_t i = 0; i < s.len; i++)
		put_byte(t, s.ptr[i], true);
	text_put(t, SLICE("\""));
}
