#include "serve/cgi.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "bounds.h"

bool
cgi_is_request(void)
{
	return getenv("GATEWAY_INTERFACE") != NULL ||
	    getenv("REQUEST_METHOD") != NULL;
}

static ssize_t
read_stdin(void *context, char *buf, size_t len)
{
	size_t total = 0;

	(void)context;
	while (total < len) {
		ssize_t n = read(STDIN_FILENO, buf + total, len - total);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n == 0)
			break;
		total += n > 0 ? (size_t)n : 0;
	}
	return (ssize_t)total;
}

/*
 * Whether the pipe has no reader any more, or the socket is closed in both
 * directions: some servers end a body by closing only one.
 */
static bool
stdout_hung_up(void *context)
{
	struct pollfd fd = {STDOUT_FILENO, 0, 0};

	(void)context;
	return poll(&fd, 1, 0) > 0;
}

/* Whether another try may succeed: a non-blocking pipe may be full. */
static bool
waits_for_room(int error)
{
	struct pollfd fd = {STDOUT_FILENO, POLLOUT, 0};

	return error == EINTR ||
	    (error == EAGAIN && poll(&fd, 1, REQUEST_TIMEOUT_MS) > 0);
}

static void
write_stdout(void *context, struct slice answer)
{
	(void)context;
	while (answer.len > 0) {
		ssize_t n = write(STDOUT_FILENO, answer.ptr, answer.len);

		if (n < 0 && !waits_for_room(errno))
			return;
		answer = slice_after(answer, n > 0 ? (size_t)n : 0);
	}
}

void
cgi_serve(struct service *service, char *const *environment)
{
	struct transport transport = {
	    NULL, read_stdin, stdout_hung_up, write_stdout};

	if (service != NULL)
		exchange_run(service, environment, &transport);
	else
		exchange_refuse(environment, &transport);
}
