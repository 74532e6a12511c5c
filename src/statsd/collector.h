/*
 * One collector: its addresses, the socket, and what could not be sent.
 *
 * A datagram is sent by a connected, non-blocking UDP socket and may be lost
 * on its way without anybody noticing; a failure that is noticed is logged and
 * never the request's concern.
 */
#ifndef STATSD_COLLECTOR_H
#define STATSD_COLLECTOR_H

#include <sys/socket.h>

#include "base/log.h"
#include "statsd/lookup.h"
#include "statsd/signature.h"
#include "statsd/uri.h"

struct collector_address {
	struct sockaddr_storage storage;
	socklen_t len;
	int family;
};

struct collector {
	const struct uri *uri;
	struct signature_key key;
	struct lookup *lookup; /* of its name; NULL for a literal address */
	struct collector_address addresses[ADDRESSES_MAX];
	size_t address_count;
	size_t current;
	int fd;               /* connected to addresses[current], or -1 */
	unsigned long failed; /* datagrams since the last line in the log */
	const char *failure;  /* what the last of them died of */
	int64_t logged;       /* when that line was, by clock_ms; 0: never */
};

/* A zeroed collector is connected if its host is an address. */
void collector_open(struct collector *c, const struct uri *uri);

/*
 * Takes over a list of addresses, which it frees.  The socket stays as it is
 * if the address that it is connected to is still among them.
 */
void collector_set_addresses(struct collector *c, struct addrinfo *list);

/* Bytes that stand in front of a datagram's text: the signature's, or none. */
size_t collector_headroom(const struct collector *c);

/* Most bytes that a datagram may have. */
size_t collector_datagram_max(const struct collector *c);

/*
 * Sends a datagram of len bytes, signing it if the collector has a key.  A
 * refusal tells of an earlier datagram, which is lost; then this one is tried
 * again, at the next address if there is one.  False if anything failed.
 */
bool collector_send(struct collector *c, unsigned char *datagram, size_t len);

/*
 * Writes to the log what has failed, but at most a line every
 * SEND_LOG_INTERVAL_MS.  False if something is left to be written later.
 */
bool collector_log_failures(struct collector *c, int64_t now);

/*
 * Closes the socket, after looking whether the last datagram was refused, and
 * writes to the log what has failed since the last line.
 */
void collector_close(struct collector *c);

/* The pair collector=statsd://host:port of a line of the log. */
void collector_put(struct log_line *line, const struct collector *c);

#endif
