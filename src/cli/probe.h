/*
 * Whether collectors can be reached: sends each a datagram without counters and
 * looks for a refusal.  UDP has no acknowledgements; only a refusal (ICMP) is
 * evidence or, on loopback, its absence.
 */
#ifndef CLI_PROBE_H
#define CLI_PROBE_H

#include "statsd/cluster.h"

enum probe_result {
	PROBE_NOT_SENT, /* see reason */
	PROBE_REFUSED,  /* nothing listens */
	PROBE_LISTENS,  /* on loopback and not refused */
	PROBE_UNKNOWN   /* not refused, which proves nothing off loopback */
};

struct probe {
	enum probe_result result;
	const char *reason; /* of PROBE_NOT_SENT */
	int fd;             /* while waiting for a refusal, or -1 */
};

/*
 * Probes every collector of a cluster that was opened and looked up, trying
 * each collector's addresses in order until one does not refuse.  Waits up to
 * PROBE_WAIT_MS in all, and not at all when every collector is on loopback.
 */
void probe_cluster(const struct cluster *cluster, struct probe *probes);

/* The most connections that may wait at any socket, or 0 if that is unknown. */
size_t probe_backlog(void);

/* Whether a program listens on that port of a collector's loopback address. */
bool probe_other_port(const struct collector *c, uint16_t port);

#endif
