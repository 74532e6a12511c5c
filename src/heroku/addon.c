#include "heroku/addon.h"

#include "heroku/logfmt.h"
#include "heroku/number.h"

enum { VALUE_MAX = 64 };

enum metric_id
addon_metric(struct slice procid)
{
	static const struct {
		struct slice procid;
		enum metric_id metric;
	} addons[] = {
	    {{"heroku-postgres", 15}, METRIC_POSTGRES},
	    {{"heroku-redis", 12}, METRIC_REDIS},
	    {{"heroku-pgbouncer", 16}, METRIC_PGBOUNCER},
	};

	for (size_t i = 0; i < sizeof(addons) / sizeof(addons[0]); i++)
		if (slice_equal(procid, addons[i].procid))
			return addons[i].metric;
	return METRICS;
}

/*
 * The add-on's name: the value of addon, else of source.  Reads no more of the
 * line than necessary.
 */
static struct part
find_name(struct logfmt line, char buf[static VALUE_MAX + 1])
{
	struct logfmt_pair pair, addon = {0}, source = {0};

	while (addon.value.len == 0 && logfmt_next(&line, &pair))
		if (addon.key.len == 0 && slice_equal(pair.key, SLICE("addon")))
			addon = pair;
		else if (source.key.len == 0 &&
		    slice_equal(pair.key, SLICE("source")))
			source = pair;
	if (addon.value.len > 0)
		return (struct part){
		    logfmt_value(&addon, buf, VALUE_MAX), PART_NAME};
	return (struct part){logfmt_value(&source, buf, VALUE_MAX), PART_LOWER};
}

bool
addon_tally(enum metric_id metric, struct slice text, struct tally *tally,
    const char **flaw)
{
	char name_buf[VALUE_MAX + 1], buf[VALUE_MAX + 1];
	struct logfmt line = logfmt_of(text);
	struct logfmt_pair pair;
	struct sample sample = {metric, {find_name(line, name_buf)}, 0, {0}};
	bool given = false;

	while (logfmt_next(&line, &pair)) {
		struct slice value = logfmt_value(&pair, buf, VALUE_MAX);

		if (!slice_take(&pair.key, SLICE("sample#")))
			continue;
		sample.parts[1] = (struct part){pair.key, PART_KEY};
		sample.number = number_take_gauge(&value);
		if (sample.number.len == 0 && value.len > 0)
			*flaw = number_flaw;
		given |= tally_add(tally, &sample);
	}
	return given;
}
