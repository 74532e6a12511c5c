/*
 * What a web server sends over FastCGI before it hangs up.
 *
 * Asserted: an opening that is taken, libfcgi takes as well, to its last byte
 * and within its size, and without its last byte it is none yet; the body is
 * what a plain reading of the records says, in pieces of any size; one without
 * an end, and whatever comes after it, is a hang-up.
 */
#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "fuzz.h"
#include "serve/peer.h"

static int parameters[2];
static FCGX_Request request;

static void
prepare(void)
{
	assert(pipe2(parameters, O_NONBLOCK) == 0);
	assert(FCGX_Init() == 0 && FCGX_InitRequest(&request, -1, 0) == 0);
	log_set_level(LOG_ERROR);
}

static void
check_with_libfcgi(struct slice opening)
{
	size_t total = 0;
	char byte;

	assert(write(parameters[1], opening.ptr, opening.len) ==
	    (ssize_t)opening.len);
	request.ipcFd = parameters[0];
	request.keepConnection = 1;
	assert(FCGX_Accept_r(&request) == 0);
	assert(request.role == 1);
	assert(read(parameters[0], &byte, 1) == -1 && errno == EAGAIN);
	for (char **v = request.envp + 1; *v != NULL; v++)
		total += strlen(*v);
	assert(total <= opening.len);
	request.keepConnection = 0;
	request.ipcFd = open("/dev/null", O_WRONLY);
	FCGX_Detach(&request);
	FCGX_Finish_r(&request);
}

/* The body, into a place as long as bytes; false without an end.  What comes
 * after it is left in *bytes. */
static bool
read_plainly(struct slice *bytes, unsigned id, char *body, size_t *len)
{
	struct record r;

	*len = 0;
	while (record_take_header(bytes, &r) && r.type == RECORD_STDIN &&
	    r.request == id && bytes->len >= r.content + r.padding) {
		memcpy(body + *len, bytes->ptr, r.content);
		*len += r.content;
		*bytes = slice_after(*bytes, r.content + r.padding);
		if (r.content == 0)
			return true;
	}
	return false;
}

static void
check_body(struct peer *peer, struct slice rest, size_t piece)
{
	static char want[8192], got[8192 + 1];
	size_t want_len, got_len = 0;
	bool whole = read_plainly(&rest, peer->request, want, &want_len);
	ssize_t n;

	do {
		n = peer_read(peer, got + got_len,
		    piece < sizeof(got) - got_len ? piece
						  : sizeof(got) - got_len);
		got_len += n > 0 ? (size_t)n : 0;
	} while (n == (ssize_t)piece);
	assert((n >= 0) == whole);
	assert(peer_drain(peer) == whole);
	if (whole)
		assert(got_len == want_len && !memcmp(got, want, got_len));
	assert(peer_hung_up(peer)); /* as it has, after all */
}

/* A web server that stays hangs up by what it says only. */
static void
check_silence(struct peer *peer, struct slice rest)
{
	static char body[8192];
	size_t len;

	if (read_plainly(&rest, peer->request, body, &len))
		assert(peer_hung_up(peer) == (rest.len > 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct peer peer;
	static sigset_t waiting;
	struct slice bytes =
			 fuzz_copy((struct slice){(const char *)data, size}),
		     opening_bytes;
	struct opening opening, part;
	enum opening_state state = opening_read(bytes, &opening);

	if (parameters[1] == 0)
		prepare();
	if (state == OPENING_WHOLE) {
		assert(opening.len <= size && opening.request != 0);
		assert(opening_read(slice_head(bytes, opening.len - 1),
			   &part) == OPENING_PARTIAL);
		check_with_libfcgi(slice_head(bytes, opening.len));
	} else if (state == OPENING_REFUSED) {
		assert(opening.reason != NULL);
	}
	for (int stays = 0; stays < 2 && state != OPENING_PARTIAL; stays++) {
		int ends[2];

		assert(socketpair(
			   AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
		assert(
		    write(ends[1], bytes.ptr, bytes.len) == (ssize_t)bytes.len);
		if (!stays)
			close(ends[1]);
		peer.fd = ends[0];
		peer.deadline = clock_ms() + REQUEST_TIMEOUT_MS;
		peer.waiting = &waiting;
		peer.opening_max = OPENING_MAX;
		assert(peer_open(&peer, &opening_bytes) ==
		    (state == OPENING_WHOLE));
		if (state == OPENING_WHOLE && !stays)
			check_body(&peer, slice_after(bytes, opening.len),
			    data[size - 1] % 64 + 1U);
		else if (state == OPENING_WHOLE)
			check_silence(&peer, slice_after(bytes, opening.len));
		close(ends[0]);
		if (stays)
			close(ends[1]);
	}
	fuzz_release();
	return 0;
}
