#include "statsd/collector.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "base/clock.h"

enum { WITHOUT_ADDRESS = EDESTADDRREQ };

void
collector_put(struct log_line *line, const struct collector *c)
{
	char buf[HOST_MAX + sizeof("statsd://[]:65535")];
	struct buf address = BUF_IN(buf);

	uri_put_address(&address, c->uri);
	log_word(line, "collector", buf_slice(&address));
}

static void
note_failure(struct collector *c, int error)
{
	c->failed++;
	c->error = error;
}

/* Closes the socket, after checking whether the last datagram was refused. */
static void
disconnect(struct collector *c)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (c->fd < 0)
		return;
	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 &&
	    error != 0)
		note_failure(c, error);
	close(c->fd);
	c->fd = -1;
}

/* A new socket, or -1 and errno. */
static int
connect_to(const struct collector_address *a)
{
	int fd =
	    socket(a->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0 ||
	    connect(fd, (const struct sockaddr *)&a->storage, a->len) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/*
 * Connects to the first address that accepts a connection, from `current` on.
 */
static bool
connect_any(struct collector *c)
{
	int error = WITHOUT_ADDRESS;

	disconnect(c);
	for (size_t tried = 0; tried < c->address_count; tried++) {
		c->fd = connect_to(&c->addresses[c->current]);
		if (c->fd >= 0)
			return true;
		error = errno;
		c->current = (c->current + 1) % c->address_count;
	}
	c->error = error;
	return false;
}

/* The address that a socket sends from, without its port. */
static struct sockaddr_storage
source_of(int fd)
{
	struct sockaddr_storage source = {0};
	socklen_t len = sizeof(source);

	getsockname(fd, (struct sockaddr *)&source, &len);
	/* An IPv6 address has its port in the same place. */
	((struct sockaddr_in *)(void *)&source)->sin_port = 0;
	return source;
}

void
collector_refresh(struct collector *c)
{
	struct sockaddr_storage now, then;
	int fd;

	if (c->fd < 0 || (fd = connect_to(&c->addresses[c->current])) < 0)
		return;
	now = source_of(fd);
	then = source_of(c->fd);
	if (memcmp(&now, &then, sizeof(now)) == 0) {
		close(fd);
		return;
	}
	disconnect(c);
	c->fd = fd;
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

/* If there are more addresses than fit, the connected one is kept. */
static void
copy_addresses(struct collector *c, const struct addrinfo *list)
{
	struct collector_address connected = c->addresses[c->current];
	bool keep = still_current(c, list);

	c->address_count = 0;
	c->current = 0;
	for (; list != NULL; list = list->ai_next) {
		bool is_connected = keep && same_address(&connected, list);
		size_t i = c->address_count;

		if (i == ADDRESSES_MAX && !is_connected)
			continue;
		if (i == ADDRESSES_MAX)
			i--;
		if (is_connected)
			c->current = i;
		c->addresses[i] = (struct collector_address){
		    .len = list->ai_addrlen, .family = list->ai_family};
		memcpy(
		    &c->addresses[i].storage, list->ai_addr, list->ai_addrlen);
		c->address_count = i + 1;
	}
	if (!keep)
		disconnect(c);
}

void
collector_set_addresses(struct collector *c, struct addrinfo *list)
{
	copy_addresses(c, list);
	freeaddrinfo(list);
	if (c->fd < 0)
		connect_any(c);
}

void
collector_open(struct collector *c, const struct uri *uri)
{
	struct addrinfo *literal = lookup_literal(uri->host, uri->port);

	*c = (struct collector){.uri = uri, .fd = -1, .named = literal == NULL};
	if (uri->key_len > 0)
		signature_key_init(&c->key, uri->key, uri->key_len);
	if (c->named)
		lookup_init(&c->lookup, uri->host, uri->port);
	else
		collector_set_addresses(c, literal);
}

bool
collector_refuses(const struct collector *c)
{
	return c->address_count > 0 && c->fd < 0 && c->error == EACCES;
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
log_failures(struct collector *c, int64_t now)
{
	struct log_line line;

	log_begin(&line, LOG_WARNING, "send-failed");
	collector_put(&line, c);
	log_number(&line, "datagrams", c->failed);
	log_quoted(&line, "reason",
	    c->error == WITHOUT_ADDRESS ? SLICE("no address")
					: slice_of(strerror(c->error)));
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

bool
collector_sign(const struct collector *c, unsigned char *datagram, size_t len)
{
	unsigned char nonce[SIGNATURE_NONCE_LEN];

	if (c->uri->key_len == 0)
		return true;
	/*
	 * Not libsodium's function, which ends the program if there is no
	 * randomness.
	 */
	if (getentropy(nonce, sizeof(nonce)) != 0)
		return false;
	signature_sign(&c->key, (int64_t)time(NULL) - c->uri->backdate, nonce,
	    datagram, len);
	return true;
}

/*
 * The functions below return 0, or the errno of a datagram that was not sent.
 */
static int
try(const struct collector *c, const unsigned char *datagram, size_t len)
{
	return send(c->fd, datagram, len, 0) >= 0 ? 0 : errno;
}

static int
try_anew(struct collector *c, const unsigned char *datagram, size_t len)
{
	return connect_any(c) ? try(c, datagram, len) : c->error;
}

static int
try_again(
    struct collector *c, int error, const unsigned char *datagram, size_t len)
{
	if (error != ECONNREFUSED || c->address_count < 2)
		return try(c, datagram, len);
	c->current = (c->current + 1) % c->address_count;
	return try_anew(c, datagram, len);
}

/*
 * Whether the machine has no room for a datagram; trying again at once would
 * not help.
 */
static bool
is_full(int error)
{
	return error == EAGAIN || error == ENOBUFS;
}

static int
send_connected(struct collector *c, const unsigned char *datagram, size_t len)
{
	int first = try(c, datagram, len), error;

	if (first == 0 || is_full(first))
		return first;
	error = try_again(c, first, datagram, len);
	if (error != first)
		note_failure(c, first);
	if (error == 0 || is_full(error) || error == EMSGSIZE)
		return error;
	return try_anew(c, datagram, len);
}

bool
collector_send(struct collector *c, unsigned char *datagram, size_t len)
{
	unsigned long failed = c->failed;
	int error;

	if (!collector_sign(c, datagram, len))
		error = errno;
	else if (c->fd < 0)
		error = try_anew(c, datagram, len);
	else
		error = send_connected(c, datagram, len);
	if (error != 0)
		note_failure(c, error);
	return c->failed == failed;
}

void
collector_close(struct collector *c)
{
	disconnect(c);
	if (c->failed > 0)
		log_failures(c, clock_ms());
}
