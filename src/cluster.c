#include "cluster.h"

#include <errno.h>
#include <netdb.h>
#include <sodium.h>
#include <time.h>
#include <unistd.h>

#include "lookup.h"
#include "statsd.h"

/* How often to see whether look-ups have finished, or failures are due. */
enum { LOOKUP_POLL_MS = 100, FAILURE_POLL_MS = 5000 };

static int64_t
monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
log_collector(struct log_line *line, const struct collector *c)
{
	char buf[HOST_MAX + sizeof("statsd://[]:65535")];
	struct text address = TEXT_IN(buf);

	statsd_uri_put_address(&address, c->uri);
	log_word(line, "collector", text_slice(&address));
}

static void
log_lookup(const struct collector *c, const char *reason)
{
	struct log_line line;

	log_begin(&line, LOG_WARNING, "lookup-failed");
	log_collector(&line, c);
	log_quoted(&line, "reason", slice_of(reason));
	log_word(&line, "using",
	    c->address_count > 0 ? SLICE("old-address") : SLICE("none"));
	log_end(&line);
}

/* Connects to the first address that takes it, from `current` on. */
static bool
connect_any(struct collector *c)
{
	for (size_t tried = 0; tried < c->address_count; tried++) {
		struct collector_address *a = &c->addresses[c->current];

		if (c->fd >= 0)
			close(c->fd);
		c->fd = socket(
		    a->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (c->fd >= 0 &&
		    connect(c->fd, (struct sockaddr *)&a->storage, a->len) == 0)
			return true;
		c->current = (c->current + 1) % c->address_count;
	}
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	return false;
}

static bool
same_address(const struct collector_address *a, const struct addrinfo *b)
{
	return a->len == b->ai_addrlen &&
	    !memcmp(&a->storage, b->ai_addr, a->len);
}

static bool
still_current(const struct collector *c, const struct addrinfo *list)
{
	if (c->fd < 0)
		return false;
	for (; list != NULL; list = list->ai_next)
		if (same_address(&c->addresses[c->current], list))
			return true;
	return false;
}

/* Takes over a list of addresses; the socket stays if its address is in it. */
static void
set_addresses(struct collector *c, struct addrinfo *list)
{
	bool keep = still_current(c, list);
	struct collector_address kept = c->addresses[c->current];

	c->address_count = 0;
	c->current = 0;
	for (struct addrinfo *a = list; a != NULL; a = a->ai_next) {
		struct collector_address *copy =
		    &c->addresses[c->address_count];

		if (c->address_count == ADDRESSES_MAX)
			break;
		if (keep && same_address(&kept, a))
			c->current = c->address_count;
		memset(copy, 0, sizeof(*copy));
		memcpy(&copy->storage, a->ai_addr, a->ai_addrlen);
		copy->len = a->ai_addrlen;
		copy->family = a->ai_family;
		c->address_count++;
	}
	freeaddrinfo(list);
	if (!keep)
		connect_any(c);
}

static void
collector_open(struct collector *c, const struct statsd_uri *uri)
{
	struct addrinfo *literal = lookup_literal(uri->host, uri->port);

	c->uri = uri;
	c->fd = -1;
	if (uri->key_len > 0)
		statsd_key_init(&c->key, uri->key, uri->key_len);
	if (literal != NULL)
		set_addresses(c, literal);
	else
		c->lookup = lookup_new(uri->host, uri->port);
}

void
cluster_open(struct cluster *cluster, const struct config *config)
{
	cluster->count = config->collector_count;
	for (size_t i = 0; i < cluster->count; i++) {
		struct collector *c = &cluster->collectors[i];

		collector_open(c, &config->collectors[i]);
		cluster->has_names |= c->lookup != NULL;
	}
}

static void
put_fault(struct text *faults, const struct collector *c, const char *reason)
{
	text_put(faults, SLICE("METRICS_CLUSTER: "));
	statsd_uri_put_address(faults, c->uri);
	text_put(faults, SLICE(": the host name cannot be looked up: "));
	text_put_string(faults, reason);
	text_put(faults, SLICE("\n"));
}

/* At start a name that does not exist is a fault; later it may come back. */
static void
finish_lookup(struct collector *c, struct text *faults)
{
	struct addrinfo *addresses;
	const char *reason;

	switch (lookup_finish(c->lookup, &addresses, &reason)) {
	case LOOKUP_IDLE:
		break;
	case LOOKUP_FOUND:
		set_addresses(c, addresses);
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
	cluster->next_lookup = monotonic_ms() + LOOKUP_INTERVAL_MS;
}

/* A collector without any address is not left waiting for a whole interval. */
static void
finish_lookups(struct cluster *cluster, struct text *faults)
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
		cluster->next_lookup = monotonic_ms() + LOOKUP_RETRY_MS;
}

void
cluster_look_up(struct cluster *cluster, struct text *faults)
{
	int64_t deadline = monotonic_ms() + LOOKUP_WAIT_MS;

	if (!cluster->has_names)
		return;
	start_lookups(cluster);
	for (size_t i = 0; i < cluster->count; i++) {
		int64_t left = deadline - monotonic_ms();

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

/* At most a line a minute for each collector, with how many it stands for. */
static bool
failures_due(const struct collector *c, int64_t now)
{
	return c->failed > 0 &&
	    (c->logged == 0 || now - c->logged >= SEND_LOG_INTERVAL_MS);
}

static void
log_failures(struct collector *c, int64_t now)
{
	struct log_line line;

	log_begin(&line, LOG_WARNING, "send-failed");
	log_collector(&line, c);
	log_number(&line, "datagrams", c->failed);
	log_quoted(&line, "reason", slice_of(c->failure));
	log_end(&line);
	c->failed = 0;
	c->logged = now;
}

static void
note_failure(struct cluster *cluster, struct collector *c, const char *reason)
{
	int64_t now = monotonic_ms();

	c->failed++;
	c->failure = reason;
	cluster->has_failures = true;
	if (failures_due(c, now))
		log_failures(c, now);
}

static void
tend_failures(struct cluster *cluster, int64_t now)
{
	cluster->has_failures = false;
	for (size_t i = 0; i < cluster->count; i++) {
		struct collector *c = &cluster->collectors[i];

		if (failures_due(c, now))
			log_failures(c, now);
		cluster->has_failures |= c->failed > 0;
	}
}

void
cluster_tend(struct cluster *cluster)
{
	int64_t now;

	if (!cluster->has_names && !cluster->has_failures)
		return;
	now = monotonic_ms();
	if (cluster->has_failures)
		tend_failures(cluster, now);
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
	left = cluster->next_lookup - monotonic_ms();
	return left > 0 ? (int)left : 0;
}

/*
 * ECONNREFUSED tells of an earlier datagram, which is lost; nothing of this one
 * was sent, so it is tried once more, at the next address if there is one.
 */
static void
send_datagram(struct cluster *cluster, struct collector *c, size_t len)
{
	if (c->fd < 0 && !connect_any(c)) {
		note_failure(cluster, c,
		    c->address_count > 0 ? strerror(errno) : "no address");
		return;
	}
	if (send(c->fd, cluster->datagram, len, 0) >= 0)
		return;
	if (errno == ECONNREFUSED) {
		note_failure(cluster, c, strerror(ECONNREFUSED));
		if (c->address_count > 1) {
			c->current = (c->current + 1) % c->address_count;
			connect_any(c);
		}
		if (send(c->fd, cluster->datagram, len, 0) >= 0)
			return;
	}
	note_failure(cluster, c, strerror(errno));
}

static void
sign(struct cluster *cluster, const struct collector *c, size_t len)
{
	unsigned char nonce[STATSD_NONCE_LEN];

	randombytes_buf(nonce, sizeof(nonce));
	statsd_sign(&c->key, (int64_t)time(NULL) - c->uri->backdate, nonce,
	    cluster->datagram, len);
}

/* What one request's counts need on their way out. */
struct dispatch {
	struct slice app;
	const struct tally *tally;
	uint16_t owner[TALLY_CODES]; /* a collector, or SENT */
};

enum { SENT = UINT16_MAX };

_Static_assert(COLLECTORS_MAX < SENT, "a collector's number is never SENT");

static struct statsd_counter
counter_at(const struct dispatch *d, size_t i)
{
	const struct heroku_code *code = &d->tally->codes[i];

	return (struct statsd_counter){
	    d->app, heroku_code_slice(code), tally_count(d->tally, code)};
}

static size_t
datagram_max(const struct statsd_uri *uri)
{
	size_t max = uri->key_len > 0 ? SIGNED_DATAGRAM_MAX : DATAGRAM_MAX;

	return uri->datagram > 0 && uri->datagram < max ? uri->datagram : max;
}

/* Sends line i, and with it as many later ones of its collector as may be. */
static void
send_from(struct cluster *cluster, struct dispatch *d, size_t i)
{
	size_t owner = d->owner[i];
	struct collector *c = &cluster->collectors[owner];
	size_t signature = c->uri->key_len > 0 ? STATSD_SIGNATURE_LEN : 0;
	struct text text = {
	    (char *)cluster->datagram, signature, datagram_max(c->uri), false};

	for (; i < d->tally->distinct; i++) {
		size_t before = text.len;
		struct statsd_counter counter;

		if (d->owner[i] != owner)
			continue;
		counter = counter_at(d, i);
		if (before > signature)
			text_put(&text, SLICE("\n"));
		statsd_put_line(&text, statsd_uri_prefix(c->uri), &counter);
		if (text.truncated) {
			text.len = before;
			break;
		}
		d->owner[i] = SENT;
		if (c->uri->datagram == 0)
			break;
	}
	if (signature > 0)
		sign(cluster, c, text.len);
	send_datagram(cluster, c, text.len);
}

void
cluster_send(
    struct cluster *cluster, struct slice app, const struct tally *tally)
{
	struct dispatch d;

	d.app = app;
	d.tally = tally;
	for (size_t i = 0; i < tally->distinct; i++) {
		struct statsd_counter counter = counter_at(&d, i);

		d.owner[i] = (uint16_t)statsd_shard(&counter, cluster->count);
	}
	for (size_t i = 0; i < tally->distinct; i++)
		if (d.owner[i] != SENT)
			send_from(cluster, &d, i);
}
