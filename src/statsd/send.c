#include "statsd/send.h"

#include <assert.h>

#include "statsd/line.h"

/* A datagram for each collector, filled as its lines come. */
struct sending {
	struct cluster *cluster;
	struct slice app;
	struct slice tags;
	uint32_t datagrams;         /* so far */
	_Atomic uint32_t *handed;   /* of these, those handed to the kernel */
	size_t len[COLLECTORS_MAX]; /* of each datagram; 0: not begun */
	/* Only the pages that are written cost memory. */
	unsigned char datagram[COLLECTORS_MAX][DATAGRAM_MAX];
};

static void
flush(struct sending *s, size_t owner)
{
	size_t len = s->len[owner];

	s->len[owner] = 0;
	if (len == 0 || s->datagrams++ < atomic_load(s->handed))
		return;
	atomic_store(s->handed, s->datagrams);
	cluster_send(s->cluster, owner, s->datagram[owner], len);
}

/* Adds a line to the collector's datagram, unless it has no room for it. */
static bool
pack(struct sending *s, size_t owner, struct slice bucket,
    const struct sample *sample)
{
	const struct collector *c = &s->cluster->collectors[owner];
	struct line_style style = uri_line_style(c->uri, s->tags);
	bool begun = s->len[owner] > 0;
	struct buf t = {(char *)s->datagram[owner],
	    begun ? s->len[owner] : collector_headroom(c),
	    collector_datagram_max(c), false};

	if (begun)
		buf_put(&t, SLICE("\n"));
	line_put(&t, &style, s->app, bucket, sample);
	if (!t.truncated)
		s->len[owner] = t.len;
	return !t.truncated;
}

static void
send_sample(void *context, const struct sample *sample)
{
	struct sending *s = context;
	char name[LINE_BYTES_MAX];
	struct buf bucket = BUF_IN(name);
	size_t owner;

	line_put_bucket(&bucket, s->app, sample);
	owner = line_owner(buf_slice(&bucket), s->cluster->count);
	if (!pack(s, owner, buf_slice(&bucket), sample)) {
		bool fits;

		flush(s, owner);
		fits = pack(s, owner, buf_slice(&bucket), sample);
		assert(fits); /* config.c ensures that it fits */
	}
	if (s->cluster->collectors[owner].uri->datagram == 0)
		flush(s, owner);
}

void
send_tally(struct cluster *cluster, struct slice app, struct slice tags,
    const struct tally *tally, _Atomic uint32_t *handed)
{
	static struct sending s;

	cluster_refresh(cluster);
	s.cluster = cluster;
	s.app = app;
	s.tags = tags;
	s.datagrams = 0;
	s.handed = handed;
	tally_each(tally, send_sample, &s);
	for (size_t i = 0; i < cluster->count; i++)
		flush(&s, i);
}
