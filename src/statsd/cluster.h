/*
 * All collectors, and the look-ups of their names: at start, and then between
 * requests, never during one.
 */
#ifndef STATSD_CLUSTER_H
#define STATSD_CLUSTER_H

#include "statsd/collector.h"

struct cluster {
	size_t count;
	struct collector collectors[COLLECTORS_MAX];
	bool has_names;
	bool looking_up;
	bool has_failures;   /* some collector has failures to log */
	int64_t next_lookup; /* by clock_ms */
};

/*
 * Makes count collectors ready, which borrow their URIs; those whose host is
 * an address are connected.
 */
void cluster_open(
    struct cluster *cluster, const struct uri *uris, size_t count);

/*
 * Looks up the names that have no address yet, all at once, and waits for the
 * name server, but not above LOOKUP_WAIT_MS; what is still open then is tried
 * again by cluster_tend.  A name that does not exist adds a line to *faults.
 */
void cluster_look_up(struct cluster *cluster, struct buf *faults);

/* Sends a datagram to collector i; cluster_tend logs what has failed. */
void cluster_send(
    struct cluster *cluster, size_t i, unsigned char *datagram, size_t len);

/*
 * To be called between requests: takes in finished look-ups, starts those that
 * are due, and writes what is due to the log.  Never waits.
 */
void cluster_tend(struct cluster *cluster);

/* Milliseconds until cluster_tend has something to do, or -1 for never. */
int cluster_idle_ms(const struct cluster *cluster);

/* Closes all sockets; failures that were not logged yet are. */
void cluster_close(struct cluster *cluster);

#endif
