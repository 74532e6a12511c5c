/*
 * All collectors, and the look-ups of their names: at start, and after that
 * between requests, never during one.
 */
#ifndef STATSD_CLUSTER_H
#define STATSD_CLUSTER_H

#include "statsd/collector.h"

struct cluster {
	size_t count;
	struct collector collectors[COLLECTORS_MAX];
	bool has_names;
	bool looked_up; /* the names, at start */
	bool looking_up;
	bool has_failures;   /* some collector has failures to log */
	int64_t refreshed;   /* when cluster_refresh last was, by clock_ms */
	int64_t next_lookup; /* of the first name that is due, by clock_ms */
};

/*
 * Prepares count collectors, which borrow their URIs, and connects those whose
 * host is an address.
 */
void cluster_open(
    struct cluster *cluster, const struct uri *uris, size_t count);

/*
 * The first time, looks up all names at once and waits for the name server, at
 * most LOOKUP_WAIT_MS; cluster_tend tries again those that have no answer by
 * then.  Adds a line to *faults for each collector that nothing can be sent to:
 * its name does not exist, or its address is a broadcast address.  False if
 * that is true of all of them.
 */
bool cluster_look_up(struct cluster *cluster, struct buf *faults);

/*
 * To be called before a request's datagrams are sent: refreshes the sockets,
 * every REFRESH_INTERVAL_MS at most.
 */
void cluster_refresh(struct cluster *cluster);

/* Sends a datagram to collector i; cluster_tend logs failures. */
void cluster_send(
    struct cluster *cluster, size_t i, unsigned char *datagram, size_t len);

/*
 * To be called between requests: takes the results of finished look-ups, starts
 * those that are due, and writes the log lines that are due.  Never waits.
 */
void cluster_tend(struct cluster *cluster);

/* Milliseconds until cluster_tend has something to do, or -1 for never. */
int cluster_idle_ms(const struct cluster *cluster);

/* Closes all sockets, and logs failures that were not logged yet. */
void cluster_close(struct cluster *cluster);

#endif
