#include "statsd/cluster.h"

#include "base/clock.h"

/* How often to see whether look-ups have finished, or failures are due. */
enum { LOOKUP_POLL_MS = 100, FAILURE_POLL_MS = 5000 };

static void
log_lookup(const struct collector *c, const char *reason)
{
	struct log_line line;

	log_begin(&line, LOG_WARNING, "lookup-failed");
	collector_put(&line, c);
	log_quoted(&line, "reason", slice_of(reason));
	log_word(&line, "using",
	    c->address_count > 0 ? SLICE("old-address") : SLICE("none"));
	log_end(&line);
}

void
cluster_open(struct cluster *cluster, const struct uri *uris, size_t count)
{
	cluster->count = count;
	for (size_t i = 0; i < cluster->count; i++) {
		struct collector *c = &cluster->collectors[i];

		collector_open(c, &uris[i]);
		cluster->has_names |= c->lookup != NULL;
	}
}

static void
put_fault(struct buf *faults, const struct collector *c, const char *reason)
{
	buf_put(faults, SLICE("METRICS_CLUSTER: "));
	uri_put_address(faults, c->uri);
	buf_put(faults, SLICE(": the host name cannot be looked up: "));
	buf_put_string(faults, reason);
	buf_put(faults, SLICE("\n"));
}

/* At start a name that does not exist is a fault; later it may come back. */
static void
finish_lookup(struct collector *c, struct buf *faults)
{
	struct addrinfo *addresses;
	const char *reason;

	switch (lookup_finish(c->lookup, &addresses, &reason)) {
	case LOOKUP_IDLE:
		break;
	case LOOKUP_FOUND:
		collector_set_addresses(c, addresses);
		break;
	case LOOKUP_NO_SUCH_NAME:
		if (faults != NULL)
			put_fault(faults, c, reason);
		else
			log_lookup(c, reason);
		break;
	case LOOKUP_NO_ANSWER:
		log_lookup(c, reason);
		break;
	}
}

static void
start_lookups(struct cluster *cluster)
{
	for (size_t i = 0; i < cluster->count; i++)
		if (cluster->collectors[i].lookup != NULL)
			lookup_start(cluster->collectors[i].lookup);
	cluster->looking_up = true;
	cluster->next_lookup = clock_ms() + LOOKUP_INTERVAL_MS;
}

/* A collector without any address is not left waiting for a whole interval. */
static void
finish_lookups(struct cluster *cluster, struct buf *faults)
{
	bool pending = false, addressless = false;

	for (size_t i = 0; i < cluster->count; i++) {
		struct collector *c = &cluster->collectors[i];

		if (c->lookup == NULL)
			continue;
		finish_lookup(c, faults);
		pending |= lookup_pending(c->lookup);
		addressless |= c->address_count == 0;
	}
	cluster->looking_up = pending;
	if (!pending && addressless)
		cluster->next_lookup = clock_ms() + LOOKUP_RETRY_MS;
}

void
cluster_look_up(struct cluster *cluster, struct buf *faults)
{
	int64_t deadline = clock_ms() + LOOKUP_WAIT_MS;

	if (!cluster->has_names)
		return;
	start_lookups(cluster);
	for (size_t i = 0; i < cluster->count; i++) {
		int64_t left = deadline - clock_ms();

		if (cluster->collectors[i].lookup != NULL && left > 0)
			lookup_wait(cluster->collectors[i].lookup, left);
	}
	finish_lookups(cluster, faults);
	for (size_t i = 0; i < cluster->count; i++)
		if (cluster->collectors[i].lookup != NULL &&
		    lookup_pending(cluster->collectors[i].lookup))
			log_lookup(&cluster->collectors[i],
			    "the name server has not answered yet");
}

void
cluster_send(
    struct cluster *cluster, size_t i, unsigned char *datagram, size_t len)
{
	if (!collector_send(&cluster->collectors[i], datagram, len))
		cluster->has_failures = true;
}

static void
log_failures(struct cluster *cluster, int64_t now)
{
	cluster->has_failures = false;
	for (size_t i = 0; i < cluster->count; i++)
		cluster->has_failures |=
		    !collector_log_failures(&cluster->collectors[i], now);
}

void
cluster_tend(struct cluster *cluster)
{
	int64_t now;

	if (!cluster->has_names && !cluster->has_failures)
		return;
	now = clock_ms();
	if (cluster->has_failures)
		log_failures(cluster, now);
	if (cluster->looking_up)
		finish_lookups(cluster, NULL);
	else if (cluster->has_names && now >= cluster->next_lookup)
		start_lookups(cluster);
}

int
cluster_idle_ms(const struct cluster *cluster)
{
	int64_t left;

	if (cluster->looking_up)
		return LOOKUP_POLL_MS;
	if (cluster->has_failures)
		return FAILURE_POLL_MS;
	if (!cluster->has_names)
		return -1;
	left = cluster->next_lookup - clock_ms();
	return left > 0 ? (int)left : 0;
}

void
cluster_close(struct cluster *cluster)
{
	for (size_t i = 0; i < cluster->count; i++)
		collector_close(&cluster->collectors[i]);
}
