#include "heroku/dyno.h"

#include "heroku/logfmt.h"
#include "heroku/number.h"

enum { VALUE_MAX = 64, EXIT_DIGITS = 3, EXIT_MAX = 255 };

bool
dyno_read(struct slice procid, struct dyno *dyno)
{
	struct slice n = procid;

	if (!slice_cut_last(&n, '.', &dyno->type))
		return false;
	dyno->n = n;
	return dyno->type.len > 0 && n.len > 0 &&
	    slice_is_all(n, ascii_is_digit);
}

static const struct {
	struct slice key;
	enum metric_id metric;
} keys[] = {
#define KEY(key, metric)                                                       \
	{                                                                      \
		{"sample#" key, sizeof("sample#" key) - 1}, metric             \
	}
    KEY("load_avg_1m", METRIC_LOAD_1M),
    KEY("load_avg_5m", METRIC_LOAD_5M),
    KEY("load_avg_15m", METRIC_LOAD_15M),
    KEY("memory_total", METRIC_MEMORY_TOTAL),
    KEY("memory_rss", METRIC_MEMORY_RSS),
    KEY("memory_cache", METRIC_MEMORY_CACHE),
    KEY("memory_swap", METRIC_MEMORY_SWAP),
    KEY("memory_quota", METRIC_MEMORY_QUOTA),
#undef KEY
};

static const struct {
	struct slice name;
	enum metric_id metric;
} states[] = {
    {{"starting", 8}, METRIC_DYNO_STARTING},
    {{"up", 2}, METRIC_DYNO_UP},
    {{"down", 4}, METRIC_DYNO_DOWN},
    {{"crashed", 7}, METRIC_DYNO_CRASHED},
    {{"complete", 8}, METRIC_DYNO_COMPLETE},
};

static bool
add(struct tally *tally, enum metric_id metric, struct slice first,
    struct slice second, struct slice number)
{
	struct sample sample = {
	    metric, {{first, PART_NAME}, {second, PART_NAME}}, 1, number};

	return tally_add(tally, &sample);
}

/* One-off dynos keep getting new names, so their gauges would pile up. */
static bool
is_one_off(struct slice type)
{
	return slice_equal(type, SLICE("run")) ||
	    slice_equal(type, SLICE("release")) ||
	    slice_equal(type, SLICE("scheduler"));
}

static bool
add_sample(const struct dyno *dyno, const struct logfmt_pair *pair,
    struct tally *tally, const char **flaw)
{
	char buf[VALUE_MAX + 1];
	struct slice value = logfmt_value(pair, buf, VALUE_MAX), number;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!slice_equal(pair->key, keys[i].key))
			continue;
		number = number_take_gauge(&value);
		if (number.len == 0 && value.len > 0)
			*flaw = number_flaw;
		return add(tally, keys[i].metric, dyno->type, dyno->n, number);
	}
	return false;
}

__attribute__((flatten)) static bool
add_samples(const struct dyno *dyno, struct slice text, struct tally *tally,
    const char **flaw)
{
	struct logfmt line = logfmt_of(text);
	struct logfmt_pair pair;
	bool given = false;

	while (logfmt_next(&line, &pair))
		if (slice_starts_with(pair.key, SLICE("sample#")))
			given |= add_sample(dyno, &pair, tally, flaw);
	return given;
}

/*
 * Takes digits, optionally with a point, from the front; anything may follow.
 */
static struct slice
take_digits(struct slice *s)
{
	size_t n = 0;
	struct slice head;

	while (n < s->len && (ascii_is_digit(s->ptr[n]) || s->ptr[n] == '.'))
		n++;
	head = slice_head(*s, n);
	*s = slice_after(*s, n);
	return number_take_gauge(&head);
}

static bool
ends(struct slice s)
{
	return s.len == 0 || ascii_is_space(s.ptr[0]);
}

/* "870M(170.1%)" */
static bool
add_memory(const struct dyno *dyno, struct slice s, struct tally *tally)
{
	struct slice total = take_digits(&s), percent;
	bool given;

	while (s.len > 0 && ascii_is_letter(s.ptr[0]))
		s = slice_after(s, 1);
	if (total.len == 0 || !(ends(s) || s.ptr[0] == '('))
		return false;
	given = add(tally, METRIC_MEMORY_TOTAL, dyno->type, dyno->n, total);
	if (!slice_take(&s, SLICE("(")))
		return given;
	percent = take_digits(&s);
	if (percent.len > 0 && slice_take(&s, SLICE("%)")) && ends(s))
		given |= add(
		    tally, METRIC_MEMORY_PERCENT, dyno->type, dyno->n, percent);
	return given;
}

/* "starting to up" */
static bool
add_state(const struct dyno *dyno, struct slice s, struct tally *tally)
{
	struct slice before;

	if (!slice_cut(&s, ' ', &before) || before.len == 0 ||
	    !slice_take(&s, SLICE("to ")))
		return false;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct slice rest = s;

		if (slice_take(&rest, states[i].name) && ends(rest))
			return add(tally, states[i].metric, dyno->type,
			    (struct slice){0}, (struct slice){0});
	}
	return false;
}

/* "137" */
static bool
add_exit(const struct dyno *dyno, struct slice s, struct tally *tally)
{
	struct slice rest = s, digits;
	size_t status;

	if (!slice_take_number(&rest, EXIT_DIGITS, &status) || !ends(rest) ||
	    status > EXIT_MAX)
		return false;
	digits = slice_head(s, s.len - rest.len);
	return (digits.len == 1 || digits.ptr[0] != '0') &&
	    add(tally, METRIC_DYNO_EXIT, dyno->type, digits, (struct slice){0});
}

bool
dyno_tally(const struct dyno *dyno, struct slice text, struct tally *tally,
    const char **flaw)
{
	if (slice_take(&text, SLICE("State changed from ")))
		return add_state(dyno, text, tally);
	if (slice_take(&text, SLICE("Process exited with status ")))
		return add_exit(dyno, text, tally);
	if (is_one_off(dyno->type))
		return false;
	if (slice_take(&text, SLICE("Process running mem=")))
		return add_memory(dyno, text, tally);
	return add_samples(dyno, text, tally, flaw);
}
