/*
 * Whether collectors can be reached: a datagram without any counter is sent to
 * each, and what comes back is looked at.  UDP itself never answers; only a
 * refusal (ICMP) tells something, and on loopback so does its absence.
 */
#ifndef CLI_PROBE_H
#define CLI_PROBE_H

#include "statsd/cluster.h"

enum probe_result {
	PROBE_NOT_SENT, /* see reason */
	PROBE_REFUSED,  /* nobody listens */
	PROBE_LISTENS,  /* on loopback, and not refused */
	PROBE_UNKNOWN   /* not refused, but elsewhere that means little */
};

struct probe {
	enum probe_result result;
	const char *reason; /* of PROBE_NOT_SENT */
	int fd;             /* while the answer is waited for, or -1 */
};

/*
 * Probes every collector of an opened cluster that was looked up, each at its
 * addresses in order until one does not refuse.  Waits up to PROBE_WAIT_MS in
 * all, and not at all when every collector is on loopback.
 */
void probe_cluster(const struct cluster *cluster, struct probe *probes);

/* The most connections that may wait at any socket, or 0 if that is unknown. */
size_t probe_backlog(void);

/* Whether somebody listens on that port of a collector's loopback address. */
bool probe_other_port(const struct collector *c, uint16_t port);

#endif
