#include "statsd/line.h"

#include <zlib.h>

static void
put_bucket(struct buf *t, const struct statsd_counter *counter)
{
	buf_put(t, counter->app);
	buf_put(t, SLICE(".heroku.errors."));
	buf_put(t, counter->code);
}

void
line_put(
    struct buf *t, struct slice prefix, const struct statsd_counter *counter)
{
	buf_put(t, prefix);
	put_bucket(t, counter);
	buf_put(t, SLICE(":"));
	buf_put_number(t, counter->count);
	buf_put(t, SLICE("|c"));
}

size_t
line_owner(const struct statsd_counter *counter, size_t n)
{
	char buf[LINE_BYTES_MAX];
	struct buf bucket = BUF_IN(buf);

	put_bucket(&bucket, counter);
	return crc32(0, (const Bytef *)bucket.ptr, (uInt)bucket.len) % n;
}
