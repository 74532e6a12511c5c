#include "serve/fcgi.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "bounds.h"
#include "base/clock.h"

enum { LISTENER = 0 };

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
		return "whoever can connect to this program's port can say "
		       "that he is any user; give it a unix socket";
	if (name.un.sun_path[0] == '\0' ||
	    (stat(name.un.sun_path, &st) == 0 && (st.st_mode & S_IWOTH) != 0))
		return "every user of this machine may connect to this "
		       "program's socket, and say that he is any user; take "
		       "that right from the socket's mode";
	return NULL;
}

static void
stop(int signal)
{
	(void)signal;
	stopping = 1;
}

static void
interrupt(int signal)
{
	(void)signal;
}

static void
handle(int signal, void (*handler)(int))
{
	struct sigaction action = {0};

	action.sa_handler = handler;
	sigaction(signal, &action, NULL);
}

/*
 * Lets the signals in only while waiting: one that interrupts a read would cut
 * a body short.  libfcgi's own handlers, which do that, stay out because these
 * are there first.  *waiting is the mask to wait with.
 */
static void
catch_signals(sigset_t *waiting)
{
	sigset_t blocked, alarm;

	sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof(stop_signals) / sizeof(int); i++) {
		sigaddset(&blocked, stop_signals[i]);
		handle(stop_signals[i], stop);
	}
	sigprocmask(SIG_BLOCK, &blocked, waiting);
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &alarm, NULL);
	handle(SIGALRM, interrupt);
	handle(SIGPIPE, SIG_IGN);
}

/*
 * A web server that falls silent, or drips, must not hold the process: after
 * so many seconds whatever libfcgi waits in is interrupted, which breaks the
 * stream, and again each second in case it was just not waiting.  0: no limit.
 */
static void
set_alarm(time_t seconds)
{
	struct itimerval limit = {{seconds > 0, 0}, {seconds, 0}};

	setitimer(ITIMER_REAL, &limit, NULL);
}

/*
 * Bounds a request's time, give or take a second: requests that follow each
 * other sooner share an alarm, as the two system calls that set and clear one
 * are a fifth of what a small batch costs here.  *set is when, 0: not set.
 */
static void
limit_time(int64_t *set)
{
	int64_t now = clock_ms();

	if (*set == 0 || now - *set >= 1000) {
		set_alarm(REQUEST_TIMEOUT);
		*set = now;
	}
}

static void
unlimit_time(int64_t *set)
{
	if (*set != 0)
		set_alarm(0);
	*set = 0;
}

/* An interrupted read gives a positive error, all others negative ones. */
static ssize_t
read_stream(void *context, char *buf, size_t len)
{
	FCGX_Request *r = context;
	int n = FCGX_GetStr(buf, (int)len, r->in);

	return FCGX_GetError(r->in) == 0 ? n : -1;
}

/* Reads the stream to its end; false if it breaks before. */
static bool
drain(FCGX_Request *r)
{
	char scratch[8192];
	ssize_t n;

	do
		n = read_stream(r, scratch, sizeof(scratch));
	while (n == sizeof(scratch));
	return n >= 0;
}

/* A web server that waits for its answer says nothing and stays. */
static bool
stream_hung_up(void *context)
{
	FCGX_Request *r = context;
	char byte;

	return !drain(r) ||
	    recv(r->ipcFd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
	    errno != EAGAIN;
}

static void
write_stream(void *context, struct slice answer)
{
	FCGX_Request *r = context;

	FCGX_PutStr(answer.ptr, (int)answer.len, r->out);
}

/*
 * A connection carries one request: while it was kept, nobody else would be
 * served.  libfcgi waits for the web server to close first, a round trip, lest
 * unread data reset the connection.  When all has been read that care is not
 * needed: a detached connection is just closed.
 */
static void
finish(FCGX_Request *r)
{
	r->keepConnection = 0;
	if (drain(r))
		FCGX_Detach(r);
	FCGX_Finish_r(r);
}

/* Waits for the next request; false when told to stop and none is waiting. */
static bool
wait_for_request(
    struct cluster *cluster, const sigset_t *waiting, int64_t *alarm_set)
{
	for (;;) {
		static const struct timespec at_once;
		struct pollfd fd = {LISTENER, POLLIN, 0};
		int idle, ready;
		struct timespec timeout;

		cluster_tend(cluster);
		idle = cluster_idle_ms(cluster);
		timeout = (struct timespec){
		    idle / 1000, (long)(idle % 1000) * 1000000};
		ready = ppoll(&fd, 1,
		    stopping        ? &at_once
			: idle >= 0 ? &timeout
				    : NULL,
		    waiting);
		if (ready > 0)
			return true;
		if (ready == 0 && stopping)
			return false;
		unlimit_time(alarm_set);
	}
}

static void
log_accept_failure(int error)
{
	log_reason(LOG_ERROR, "accept-failed", slice_of(strerror(error)));
}

/*
 * What FCGX_Accept_r failed of: a sibling was faster, the web server left
 * again, or the machine is short of something that will come back.
 */
static bool
survives(int error)
{
	static const struct timespec pause = {0, 100000000};

	switch (error) {
	case EAGAIN:
	case EINTR:
	case ECONNABORTED:
	case ECONNRESET:
	case EPIPE:
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

bool
fcgi_serve(struct service *service)
{
	FCGX_Request r;
	sigset_t waiting;
	int64_t alarm_set = 0;

	catch_signals(&waiting);
	if (fcntl(LISTENER, F_SETFL, O_NONBLOCK) != 0 || FCGX_Init() != 0 ||
	    FCGX_InitRequest(&r, LISTENER, FCGI_FAIL_ACCEPT_ON_INTR) != 0) {
		log_accept_failure(errno);
		return false;
	}
	while (wait_for_request(&service->cluster, &waiting, &alarm_set)) {
		int error;

		limit_time(&alarm_set);
		error = FCGX_Accept_r(&r);
		if (error == 0) {
			exchange_run(service, r.envp,
			    &(struct transport){
				&r, read_stream, stream_hung_up, write_stream});
			finish(&r);
		}
		if (error < 0 && !survives(-error))
			return false;
	}
	return true;
}
