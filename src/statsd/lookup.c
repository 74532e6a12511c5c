#include "statsd/lookup.h"

#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/buf.h"

static void
put_port(char port[static sizeof("65535")], uint16_t number)
{
	struct buf t = {port, 0, sizeof("65535") - 1, false};

	buf_put_number(&t, number);
	port[t.len] = '\0';
}

void
lookup_init(struct lookup *lookup, const char *host, uint16_t port)
{
	static const struct addrinfo hints = {
	    .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV};

	*lookup = (struct lookup){0};
	put_port(lookup->port, port);
	lookup->request.ar_name = host;
	lookup->request.ar_service = lookup->port;
	lookup->request.ar_request = &hints;
}

bool
lookup_start(struct lookup *lookup)
{
	struct gaicb *request = &lookup->request;

	if (!lookup->pending)
		lookup->pending =
		    getaddrinfo_a(GAI_NOWAIT, &request, 1, NULL) == 0;
	return lookup->pending;
}

bool
lookup_pending(const struct lookup *lookup)
{
	return lookup->pending;
}

void
lookup_wait(struct lookup *lookup, long milliseconds)
{
	const struct gaicb *request = &lookup->request;
	int64_t deadline = clock_ms() + milliseconds, left = milliseconds;

	/* Leftovers of an earlier look-up in the C library may end a wait. */
	while (lookup->pending && left > 0 &&
	    gai_error(&lookup->request) == EAI_INPROGRESS) {
		struct timespec timeout = {left / 1000, left % 1000 * 1000000};

		gai_suspend(&request, 1, &timeout);
		left = deadline - clock_ms();
	}
}

static enum lookup_result
result_of(int error)
{
	switch (error) {
	case 0:
		return LOOKUP_FOUND;
	case EAI_AGAIN:
	case EAI_FAIL:
	case EAI_MEMORY:
	case EAI_SYSTEM:
		return LOOKUP_NO_ANSWER;
	default:
		return LOOKUP_NO_SUCH_NAME;
	}
}

enum lookup_result
lookup_finish(struct lookup *lookup, struct addrinfo **addresses)
{
	int error;

	if (!lookup->pending)
		return LOOKUP_IDLE;
	error = gai_error(&lookup->request);
	if (error == EAI_INPROGRESS)
		return LOOKUP_IDLE;
	lookup->pending = false;
	lookup->result = result_of(error);
	*addresses = lookup->request.ar_result;
	return lookup->result;
}

const char *
lookup_reason(struct lookup *lookup)
{
	return gai_strerror(gai_error(&lookup->request));
}

struct addrinfo *
lookup_literal(const char *host, uint16_t port)
{
	struct addrinfo hints = {0}, *address = NULL;
	char service[sizeof("65535")];

	put_port(service, port);
	hints.ai_socktype = SOCK_DGRAM;
	hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	return getaddrinfo(host, service, &hints, &address) == 0 ? address
								 : NULL;
}
