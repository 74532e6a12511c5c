/*
 * A collector that nobody reads, which its sender never notices.
 */
#ifndef SINK_H
#define SINK_H

#include "statsd/cluster.h"

/* Opens a socket on loopback; returns its port. */
unsigned sink_open(void);

/*
 * A cluster of one such collector, with a query ("?datagram=1432"), whose
 * datagrams are signed if key ("user:key@") is not empty.
 */
struct sink {
	struct uri uri;
	struct cluster cluster;
};

void sink_connect(struct sink *sink, const char *key, const char *query);

#endif
