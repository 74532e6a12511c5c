/*
 * From counts to datagrams: which collector owns which counter, and which of
 * them share a datagram.
 */
#ifndef STATSD_SEND_H
#define STATSD_SEND_H

#include "statsd/cluster.h"
#include "metric/tally.h"

/*
 * Sends one request's counts, in order of first appearance; each as a datagram
 * of its own, or packed with later ones where the collector's URI allows it.
 */
void send_counters(
    struct cluster *cluster, struct slice app, const struct tally *tally);

#endif
