/*
 * Looking a name up without waiting for the name server: getaddrinfo_a(3) of
 * the GNU C library, which does it in a thread of its own.
 */
#ifndef STATSD_LOOKUP_H
#define STATSD_LOOKUP_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

enum lookup_result {
	LOOKUP_IDLE,  /* not started, still under way, or told before */
	LOOKUP_FOUND, /* *addresses is the caller's to free */
	LOOKUP_NO_SUCH_NAME,
	LOOKUP_NO_ANSWER /* the name server's fault: worth another try */
};

/* Must not move or go while it is pending. */
struct lookup {
	struct gaicb request;
	char port[sizeof("65535")];
	bool pending;
	enum lookup_result result; /* of the last one that has finished */
};

/* Prepares a look-up of the host's UDP addresses; the host must outlive it. */
void lookup_init(struct lookup *lookup, const char *host, uint16_t port);

/* Starts it, unless it is under way.  False if that is not possible now. */
bool lookup_start(struct lookup *lookup);

bool lookup_pending(const struct lookup *lookup);

/* Waits until it has finished, or that many milliseconds. */
void lookup_wait(struct lookup *lookup, long milliseconds);

/* What came of it. */
enum lookup_result lookup_finish(
    struct lookup *lookup, struct addrinfo **addresses);

/* Why the last one found nothing. */
const char *lookup_reason(struct lookup *lookup);

/*
 * The address that a host is, asking nobody; the caller frees it.  NULL if the
 * host is a name.
 */
struct addrinfo *lookup_literal(const char *host, uint16_t port);

#endif
