#include "sink.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#include "measure.h"

unsigned
sink_open(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		measure_fail("no socket for a collector");
	return ntohs(address.sin_port);
}

void
sink_connect(struct sink *sink, const char *key, const char *query)
{
	char uri[256];
	const char *fault;

	snprintf(uri, sizeof(uri), "statsd://%s127.0.0.1:%u%s", key,
	    sink_open(), query);
	fault = uri_parse(slice_of(uri), &sink->uri);
	if (fault != NULL)
		measure_fail("%s: %s", uri, fault);
	cluster_open(&sink->cluster, &sink->uri, 1);
}
