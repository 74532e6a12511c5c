/*
 * Looking up a name without waiting for the name server: by getaddrinfo_a(3) of
 * the GNU C library, which does so in another thread.
 */
#ifndef STATSD_LOOKUP_H
#define STATSD_LOOKUP_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

enum lookup_result {
	LOOKUP_IDLE,  /* not started, still pending, or already reported */
	LOOKUP_FOUND, /* *addresses is the caller's to free */
	LOOKUP_NO_SUCH_NAME,
	LOOKUP_NO_ANSWER /* the name server's fault: worth another try */
};

/* Must neither move nor be freed while it is pending. */
struct lookup {
	struct gaicb request;
	char port[sizeof("65535")];
	bool pending;
	enum lookup_result result; /* of the last one that has finished */
};

/* Prepares a look-up of the host's UDP addresses; the host must outlive it. */
void lookup_init(struct lookup *lookup, const char *host, uint16_t port);

/*
 * Starts the look-up, unless it is pending.  False if it can't be started now.
 */
bool lookup_start(struct lookup *lookup);

bool lookup_pending(const struct lookup *lookup);

/* Waits until it has finished, but at most that many milliseconds. */
void lookup_wait(struct lookup *lookup, long milliseconds);

/* The result, reported once. */
enum lookup_result lookup_finish(
    struct lookup *lookup, struct addrinfo **addresses);

/* Why the last look-up found nothing. */
const char *lookup_reason(struct lookup *lookup);

/*
 * The address, if the host is a literal one; NULL if it is a name.  Asks no
 * name server.  The caller frees the result.
 */
struct addrinfo *lookup_literal(const char *host, uint16_t port);

#endif
