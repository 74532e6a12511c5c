#include "statsd/collector.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"

void
collector_put(struct log_line *line, const struct collector *c)
{
	char buf[HOST_MAX + sizeof("statsd://[]:65535")];
	struct buf address = BUF_IN(buf);

	uri_put_address(&address, c->uri);
	log_word(line, "collector", buf_slice(&address));
}

static void
disconnect(struct collector *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

/* Connects to the first address that takes it, from `current` on. */
static bool
connect_any(struct collector *c)
{
	for (size_t tried = 0; tried < c->address_count; tried++) {
		struct collector_address *a = &c->addresses[c->current];

		disconnect(c);
		c->fd = socket(
		    a->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (c->fd >= 0 &&
		    connect(c->fd, (struct sockaddr *)&a->storage, a->len) == 0)
			return true;
		c->current = (c->current + 1) % c->address_count;
	}
	disconnect(c);
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

void
collector_set_addresses(struct collector *c, struct addrinfo *list)
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

void
collector_open(struct collector *c, const struct uri *uri)
{
	struct addrinfo *literal = lookup_literal(uri->host, uri->port);

	c->uri = uri;
	c->fd = -1;
	if (uri->key_len > 0)
		signature_key_init(&c->key, uri->key, uri->key_len);
	if (literal != NULL)
		collector_set_addresses(c, literal);
	else
		c->lookup = lookup_new(uri->host, uri->port);
}

size_t
collector_headroom(const struct collector *c)
{
	return c->uri->key_len > 0 ? SIGNATURE_LEN : 0;
}

size_t
collector_datagram_max(const struct collector *c)
{
	size_t max = c->uri->key_len > 0 ? SIGNED_DATAGRAM_MAX : DATAGRAM_MAX;

	return c->uri->datagram > 0 && c->uri->datagram < max ? c->uri->datagram
							      : max;
}

static void
note_failure(struct collector *c, const char *reason)
{
	c->failed++;
	c->failure = reason;
}

static void
log_failures(struct collector *c, int64_t now)
{
	struct log_line line;

	log_begin(&line, LOG_WARNING, "send-failed");
	collector_put(&line, c);
	log_number(&line, "datagrams", c->failed);
	log_quoted(&line, "reason", slice_of(c->failure));
	log_end(&line);
	c->failed = 0;
	c->logged = now;
}

bool
collector_log_failures(struct collector *c, int64_t now)
{
	if (c->failed > 0 &&
	    (c->logged == 0 || now - c->logged >= SEND_LOG_INTERVAL_MS))
		log_failures(c, now);
	return c->failed == 0;
}

static void
sign(const struct collector *c, unsigned char *datagram, size_t len)
{
	unsigned char nonce[SIGNATURE_NONCE_LEN];

	randombytes_buf(nonce, sizeof(nonce));
	signature_sign(&c->key, (int64_t)time(NULL) - c->uri->backdate, nonce,
	    datagram, len);
}

/* Goes on to the next address, if there is one; errno if none connects. */
static bool
connect_next(struct collector *c)
{
	if (c->address_count < 2)
		return c->fd >= 0;
	c->current = (c->current + 1) % c->address_count;
	return connect_any(c);
}

bool
collector_send(struct collector *c, unsigned char *datagram, size_t len)
{
	if (c->uri->key_len > 0)
		sign(c, datagram, len);
	if (c->fd < 0 && !connect_any(c)) {
		note_failure(
		    c, c->address_count > 0 ? strerror(errno) : "no address");
		return false;
	}
	if (send(c->fd, datagram, len, 0) >= 0)
		return true;
	if (errno == ECONNREFUSED) {
		note_failure(c, strerror(ECONNREFUSED));
		if (connect_next(c) && send(c->fd, datagram, len, 0) >= 0)
			return false;
	}
	note_failure(c, strerror(errno));
	return false;
}

void
collector_close(struct collector *c)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (c->fd >= 0 &&
	    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 &&
	    error != 0)
		note_failure(c, strerror(error));
	disconnect(c);
	if (c->failed > 0)
		log_failures(c, clock_ms());
}
