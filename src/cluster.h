/*
 * The collectors: looking up their names, their sockets, and sending.  The
 * only place that does any of these.
 *
 * A datagram is sent by a connected, non-blocking UDP socket and may be lost
 * on its way without anybody noticing; a failure that is noticed is logged and
 * never the request's concern.
 */
#ifndef CLUSTER_H
#define CLUSTER_H

#include <sys/socket.h>

#include "config.h"
#include "statsd.h"
#include "tally.h"

struct collector_address {
	struct sockaddr_storage storage;
	socklen_t len;
	int family;
};

struct collector {
	const struct statsd_uri *uri;
	struct statsd_key key;
	int fd; /* connected to addresses[current], or -1 */
	struct collector_address addresses[ADDRESSES_MAX];
	size_t address_count;
	size_t current;
	struct lookup *lookup; /* of its name; NULL for a literal address */
	unsigned long failed;  /* sends since the last line in the log */
	const char *failure;   /* what the last of them died of */
	int64_t logged;        /* when that line was, monotonic ms; 0: never */
};

struct cluster {
	size_t count;
	struct collector collectors[COLLECTORS_MAX];
	bool has_names;
	bool looking_up;
	bool has_failures;   /* some collector has failed sends to log */
	int64_t next_lookup; /* monotonic milliseconds */
	unsigned char datagram[DATAGRAM_MAX];
};

/* Makes the collectors of a configuration ready; literals are connected. */
void cluster_open(struct cluster *cluster, const struct config *config);

/*
 * Looks up the names that have no address yet, all at once, and waits for the
 * name server, but not above LOOKUP_WAIT_MS; what is still open then is tried
 * again by cluster_tend.  A name that does not exist adds a line to *faults.
 */
void cluster_look_up(struct cluster *cluster, struct text *faults);

/*
 * To be called between requests: takes in finished look-ups, starts those that
 * are due, and writes what is due to the log.  Never waits.
 */
void cluster_tend(struct cluster *cluster);

/* Milliseconds until cluster_tend has something to do, or -1 for never. */
int cluster_idle_ms(const struct cluster *cluster);

/* Sends the counts of one request, in order of first appearance. */
void cluster_send(
    struct cluster *cluster, struct slice app, const struct tally *tally);

#endif
