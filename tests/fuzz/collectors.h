/*
 * Collectors of a fuzz target's own: a UDP socket on loopback, and what a
 * statsd server makes of a datagram.
 */
#ifndef COLLECTORS_H
#define COLLECTORS_H

#include "config/config.h"
#include "statsd/cluster.h"

/* Opens the socket at the first call; its port. */
uint16_t collectors_port(void);

/*
 * Opens a cluster whose collectors are all that socket, as the URIs
 * "statsd://<userinfo>127.0.0.1:<port><tail>" say.  False if one of them is
 * refused, or would be somewhere else.
 */
bool collectors_open(struct cluster *cluster, struct config *config,
    const struct slice *userinfos, const struct slice *tails, size_t count);

void collectors_close(struct cluster *cluster);

/*
 * Reads all datagrams that have come.  Each must fit its limit, be signed if
 * the cluster's are, and hold lines "<prefix><app>.heroku.errors.<code>:<N>|c"
 * of the collector that owns the counter and nothing else.  The sum of N.
 */
size_t collectors_read(const struct config *config, struct slice app);

#endif
