#include "heroku/number.h"

enum { GAUGE_MAX = 20, WHOLE_DIGITS = 15, MS_DIGITS = 3 };

const char number_flaw[] = "a value that is not a plain number gives no sample";

struct slice
number_take_gauge(struct slice *s)
{
	size_t whole = slice_digits(*s), n = whole, end;

	if (n < s->len && s->ptr[n] == '.')
		n += 1 + slice_digits(slice_after(*s, n + 1));
	end = n;
	while (end < s->len && ascii_is_letter(s->ptr[end]))
		end++;
	if (whole == 0 || n == whole + 1 || n > GAUGE_MAX || end < s->len)
		return (struct slice){0};
	*s = slice_after(*s, n);
	return (struct slice){s->ptr - n, n};
}

bool
number_read_whole(struct slice s, uint64_t *number)
{
	size_t n;

	if (!slice_take_number(&s, WHOLE_DIGITS, &n) || s.len > 0)
		return false;
	*number = n;
	return true;
}

struct slice
number_to_ms(struct slice seconds, char ms[static NUMBER_MAX])
{
	size_t whole = slice_digits(seconds), len = 0, start = 0, point;

	for (size_t i = 0; i < seconds.len; i++)
		if (seconds.ptr[i] != '.')
			ms[len++] = seconds.ptr[i];
	point = whole + MS_DIGITS;
	while (len < point)
		ms[len++] = '0';
	while (start + 1 < point && ms[start] == '0')
		start++;
	if (len > point) {
		memmove(ms + point + 1, ms + point, len - point);
		ms[point] = '.';
		len++;
	}
	return (struct slice){ms + start, len - start};
}
