#include "cli/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

static bool
is_loopback(const struct collector_address *a)
{
	const struct sockaddr_in *v4 = (const void *)&a->storage;
	const struct sockaddr_in6 *v6 = (const void *)&a->storage;

	if (a->family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return a->family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

static void
finish(struct probe *p, enum probe_result result)
{
	p->result = result;
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

static bool
is_refused(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 &&
	    error == ECONNREFUSED;
}

/* On loopback, a refusal has arrived by the time send returns. */
static void
probe_address(
    struct probe *p, const struct collector *c, struct collector_address a)
{
	unsigned char blank[SIGNATURE_LEN]; /* if signed, else nothing */
	size_t len = collector_headroom(c);

	p->fd = socket(a.family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd < 0 ||
	    connect(p->fd, (struct sockaddr *)&a.storage, a.len) != 0 ||
	    !collector_sign(c, blank, len) || send(p->fd, blank, len, 0) < 0) {
		p->reason = strerror(errno);
		finish(p, PROBE_NOT_SENT);
	} else if (is_refused(p->fd)) {
		finish(p, PROBE_REFUSED);
	} else if (is_loopback(&a)) {
		finish(p, PROBE_LISTENS);
	} else {
		p->result = PROBE_UNKNOWN;
	}
}

static void
probe_collector(struct probe *p, const struct collector *c)
{
	*p = (struct probe){PROBE_NOT_SENT, "it has no address yet", -1};
	for (size_t i = 0; i < c->address_count; i++) {
		probe_address(p, c, c->addresses[i]);
		if (p->result == PROBE_LISTENS || p->result == PROBE_UNKNOWN)
			return;
	}
}

/* A refusal from another machine takes a moment to arrive. */
static void
wait_for_refusals(struct probe *probes, size_t count)
{
	bool waiting = false;

	for (size_t i = 0; i < count; i++)
		waiting |= probes[i].fd >= 0;
	if (waiting)
		poll(NULL, 0, PROBE_WAIT_MS);
	for (size_t i = 0; i < count; i++)
		if (probes[i].fd >= 0)
			finish(&probes[i],
			    is_refused(probes[i].fd) ? PROBE_REFUSED
						     : PROBE_UNKNOWN);
}

void
probe_cluster(const struct cluster *cluster, struct probe *probes)
{
	for (size_t i = 0; i < cluster->count; i++)
		probe_collector(&probes[i], &cluster->collectors[i]);
	wait_for_refusals(probes, cluster->count);
}

static void
set_port(struct collector_address *a, uint16_t port)
{
	if (a->family == AF_INET)
		((struct sockaddr_in *)(void *)&a->storage)->sin_port =
		    htons(port);
	else
		((struct sockaddr_in6 *)(void *)&a->storage)->sin6_port =
		    htons(port);
}

bool
probe_other_port(const struct collector *c, uint16_t port)
{
	struct probe p = {PROBE_NOT_SENT, NULL, -1};

	for (size_t i = 0; i < c->address_count; i++) {
		struct collector_address a = c->addresses[i];

		if (!is_loopback(&a))
			continue;
		set_port(&a, port);
		probe_address(&p, c, a);
		if (p.result == PROBE_LISTENS)
			return true;
	}
	return false;
}

size_t
probe_backlog(void)
{
	char buf[16];
	int fd = open("/proc/sys/net/core/somaxconn", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? read(fd, buf, sizeof(buf)) : 0;
	struct slice text = {buf, len > 0 ? (size_t)len : 0};
	size_t limit = 0;

	if (fd >= 0)
		close(fd);
	slice_take_number(&text, sizeof(buf), &limit);
	return limit;
}
