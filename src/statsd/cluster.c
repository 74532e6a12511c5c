#include "statsd/cluster.h"

#include "base/clock.h"

/*
 * How often to check whether look-ups have finished or failures are due to be
 * logged.
 */
enum { LOOKUP_POLL_MS = 100, FAILURE_POLL_MS = 5000 };

/* A name without an address is looked up more often than this is logged. */
static void
log_lookup(struct collector *c, const char *reason)
{
	bool has_address = c->address_count > 0;
	int64_t now = clock_ms();
	struct log_line line;

	if (!has_address && c->lookup_logged != 0 &&
	    now - c->lookup_logged < LOOKUP_INTERVAL_MS)
		return;
	c->lookup_logged = now;
	log_begin(
	    &line, has_address ? LOG_WARNING : LOG_ERROR, "lookup-failed");
	collector_put(&line, c);
	log_quoted(&line, "reason", slice_of(reason));
	log_word(
	    &line, "using", has_address ? SLICE("old-address") : SLICE("none"));
	log_end(&line);
}

void
cluster_open(struct cluster *cluster, const struct uri *uris, size_t count)
{
	cluster->count = count;
	cluster->looked_up = false;
	cluster->refreshed = clock_ms();
	for (size_t i = 0; i < cluster->count; i++) {
		struct collector *c = &cluster->collectors[i];

		collector_open(c, &uris[i]);
		cluster->has_names |= c->named;
	}
}

static void
retry_soon(struct collector *c)
{
	if (c->address_count == 0)
		c->next_lookup = clock_ms() + LOOKUP_RETRY_MS;
}

/* At start a name that does not exist is a fault; later it may come back. */
static void
finish_lookup(struct collector *c, bool at_start)
{
	struct addrinfo *addresses;

	switch (lookup_finish(&c->lookup, &addresses)) {
	case LOOKUP_IDLE:
		break;
	case LOOKUP_FOUND:
		collector_set_addresses(c, addresses);
		break;
	case LOOKUP_NO_SUCH_NAME:
		retry_soon(c);
		if (!at_start)
			log_lookup(c, lookup_reason(&c->lookup));
		break;
	case LOOKUP_NO_ANSWER:
		retry_soon(c);
		log_lookup(c, lookup_reason(&c->lookup));
		break;
	}
}

static void
start_lookups(struct cluster *cluster)
{
	int64_t now = clock_ms();

	for (size_t i = 0; i < cluster->count; i++) {
		struct collector *c = &cluster->collectors[i];

		if (!c->named || now < c->next_lookup)
			continue;
		c->next_lookup = now + LOOKUP_INTERVAL_MS;
		if (lookup_start(&c->lookup))
			continue;
		retry_soon(c);
		log_lookup(c, "no look-up can be started now");
	}
	cluster->looking_up = true;
}

static void
finish_lookups(struct cluster *cluster, bool at_start)
{
	cluster->looking_up = false;
	cluster->next_lookup = INT64_MAX;
	for (size_t i = 0; i < cluster->count; i++) {
		struct collector *c = &cluster->collectors[i];

		if (!c->named)
			continue;
		finish_lookup(c, at_start);
		cluster->looking_up |= lookup_pending(&c->lookup);
		if (c->next_lookup < cluster->next_lookup)
			cluster->next_lookup = c->next_lookup;
	}
}

static void
look_up_and_wait(struct cluster *cluster)
{
	int64_t deadline = clock_ms() + LOOKUP_WAIT_MS;

	start_lookups(cluster);
	for (size_t i = 0; i < cluster->count; i++) {
		int64_t left = deadline - clock_ms();

		if (left > 0)
			lookup_wait(&cluster->collectors[i].lookup, left);
	}
	finish_lookups(cluster, true);
	for (size_t i = 0; i < cluster->count; i++)
		if (lookup_pending(&cluster->collectors[i].lookup))
			log_lookup(&cluster->collectors[i],
			    "the name server has not answered yet");
}

/* Whether nothing can be sent to a collector; adds the reason to *faults. */
static bool
put_fault(struct buf *faults, struct collector *c)
{
	bool missing = c->lookup.result == LOOKUP_NO_SUCH_NAME;

	if (!missing && !collector_refuses(c))
		return false;
	buf_put(faults, SLICE("METRICS_CLUSTER: "));
	uri_put_address(faults, c->uri);
	if (missing) {
		c->lookup_logged = clock_ms(); /* as a fault */
		buf_put(faults, SLICE(": the host name cannot be looked up: "));
		buf_put_string(faults, lookup_reason(&c->lookup));
	} else {
		buf_put(faults,
		    SLICE(": nothing can be sent there, as it is a broadcast "
			  "address"));
	}
	buf_put(faults, SLICE("\n"));
	return true;
}

bool
cluster_look_up(struct cluster *cluster, struct buf *faults)
{
	size_t hopeless = 0;

	if (cluster->looked_up)
		return true;
	cluster->looked_up = true;
	if (cluster->has_names)
		look_up_and_wait(cluster);
	for (size_t i = 0; i < cluster->count; i++)
		hopeless += put_fault(faults, &cluster->collectors[i]);
	return hopeless < cluster->count;
}

void
cluster_refresh(struct cluster *cluster)
{
	int64_t now = clock_ms();

	if (now - cluster->refreshed < REFRESH_INTERVAL_MS)
		return;
	cluster->refreshed = now;
	for (size_t i = 0; i < cluster->count; i++) {
		struct collector *c = &cluster->collectors[i];

		collector_refresh(c);
		cluster->has_failures |= c->failed > 0;
	}
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
		finish_lookups(cluster, false);
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
