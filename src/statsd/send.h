/*
 * From counts to datagrams: which collector owns which counter, and which of
 * them share a datagram.
 */
#ifndef STATSD_SEND_H
#define STATSD_SEND_H

#include <stdint.h>

#include "statsd/cluster.h"
#include "metric/tally.h"

/*
 * Sends one request's counts, in order of first appearance; each as a datagram
 * of its own, or packed with later ones where the collector's URI allows it.
 *
 * *handed is how many of these datagrams were handed to the kernel before and
 * are left out.  It is raised before each of the others, so that it is right
 * whenever this process dies but between that and the system call.
 */
void send_counters(struct cluster *cluster, struct slice app,
    const struct tally *tally, _Atomic uint32_t *handed);

#endif
