/*
 * The least that a FastCGI responder can do over libfcgi: read a body to its
 * end, answer 201 and nothing else, and close the connection without waiting
 * for the web server, as logplex-statsd does.
 *
 * If DATAGRAMS names a file of datagrams, a NUL after each, it also sends these
 * to the port COLLECTOR of loopback, at each request, before it answers.
 */
#include <arpa/inet.h>
#include <fcgiapp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "bounds.h"

static const char answer[] = "Status: 201 Created\r\n"
			     "Content-Type: application/json\r\n"
			     "Content-Length: 38\r\n\r\n"
			     "{\"messages\":10,\"errors\":1,\"skipped\":0}";

static struct {
	int fd;
	size_t count;
	char *bytes[BUCKETS_MAX];
	size_t len[BUCKETS_MAX];
} datagrams;

static bool
read_datagrams(const char *path)
{
	FILE *file = fopen(path, "r");
	size_t size = 0;
	ssize_t len;

	if (file == NULL)
		return false;
	while (datagrams.count < BUCKETS_MAX &&
	    (len = getdelim(
		 &datagrams.bytes[datagrams.count], &size, '\0', file)) > 0) {
		datagrams.len[datagrams.count++] = (size_t)len - 1;
		size = 0;
	}
	return fclose(file) == 0;
}

static bool
connect_collector(const char *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET};

	address.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	datagrams.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	return connect(datagrams.fd, (struct sockaddr *)&address,
		   sizeof(address)) == 0;
}

static void
send_datagrams(void)
{
	for (size_t i = 0; i < datagrams.count; i++)
		send(datagrams.fd, datagrams.bytes[i], datagrams.len[i], 0);
}

int
main(void)
{
	static char body[BODY_MAX];
	const char *path = getenv("DATAGRAMS"), *port = getenv("COLLECTOR");
	FCGX_Request request;

	if (path != NULL && port != NULL &&
	    (!read_datagrams(path) || !connect_collector(port)))
		return 1;
	if (FCGX_Init() != 0 || FCGX_InitRequest(&request, 0, 0) != 0)
		return 1;
	while (FCGX_Accept_r(&request) == 0) {
		FCGX_GetStr(body, sizeof(body), request.in);
		send_datagrams();
		FCGX_PutStr(answer, sizeof(answer) - 1, request.out);
		FCGX_Detach(&request);
		FCGX_Finish_r(&request);
	}
}
