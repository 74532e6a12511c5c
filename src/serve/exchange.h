/*
 * One request and its answer, over any transport: where the policy meets input
 * and output.
 */
#ifndef SERVE_EXCHANGE_H
#define SERVE_EXCHANGE_H

#include <sys/types.h>

#include "config/config.h"
#include "http/frames.h"
#include "metric/tally.h"
#include "metric/zeros.h"
#include "statsd/cluster.h"

/*
 * How a body comes in and an answer goes out; fcgi.c and cgi.c each have one.
 */
struct transport {
	void *context;
	/* Reads len bytes; fewer if the stream ends; -1 if it breaks. */
	ssize_t (*read)(void *context, char *buf, size_t len);
	/*
	 * Whether the client no longer waits for the answer, so that nothing
	 * may be counted.  The body has been read; bytes that follow it are
	 * lost.
	 */
	bool (*hung_up)(void *context);
	/* Writes the answer, unless the client has disconnected. */
	void (*write)(void *context, struct slice answer);
};

/*
 * Everything that lives as long as the process.  A zeroed struct only needs
 * exchange_open.
 */
struct service {
	const struct config *config;
	struct cluster cluster;
	struct tally tally;
	struct tally part; /* what is sent separately */
	struct zeros zeros;
	int64_t left_out_logged; /* by clock_ms; 0: never */
	struct frames frames;
	char body[BODY_MAX]; /* only the pages touched cost memory */
};

/*
 * Opens the cluster, without looking up names yet, and the record of batches
 * already counted.
 */
void exchange_open(struct service *service, const struct config *config);

/*
 * Reads the body, decides, sends the counters, answers and logs.  variables are
 * CGI's meta-variables.  A process that has not looked up the collectors' names
 * yet does so only once there is something to send; if nothing can be sent to
 * any collector, the answer is 500.
 */
void exchange_run(struct service *service, char *const *variables,
    const struct transport *transport);

/* Closes the cluster and logs what could not be sent. */
void exchange_close(struct service *service);

/* Answers 500, for a process whose configuration has faults. */
void exchange_refuse(char *const *variables, const struct transport *transport);

#endif
