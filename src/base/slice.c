#include "base/slice.h"

#include "base/ascii.h"

bool
slice_take_element(struct slice *s, char separator, struct slice *head)
{
	if (s->len == 0)
		return false;
	if (!slice_cut(s, separator, head)) {
		*head = *s;
		*s = slice_after(*s, s->len);
	}
	return true;
}

bool
slice_cut_last(struct slice *s, char separator, struct slice *head)
{
	size_t n = s->len;

	while (n > 0 && s->ptr[n - 1] != separator)
		n--;
	if (n == 0)
		return false;
	*head = slice_head(*s, n - 1);
	*s = slice_after(*s, n);
	return true;
}

struct slice
slice_take_until(struct slice *s, struct slice delimiters)
{
	size_t n = 0;
	struct slice head;

	while (n < s->len && !slice_contains(delimiters, s->ptr[n]))
		n++;
	head = slice_head(*s, n);
	*s = slice_after(*s, n);
	return head;
}

bool
slice_equal_nocase(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (ascii_to_upper(a.ptr[i]) != ascii_to_upper(b.ptr[i]))
			return false;
	return true;
}

struct slice
slice_trim(struct slice s)
{
	while (s.len > 0 && ascii_is_space(s.ptr[0]))
		s = slice_after(s, 1);
	while (s.len > 0 && ascii_is_space(s.ptr[s.len - 1]))
		s = slice_head(s, s.len - 1);
	return s;
}
