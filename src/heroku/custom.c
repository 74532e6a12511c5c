#include "heroku/custom.h"

#include "heroku/logfmt.h"
#include "heroku/number.h"

enum { VALUE_MAX = 64 };

/* Reads "50ms" or "0.05s"; returns an empty slice for anything else. */
static struct slice
read_time(struct slice value, char ms[static NUMBER_MAX])
{
	struct slice number = number_take_gauge(&value);

	if (number.len > 0 && slice_equal(value, SLICE("ms")))
		return number;
	if (number.len > 0 && slice_equal(value, SLICE("s")))
		return number_to_ms(number, ms);
	return (struct slice){0};
}

/* Removes the kind from the front of the key; METRICS if it has none. */
static enum metric_id
take_kind(struct slice *key)
{
	if (slice_take(key, SLICE("count#")))
		return METRIC_CUSTOM_COUNT;
	if (slice_take(key, SLICE("measure#")))
		return METRIC_CUSTOM_TIME;
	if (slice_take(key, SLICE("sample#")))
		return METRIC_CUSTOM_GAUGE;
	return METRICS;
}

/* Sets the sample's count or number; false if the value is not a number. */
static bool
read_value(
    struct sample *sample, struct slice value, char ms[static NUMBER_MAX])
{
	sample->count = 0;
	sample->number = (struct slice){0};
	if (sample->metric == METRIC_CUSTOM_COUNT)
		return number_read_whole(value, &sample->count);
	sample->number = sample->metric == METRIC_CUSTOM_TIME
	    ? read_time(value, ms)
	    : number_take_gauge(&value);
	return sample->number.len > 0;
}

bool
custom_tally(struct slice text, struct tally *tally, const char **flaw)
{
	char buf[VALUE_MAX + 1], ms[NUMBER_MAX];
	struct logfmt line = logfmt_of(text);
	struct logfmt_pair pair;
	struct sample sample = {0};
	bool given = false;

	while (logfmt_next(&line, &pair)) {
		struct slice value = logfmt_value(&pair, buf, VALUE_MAX);

		sample.metric = take_kind(&pair.key);
		if (sample.metric == METRICS)
			continue;
		sample.parts[0] = (struct part){pair.key, PART_DOTTED};
		if (!read_value(&sample, value, ms) && value.len > 0)
			*flaw = number_flaw;
		given |= tally_add(tally, &sample);
	}
	return given;
}
