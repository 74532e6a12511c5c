#include "heroku/loss.h"

#include "heroku/number.h"

/* Larger numbers are not believed. */
enum { LOST_MAX = INT32_MAX };

static bool
is_lossy(struct slice code)
{
	return slice_equal(code, SLICE("L10")) ||
	    slice_equal(code, SLICE("L12")) || slice_equal(code, SLICE("L13"));
}

/* The word at the end of s; empty if no white space precedes it. */
static struct slice
last_word(struct slice s)
{
	size_t n = s.len;

	while (n > 0 && !ascii_is_space(s.ptr[n - 1]))
		n--;
	return slice_after(s, n > 0 ? n : s.len);
}

/* The digits before the first " messages" that has digits before it. */
static struct slice
find_number(struct slice text)
{
	const struct slice word = SLICE(" messages");

	for (size_t i = 0; i + word.len <= text.len; i++) {
		struct slice rest = slice_after(text, i), number;

		if (!slice_take(&rest, word) ||
		    (rest.len > 0 && !ascii_is_space(rest.ptr[0])))
			continue;
		number = last_word(slice_head(text, i));
		if (number.len > 0 && slice_is_all(number, ascii_is_digit))
			return number;
	}
	return (struct slice){0};
}

bool
loss_tally(
    struct slice text, const struct error_code *code, struct tally *tally)
{
	struct slice name = error_code_slice(code), number;
	uint64_t messages;

	if (!is_lossy(name))
		return false;
	number = find_number(text);
	while (number.len > 1 && number.ptr[0] == '0')
		number = slice_after(number, 1);
	if (!number_read_whole(number, &messages) || messages > LOST_MAX)
		return false;
	tally_count(tally,
	    slice_equal(name, SLICE("L13")) ? METRIC_LOST : METRIC_DROPPED,
	    messages);
	return true;
}
