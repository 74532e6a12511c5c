#include "statsd/line.h"

#include <zlib.h>

#include "bounds.h"

/* Writes a pattern, with the sample's parts in place of %1 and %2. */
static void
put_pattern(struct buf *t, const char *pattern, const struct sample *sample)
{
	struct slice rest = slice_of(pattern), before;

	while (slice_cut(&rest, '%', &before)) {
		buf_put(t, before);
		buf_put(t, sample->parts[rest.ptr[0] - '1'].text);
		rest = slice_after(rest, 1);
	}
	buf_put(t, rest);
}

void
line_put_bucket(struct buf *t, struct slice app, const struct sample *sample)
{
	buf_put(t, app);
	buf_put(t, SLICE("."));
	put_pattern(t, metrics[sample->metric].plain, sample);
}

size_t
line_owner(struct slice bucket, size_t n)
{
	if (n == 1)
		return 0;
	return crc32(0, (const Bytef *)bucket.ptr, (uInt)bucket.len) % n;
}

static void
put_value(struct buf *t, const struct sample *sample)
{
	enum metric_type type = metrics[sample->metric].type;

	buf_put(t, SLICE(":"));
	if (type == METRIC_COUNTER)
		buf_put_number(t, sample->count);
	else
		buf_put(t, sample->number);
	buf_put(t, SLICE("|"));
	buf_put(t, metric_type_text(type));
}

static void
put_tags(struct buf *t, const struct line_style *style, struct slice app,
    const struct sample *sample)
{
	const char *tags = metrics[sample->metric].tags;

	buf_put(t, SLICE("|#app:"));
	buf_put(t, app);
	if (tags[0] != '\0')
		buf_put(t, SLICE(","));
	put_pattern(t, tags, sample);
	if (style->tags.len > 0)
		buf_put(t, SLICE(","));
	buf_put(t, style->tags);
}

void
line_put(struct buf *t, const struct line_style *style, struct slice app,
    struct slice bucket, const struct sample *sample)
{
	buf_put(t, style->prefix);
	if (style->tagged)
		put_pattern(t, metrics[sample->metric].tagged, sample);
	else
		buf_put(t, bucket);
	put_value(t, sample);
	if (style->tagged)
		put_tags(t, style, app, sample);
}

/* A sample with the metric's longest value: as many errors as fit in a body. */
static struct sample
longest_sample(enum metric_id metric, const char x[static PART_MAX])
{
	struct slice part = {x, metric == METRIC_ERROR ? 4 : PART_MAX};

	return (struct sample){metric, {{part, PART_NAME}, {part, PART_NAME}},
	    metric == METRIC_ERROR ? UINT32_MAX : UINT64_MAX, {x, NUMBER_MAX}};
}

size_t
line_max(const struct line_style *style, size_t app_max, unsigned families)
{
	char x[PREFIX_MAX];
	size_t max = 0;

	memset(x, 'x', sizeof(x));
	for (int m = 0; m < METRICS; m++) {
		char line[LINE_BYTES_MAX], name[LINE_BYTES_MAX];
		struct slice app = {x, app_max};
		struct sample sample = longest_sample((enum metric_id)m, x);
		struct buf t = BUF_IN(line), bucket = BUF_IN(name);

		if (!(families & FAMILY_BIT(metrics[m].family)))
			continue;
		line_put_bucket(&bucket, app, &sample);
		line_put(&t, style, app, buf_slice(&bucket), &sample);
		max = t.len > max ? t.len : max;
	}
	return max;
}
