#include "serve/cgi.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

bool
cgi_is_request(void)
{
	return getenv("GATEWAY_INTERFACE") != NULL;
}

/* The context is whether reading has failed. */
static size_t
read_stdin(void *context, char *buf, size_t len)
{
	bool *broken = context;
	size_t total = 0;

	while (total < len) {
		ssize_t n = read(STDIN_FILENO, buf + total, len - total);

		if (n == 0 || (n < 0 && errno != EINTR)) {
			*broken |= n < 0;
			break;
		}
		total += n > 0 ? (size_t)n : 0;
	}
	return total;
}

static bool
stdin_broken(void *context)
{
	bool *broken = context;

	return *broken;
}

static void
write_stdout(void *context, struct slice answer)
{
	(void)context;
	while (answer.len > 0) {
		ssize_t n = write(STDOUT_FILENO, answer.ptr, answer.len);

		if (n < 0 && errno != EINTR)
			return;
		answer = slice_after(answer, n > 0 ? (size_t)n : 0);
	}
}

void
cgi_serve(struct service *service, char *const *environment)
{
	bool broken = false;
	struct transport transport = {
	    &broken, read_stdin, stdin_broken, write_stdout};

	if (service != NULL)
		exchange_run(service, environment, &transport);
	else
		exchange_refuse(environment, &transport);
}
