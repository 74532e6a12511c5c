#include "serve/peer.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "base/log.h"

/*
 * How much is received beyond the bytes wanted: enough for a small request in
 * one read.
 */
enum { READ_AHEAD = 8192 };

/* Waits until there is something to receive, a signal, or the deadline. */
static void
wait_for_bytes(const struct peer *p, int64_t deadline)
{
	struct pollfd fd = {p->fd, POLLIN, 0};
	int64_t left = deadline - clock_ms();
	struct timespec timeout = {left / 1000, (long)(left % 1000) * 1000000};

	if (left > 0)
		ppoll(&fd, 1, &timeout, p->waiting);
}

/*
 * Receives into `place` first, if it is not empty, and then into buf, which has
 * room for `more` bytes after `to`.  Returns how many bytes came: 0 at a
 * hang-up, -1 on an error, which is ETIMEDOUT at the deadline.
 */
static ssize_t
receive(struct peer *p, char *place, size_t len, size_t more, int64_t deadline)
{
	struct iovec parts[] = {{place, len}, {p->buf + p->to, more}};

	while (clock_ms() < deadline) {
		ssize_t n = len == 0 ? recv(p->fd, p->buf + p->to, more, 0)
				     : readv(p->fd, parts, 2);

		if (n > (ssize_t)len)
			p->to += (size_t)n - len;
		if (n >= 0 || (errno != EAGAIN && errno != EINTR))
			return n;
		wait_for_bytes(p, deadline);
	}
	errno = ETIMEDOUT;
	return -1;
}

static struct slice
received(const struct peer *p)
{
	return (struct slice){p->buf + p->from, p->to - p->from};
}

static bool
refuse(const char *reason)
{
	log_reason(LOG_WARNING, "bad-connection", slice_of(reason));
	return false;
}

bool
peer_open(struct peer *p, struct slice *opening)
{
	int64_t soon = clock_ms() + OPENING_WAIT_MS;
	int64_t deadline = soon < p->deadline ? soon : p->deadline;
	enum opening_state state;
	struct opening read = {0};

	p->from = p->to = p->content = p->padding = 0;
	p->end = BODY_OPEN;
	do {
		size_t room = p->opening_max - p->to;
		ssize_t n;

		if (room == 0)
			return refuse("the parameters are too long");
		n = receive(p, NULL, 0, room < READ_AHEAD ? room : READ_AHEAD,
		    deadline);
		if (n < 0 && errno == ETIMEDOUT)
			return refuse("the parameters did not arrive in time");
		if (n <= 0)
			return false;
		state = opening_read(received(p), &read);
		if (state == OPENING_REFUSED)
			return refuse(read.reason);
	} while (state == OPENING_PARTIAL);
	p->request = read.request;
	p->from = read.len;
	*opening = (struct slice){p->buf, read.len};
	return true;
}

/* Receives until buf holds the next len bytes; false if they don't come. */
static bool
have(struct peer *p, size_t len)
{
	size_t there = p->to - p->from;

	if (there >= len)
		return true;
	memmove(p->buf, p->buf + p->from, there);
	p->from = 0;
	p->to = there;
	while (p->to < len)
		if (receive(p, NULL, 0, READ_AHEAD - p->to, p->deadline) <= 0)
			return false;
	return true;
}

/* Goes on to the next record of the body, or to its end. */
static void
next_record(struct peer *p)
{
	struct slice bytes;
	struct record record;

	p->end = BODY_BROKEN;
	if (!have(p, p->padding + RECORD_HEADER_LEN))
		return;
	p->from += p->padding;
	bytes = received(p);
	if (!record_take_header(&bytes, &record) ||
	    record.type != RECORD_STDIN || record.request != p->request)
		return;
	p->from += RECORD_HEADER_LEN;
	p->content = record.content;
	p->padding = record.padding;
	if (record.content > 0) {
		p->end = BODY_OPEN;
	} else if (have(p, p->padding)) {
		p->from += p->padding;
		p->end = BODY_ENDED;
	}
}

/* Reads from the current record and, with its last byte, the next header. */
static size_t
read_content(struct peer *p, char *buf, size_t len)
{
	size_t there = p->to - p->from, n = len < p->content ? len : p->content;
	ssize_t got;

	if (there > 0) {
		n = n < there ? n : there;
		memcpy(buf, p->buf + p->from, n);
		p->from += n;
	} else {
		p->from = p->to = 0;
		got = receive(p, buf, n,
		    n < p->content ? 0 : p->padding + RECORD_HEADER_LEN,
		    p->deadline);
		if (got <= 0) {
			p->end = BODY_BROKEN;
			return 0;
		}
		n = (size_t)got < n ? (size_t)got : n;
	}
	p->content -= n;
	return n;
}

ssize_t
peer_read(struct peer *p, char *buf, size_t len)
{
	size_t total = 0;

	while (total < len && p->end == BODY_OPEN)
		if (p->content == 0)
			next_record(p);
		else
			total += read_content(p, buf + total, len - total);
	return p->end == BODY_BROKEN ? -1 : (ssize_t)total;
}

bool
peer_drain(struct peer *p)
{
	char scratch[READ_AHEAD];

	while (p->end == BODY_OPEN)
		peer_read(p, scratch, sizeof(scratch));
	return p->end == BODY_ENDED;
}

bool
peer_hung_up(struct peer *p)
{
	char byte;

	return !peer_drain(p) || p->from < p->to ||
	    recv(p->fd, &byte, 1, MSG_PEEK) >= 0 || errno != EAGAIN;
}
