/*
 * One collector: its addresses, the socket, and what could not be sent.
 *
 * A datagram is sent by a connected, non-blocking UDP socket and may be lost
 * unnoticed.  A failure that is noticed is logged and never affects the
 * request.
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
	bool named; /* looked up, rather than a literal address */
	struct lookup lookup;
	int64_t next_lookup;   /* by clock_ms */
	int64_t lookup_logged; /* when a failure was; 0: never */
	struct collector_address addresses[ADDRESSES_MAX];
	size_t address_count;
	size_t current;
	int fd; /* connected to addresses[current], or -1 */
	unsigned long
	    failed;     /* datagrams lost since the last line in the log */
	int error;      /* errno of the last failure */
	int64_t logged; /* when that line was, by clock_ms; 0: never */
};

/* Prepares a collector, and connects it if its host is an address. */
void collector_open(struct collector *c, const struct uri *uri);

/*
 * Takes over a list of addresses, and frees it.  The socket is kept if the
 * address that it is connected to is still among them.
 */
void collector_set_addresses(struct collector *c, struct addrinfo *list);

/*
 * Makes a new socket if the kernel would now send from another address.  The
 * kernel reports no such change: an old socket would go on sending from an IPv6
 * address that the machine no longer has, and networks drop that.
 */
void collector_refresh(struct collector *c);

/* Whether the kernel refuses to connect a socket to it: a broadcast address. */
bool collector_refuses(const struct collector *c);

/* Bytes that precede a datagram's text: the signature's, or none. */
size_t collector_headroom(const struct collector *c);

/* The most bytes that a datagram may have. */
size_t collector_datagram_max(const struct collector *c);

/*
 * Signs a datagram of len bytes, if the collector has a key; the text starts
 * after the headroom.  False, with errno set, if there is no nonce.
 */
bool collector_sign(
    const struct collector *c, unsigned char *datagram, size_t len);

/*
 * Sends a datagram of len bytes, signing it if the collector has a key.
 *
 * An error of a connected socket may concern an earlier datagram, which is
 * lost; this one has not been sent then.  It is tried again, at the next
 * address if the earlier one was refused and there is another.  If that fails
 * too, the error concerns this datagram: the machine's address or a route to
 * the collector may have changed, so a new socket is tried.  False if anything
 * was lost.
 */
bool collector_send(struct collector *c, unsigned char *datagram, size_t len);

/*
 * Logs the failed sends, with at most one line every SEND_LOG_INTERVAL_MS.
 * False if something is left to be logged later.
 */
bool collector_log_failures(struct collector *c, int64_t now);

/*
 * Closes the socket, after checking whether the last datagram was refused, and
 * logs the sends that failed since the last line.
 */
void collector_close(struct collector *c);

/* Adds the pair collector=statsd://host:port to a line of the log. */
void collector_put(struct log_line *line, const struct collector *c);

#endif
