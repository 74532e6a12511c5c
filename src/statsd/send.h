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
 * Sends what one request counts, each line in a separate datagram, or packed
 * with later ones where the collector's URI allows it. app represents the
 * application in names; tags are those of TAGS, or empty.  The same tally gives
 * the same datagrams in the same order, except for their signatures.
 *
 * *handed is how many of these datagrams were handed to the kernel earlier;
 * these are not sent.  It is raised before each of the others, so that it is
 * right whenever this process dies, unless it dies between that and the system
 * call.
 */
void send_tally(struct cluster *cluster, struct slice app, struct slice tags,
    const struct tally *tally, _Atomic uint32_t *handed);

#endif
