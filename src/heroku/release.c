#include "heroku/release.h"

#include "heroku/number.h"

enum { DIGITS_MAX = 20 };

/* Takes one or more digits. */
static bool
take_digits(struct slice *s, struct slice *digits)
{
	*digits = slice_head(*s, slice_digits(*s));
	*s = slice_after(*s, digits->len);
	return digits->len > 0;
}

/* Whether text starts with before, digits and after. */
static bool
is_release(struct slice text, struct slice before, struct slice after)
{
	struct slice ignored;

	return slice_take(&text, before) && take_digits(&text, &ignored) &&
	    slice_starts_with(text, after);
}

/* "web@2:Standard-1X"; false if the word is anything else. */
static bool
tally_formation(struct slice word, struct tally *tally, bool *given)
{
	struct slice type, n;
	struct sample sample = {.metric = METRIC_FORMATION};

	if (!slice_cut(&word, '@', &type) || type.len == 0 ||
	    !take_digits(&word, &n) || n.len > DIGITS_MAX ||
	    !slice_starts_with(word, SLICE(":")))
		return false;
	sample.parts[0] = (struct part){type, PART_NAME};
	sample.number = n;
	*given |= tally_add(tally, &sample);
	return true;
}

bool
release_tally(struct slice text, struct tally *tally)
{
	struct slice word;
	bool is_new =
	    is_release(text, SLICE("Release v"), SLICE(" created by"));
	bool is_old = is_release(text, SLICE("Rollback to v"), SLICE(" by"));
	bool given = is_new || is_old, more;

	if (is_new)
		tally_count(tally, METRIC_RELEASE, 1);
	if (is_old)
		tally_count(tally, METRIC_ROLLBACK, 1);
	more = slice_take(&text, SLICE("Scaled to "));
	while (more && slice_take_element(&text, ' ', &word))
		more = tally_formation(word, tally, &given);
	return given;
}
