/*
 * Looking a name up without waiting for the name server: getaddrinfo_a(3) of
 * the GNU C library, which does it in a thread of its own.
 */
#ifndef STATSD_LOOKUP_H
#define STATSD_LOOKUP_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

struct lookup;

/*
 * Allocates a look-up of the host's UDP addresses; the host must outlive it.
 * NULL if there is no memory.
 */
struct lookup *lookup_new(const char *host, uint16_t port);

/* Starts it, unless it is under way.  False if that is not possible now. */
bool lookup_start(struct lookup *lookup);

bool lookup_pending(const struct lookup *lookup);

/* Waits until it has finished, or that many milliseconds. */
void lookup_wait(struct lookup *lookup, long milliseconds);

enum lookup_result {
	LOOKUP_IDLE,  /* not started, still under way, or asked before */
	LOOKUP_FOUND, /* *addresses is the caller's to free */
	LOOKUP_NO_SUCH_NAME,
	LOOKUP_NO_ANSWER /* the name server's fault: worth another try */
};

/* What came of it; *reason is set for the last two. */
enum lookup_result lookup_finish(
    struct lookup *lookup, struct addrinfo **addresses, const char **reason);

/*
 * A host that is an address already: never asks anybody.  NULL if it is a
 * name; the caller frees it otherwise.
 */
struct addrinfo *lookup_literal(const char *host, uint16_t port);

#endif
