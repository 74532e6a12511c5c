#include "statsd/send.h"

#include <stdatomic.h>

#include "statsd/line.h"

enum { SENT = UINT16_MAX };

_Static_assert(COLLECTORS_MAX < SENT, "a collector's number is never SENT");

/* The counters of one request, on their way out. */
struct dispatch {
	struct cluster *cluster;
	struct slice app;
	const struct tally *tally;
	uint16_t owner[TALLY_CODES]; /* of each code: a collector, or SENT */
	uint32_t datagrams;          /* so far */
	_Atomic uint32_t *handed;    /* of these, to the kernel */
	unsigned char datagram[DATAGRAM_MAX];
};

static struct statsd_counter
counter_at(const struct dispatch *d, size_t i)
{
	const struct heroku_code *code = &d->tally->codes[i];

	return (struct statsd_counter){
	    d->app, heroku_code_slice(code), tally_count(d->tally, code)};
}

/* Adds a counter's line to the datagram, unless it has no room for it. */
static bool
pack(struct buf *datagram, size_t headroom, struct slice prefix,
    const struct statsd_counter *counter)
{
	struct buf longer = *datagram;

	if (longer.len > headroom)
		buf_put(&longer, SLICE("\n"));
	line_put(&longer, prefix, counter);
	if (longer.truncated)
		return false;
	*datagram = longer;
	return true;
}

/* Sends counter i, and with it as many later ones of its collector as fit. */
static void
send_from(struct dispatch *d, size_t i)
{
	size_t owner = d->owner[i];
	const struct collector *c = &d->cluster->collectors[owner];
	size_t headroom = collector_headroom(c);
	struct buf text = {
	    (char *)d->datagram, headroom, collector_datagram_max(c), false};

	for (; i < d->tally->distinct; i++) {
		struct statsd_counter counter = counter_at(d, i);

		if (d->owner[i] != owner)
			continue;
		if (!pack(&text, headroom, uri_prefix(c->uri), &counter))
			break;
		d->owner[i] = SENT;
		if (c->uri->datagram == 0)
			break;
	}
	if (d->datagrams++ < atomic_load(d->handed))
		return;
	atomic_store(d->handed, d->datagrams);
	cluster_send(d->cluster, owner, d->datagram, text.len);
}

void
send_counters(struct cluster *cluster, struct slice app,
    const struct tally *tally, _Atomic uint32_t *handed)
{
	static struct dispatch d; /* its pages are touched when needed */

	d.cluster = cluster;
	d.app = app;
	d.tally = tally;
	d.datagrams = 0;
	d.handed = handed;
	for (size_t i = 0; i < tally->distinct; i++) {
		struct statsd_counter counter = counter_at(&d, i);

		d.owner[i] = (uint16_t)line_owner(&counter, cluster->count);
	}
	for (size_t i = 0; i < tally->distinct; i++)
		if (d.owner[i] != SENT)
			send_from(&d, i);
}
