#include "serve/fcgi.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "bounds.h"
#include "base/clock.h"
#include "serve/peer.h"

enum { LISTENER = 0, NO_LISTENER = -1 };

/* Returned in place of a connection. */
enum { DONE = -1, FAILED = -2 };

static const int stop_signals[] = {SIGTERM, SIGINT, SIGUSR1};

static volatile sig_atomic_t stopping;

bool
fcgi_is_responder(void)
{
	int listening = 0;
	socklen_t len = sizeof(listening);

	return getsockopt(LISTENER, SOL_SOCKET, SO_ACCEPTCONN, &listening,
		   &len) == 0 &&
	    listening;
}

const char *
fcgi_exposure(void)
{
	union {
		struct sockaddr any;
		struct sockaddr_un un;
		struct sockaddr_storage storage;
	} name = {0};
	socklen_t len = sizeof(name.storage);
	struct stat st;

	if (!fcgi_is_responder() || getsockname(LISTENER, &name.any, &len) != 0)
		return NULL;
	if (name.any.sa_family != AF_UNIX)
		return "anyone who can connect to this program's port can "
		       "claim to be any user; give it a unix socket";
	if (name.un.sun_path[0] == '\0' ||
	    (stat(name.un.sun_path, &st) == 0 && (st.st_mode & S_IWOTH) != 0))
		return "every user of this machine can connect to this "
		       "program's socket and claim to be any user; restrict "
		       "the socket's mode";
	return NULL;
}

static void
stop(int signal)
{
	(void)signal;
	stopping = 1;
}

/*
 * Admits signals only while waiting, so that nothing else is interrupted.
 * Because these handlers are installed first, libfcgi does not install its own.
 * *waiting is the mask to wait with.
 */
static void
catch_signals(sigset_t *waiting)
{
	struct sigaction action = {0};
	sigset_t blocked;

	sigemptyset(&blocked);
	action.sa_handler = stop;
	for (size_t i = 0; i < sizeof(stop_signals) / sizeof(int); i++) {
		sigaddset(&blocked, stop_signals[i]);
		sigaction(stop_signals[i], &action, NULL);
	}
	sigprocmask(SIG_BLOCK, &blocked, waiting);
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

/* Everything that lives as long as the process serves. */
struct responder {
	struct service *service;
	sigset_t waiting;
	FCGX_Request request;
	int parameters[2]; /* a pipe, see take_parameters */
	int64_t end;       /* when to stop; INT64_MAX: not asked to */
	struct peer peer;
};

/* Once asked to stop, all remaining requests have until then. */
static void
notice_stop(struct responder *r, int64_t end)
{
	if (stopping && r->end == INT64_MAX)
		r->end = end;
}

/*
 * Waits for the next request while admitting signals, and does what falls due
 * meanwhile.  Once asked to stop, only checks whether there is one.  Returns 0
 * if there is none.
 */
static int
wait_for_request(struct responder *r)
{
	struct cluster *cluster = &r->service->cluster;
	struct pollfd listener = {LISTENER, POLLIN, 0};
	struct timespec timeout;
	int ms, ready;

	cluster_tend(cluster);
	ms = stopping ? 0 : cluster_idle_ms(cluster);
	timeout = (struct timespec){ms / 1000, (long)(ms % 1000) * 1000000};
	ready = ppoll(&listener, 1, ms >= 0 ? &timeout : NULL, &r->waiting);
	if (stopping)
		notice_stop(r, clock_ms() + REQUEST_TIMEOUT_MS);
	return ready;
}

static void
log_accept_failure(int error)
{
	log_reason(LOG_ERROR, "accept-failed", slice_of(strerror(error)));
}

/*
 * Whether accept4 may be tried again after this error: a sibling was faster,
 * the web server hung up, or the machine has a temporary shortage.
 */
static bool
survives(int error)
{
	static const struct timespec pause = {0, 100000000};

	switch (error) {
	case EAGAIN:
	case EINTR:
	case ECONNABORTED:
		return true;
	case EBADF:
	case EINVAL:
	case ENOTSOCK:
		log_accept_failure(error);
		return false;
	default:
		log_accept_failure(error);
		nanosleep(&pause, NULL);
		return true;
	}
}

/*
 * The next connection; DONE once asked to stop, if none waits or no time is
 * left; FAILED if the socket fails.  (Accepting first, and waiting only if
 * there was none, costs more: an accept4 that finds nothing takes 5 us, a ppoll
 * 0.4.)
 */
static int
next_connection(struct responder *r)
{
	for (;;) {
		int ready = wait_for_request(r), fd;

		if (stopping && (ready == 0 || clock_ms() >= r->end))
			return DONE;
		if (ready <= 0)
			continue;
		fd =
		    accept4(LISTENER, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0)
			return fd;
		if (!survives(errno))
			return FAILED;
	}
}

static ssize_t
read_body(void *context, char *buf, size_t len)
{
	struct responder *r = context;

	return peer_read(&r->peer, buf, len);
}

static bool
hung_up(void *context)
{
	struct responder *r = context;

	return peer_hung_up(&r->peer);
}

static void
write_answer(void *context, struct slice answer)
{
	struct responder *r = context;

	FCGX_PutStr(answer.ptr, (int)answer.len, r->request.out);
}

/* The system may give smaller pipes to a user who has many. */
static bool
open_pipe(struct responder *r)
{
	int size;

	if (pipe2(r->parameters, O_NONBLOCK | O_CLOEXEC) != 0)
		return false;
	size = fcntl(r->parameters[1], F_GETPIPE_SZ);
	if (size <= 0)
		return false; /* GCOVR_EXCL_LINE: a pipe has a size */
	r->peer.opening_max =
	    (size_t)size < OPENING_MAX ? (size_t)size : OPENING_MAX;
	return true;
}

/*
 * libfcgi turns the parameters into variables.  It gets them through a pipe,
 * and gets nothing else: it would keep any bytes that it reads from the
 * connection after them, and it mishandles some records (docs/security.md).  If
 * it fails, it has closed the pipe.
 */
static bool
take_parameters(struct responder *r, struct slice opening)
{
	FCGX_Request *q = &r->request;

	q->ipcFd = r->parameters[0];
	/* Otherwise libfcgi would close the pipe and wait for another. */
	q->keepConnection = 1;
	if (write(r->parameters[1], opening.ptr, opening.len) ==
		(ssize_t)opening.len &&
	    FCGX_Accept_r(q) == 0) {
		q->ipcFd = r->peer.fd;
		return true;
	}
	log_reason(LOG_ERROR, "fcgi-failed",
	    SLICE("libfcgi did not accept the parameters"));
	FCGX_Free(q, 1);
	close(r->parameters[1]);
	return false;
}

/*
 * Writes the answer and closes the connection, even if the web server asked to
 * keep it: a kept one would hold up all other clients.  Detaching it prevents
 * libfcgi from waiting until the web server has closed it, which is not needed,
 * as the body has been read or the peer is at fault.
 */
static void
finish(struct responder *r)
{
	peer_drain(&r->peer);
	r->request.keepConnection = 0;
	FCGX_Detach(&r->request);
	FCGX_Finish_r(&r->request);
}

/* False if no other request can be served. */
static bool
serve(struct responder *r, int fd)
{
	struct transport transport = {r, read_body, hung_up, write_answer};
	int64_t limit = clock_ms() + REQUEST_TIMEOUT_MS;
	struct slice opening;

	r->peer.fd = fd;
	r->peer.deadline = limit < r->end ? limit : r->end;
	r->peer.waiting = &r->waiting;
	if (!peer_open(&r->peer, &opening)) {
		close(fd);
		notice_stop(r, limit);
		return true;
	}
	if (!take_parameters(r, opening)) {
		close(fd);
		return open_pipe(r);
	}
	exchange_run(r->service, r->request.envp, &transport);
	finish(r);
	notice_stop(r, limit);
	return true;
}

/* libfcgi checks this when it accepts connections itself. */
static bool
limits_addresses(void)
{
	const char *addresses = getenv("FCGI_WEB_SERVER_ADDRS");

	return addresses != NULL && addresses[0] != '\0';
}

static bool
prepare(struct responder *r)
{
	const char *reason;

	catch_signals(&r->waiting);
	if (limits_addresses())
		reason = "FCGI_WEB_SERVER_ADDRS is not supported: listen on a "
			 "unix socket";
	else if (fcntl(LISTENER, F_SETFL, O_NONBLOCK) == 0 &&
	    FCGX_Init() == 0 &&
	    FCGX_InitRequest(&r->request, NO_LISTENER, 0) == 0 && open_pipe(r))
		return true;
	else
		reason = strerror(errno);
	log_reason(LOG_ERROR, "fcgi-failed", slice_of(reason));
	return false;
}

bool
fcgi_serve(struct service *service)
{
	struct responder r = {.service = service, .end = INT64_MAX};
	int fd;

	if (!prepare(&r))
		return false;
	while ((fd = next_connection(&r)) >= 0)
		if (!serve(&r, fd))
			return false; /* GCOVR_EXCL_LINE: no pipe is left */
	return fd == DONE;
}
