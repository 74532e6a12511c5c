/*
 * From samples to datagrams: which collector owns which line, and which lines
 * share a datagram.
 */
#ifndef STATSD_SEND_H
#define STATSD_SEND_H

#include <stdatomic.h>
#include <stdint.h>

#include "metric/tally.h"
#include "statsd/cluster.h"

/*
 * Sends what one request counts, each line as a datagram of its own, or packed
 * with later ones where the collector's URI allows it.  app is what stands for
 * the application; tags are those of TAGS, or empty.  The same tally gives the
 * same datagrams in the same order, but for their signatures.
 *
 * *handed is how many of these datagrams were handed to the kernel before and
 * are left out.  It is raised before each of the others, so that it is right
 * whenever this process dies but between that and the system call.
 */
void send_tally(struct cluster *cluster, struct slice app, struct slice tags,
    const struct tally *tally, _Atomic uint32_t *handed);

#endif
