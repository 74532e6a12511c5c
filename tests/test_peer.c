#include "serve/peer.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "support.h"

#define OPENING "\1\1\0\1\0\x8\0\0\0\1\0\0\0\0\0\0\1\4\0\1\0\0\0\0"
#define STDIN(length) "\1\5\0\1\0" length "\0\0"
#define ABORT "\1\2\0\1\0\0\0\0"

static struct peer peer;
static sigset_t waiting;
static int web_server; /* the other end */

/* Over SOCK_SEQPACKET, each byte sent arrives separately. */
static void
connect_by(int type)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, type, 0, ends), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	web_server = ends[1];
	memset(&peer, 0x55, sizeof(peer));
	peer.fd = ends[0];
	peer.deadline = clock_ms() + REQUEST_TIMEOUT_MS;
	peer.waiting = &waiting;
	peer.opening_max = OPENING_MAX;
}

static int
connect_peer(void **state)
{
	(void)state;
	connect_by(SOCK_STREAM);
	return 0;
}

static void
hang_up(void)
{
	if (web_server >= 0)
		close(web_server);
	web_server = -1;
}

static int
close_peer(void **state)
{
	(void)state;
	close(peer.fd);
	hang_up();
	return 0;
}

static void
say(struct slice bytes)
{
	assert_int_equal(
	    write(web_server, bytes.ptr, bytes.len), (ssize_t)bytes.len);
}

static void
say_byte_by_byte(struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		say((struct slice){bytes.ptr + i, 1});
}

/* Opens a request that begins with these bytes; false if it is refused. */
static bool
open_request(struct slice said)
{
	struct slice opening;

	say(said);
	return peer_open(&peer, &opening);
}

/* Reads it len bytes at a time: "abcdef" and then its end. */
static void
read_alphabet(size_t len)
{
	char body[16];
	size_t got = 0;
	ssize_t n;

	do {
		n = peer_read(&peer, body + got, len);
		assert_true(n >= 0);
		got += (size_t)n;
	} while ((size_t)n == len);
	assert_int_equal(got, 6);
	assert_memory_equal(body, "abcdef", 6);
	assert_false(peer_hung_up(&peer));
}

static void
a_body_is_the_same_however_it_comes(void **state)
{
	static const char body[] = STDIN("\3") "abc" STDIN(
	    "\1") "d" /* and padded: */
		  "\1\5\0\1\0\2\5\0ef.....\1\5\0\1\0\0\7\0.......";

	(void)state;
	for (size_t len = 1; len < 8; len++) {
		struct slice opening;

		assert_true(open_request(SLICE(OPENING)));
		say(SLICE(body));
		read_alphabet(len);
		close_peer(NULL);
		connect_by(SOCK_STREAM);
		say(SLICE(OPENING));
		say(SLICE(body));
		assert_true(peer_open(&peer, &opening));
		read_alphabet(len);
		close_peer(NULL);
		connect_by(SOCK_SEQPACKET);
		say_byte_by_byte(SLICE(OPENING));
		say_byte_by_byte(SLICE(body));
		assert_true(peer_open(&peer, &opening));
		assert_slice(opening, SLICE(OPENING), "opening");
		read_alphabet(len);
		close_peer(NULL);
		connect_by(SOCK_STREAM);
	}
}

/* Longer than what is received ahead: it bypasses buf. */
static void
a_long_body_is_read_into_its_place(void **state)
{
	static char record[8 + 60000] = "\1\5\0\1\xea\x60\0", body[180001];

	(void)state;
	for (size_t i = 8; i < sizeof(record); i++)
		record[i] = (char)(i * 7);
	assert_true(open_request(SLICE(OPENING)));
	for (int i = 0; i < 3; i++)
		say((struct slice){record, sizeof(record)});
	say(SLICE(STDIN("\0")));
	assert_int_equal(peer_read(&peer, body, 100000), 100000);
	assert_int_equal(peer_read(&peer, body + 100000, 80001), 80000);
	for (int i = 0; i < 3; i++)
		assert_memory_equal(body + i * 60000, record + 8, 60000);
	assert_false(peer_hung_up(&peer));
}

static void
what_is_no_body_breaks_it(void **state)
{
	const struct {
		const char *why;
		struct slice said;
	} cases[] = {
	    {"an abort", SLICE(ABORT)},
	    {"an abort after some", SLICE(STDIN("\1") "a" ABORT)},
	    {"another request's", SLICE("\1\5\0\2\0\1\0\0a")},
	    {"a management record", SLICE("\1\x9\0\0\0\0\0\0")},
	    {"another request", SLICE("\1\1\0\2\0\x8\0\0\0\1\0\0\0\0\0\0")},
	    {"parameters", SLICE("\1\4\0\1\0\0\0\0")},
	    {"another version", SLICE("\2\5\0\1\0\0\0\0")},
	    {"nothing", SLICE("")},
	    {"half a header", SLICE("\1\5\0")},
	    {"half a record", SLICE(STDIN("\5") "ab")},
	    {"no end", SLICE(STDIN("\2") "ab")},
	    {"half the last padding", SLICE("\1\5\0\1\0\0\5\0..")},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char body[16];

		assert_true(open_request(SLICE(OPENING)));
		say(cases[i].said);
		hang_up();
		assert_case(
		    peer_read(&peer, body, sizeof(body)) == -1, cases[i].why);
		assert_case(
		    peer_read(&peer, body, sizeof(body)) == -1, cases[i].why);
		assert_case(!peer_drain(&peer), cases[i].why);
		assert_case(peer_hung_up(&peer), cases[i].why);
		close_peer(NULL);
		connect_by(SOCK_STREAM);
	}
}

/* In what was received ahead, and in the socket. */
static void
whatever_follows_the_body_is_a_hang_up(void **state)
{
	(void)state;
	assert_true(open_request(SLICE(OPENING STDIN("\0") ABORT)));
	assert_true(peer_hung_up(&peer));
	close_peer(NULL);
	connect_by(SOCK_STREAM);
	assert_true(open_request(SLICE(OPENING STDIN("\0"))));
	assert_true(peer_drain(&peer));
	assert_false(peer_hung_up(&peer));
	say(SLICE(ABORT));
	assert_true(peer_hung_up(&peer));
	close_peer(NULL);
	connect_by(SOCK_STREAM);
	assert_true(open_request(SLICE(OPENING STDIN("\0"))));
	shutdown(web_server, SHUT_WR);
	assert_true(peer_hung_up(&peer));
}

static void
open_nonsense(void)
{
	assert_false(open_request(SLICE("GET / HTTP/1.0\r\n\r\n")));
}

static void
open_too_much(void)
{
	static char parameters[8 + 0xfff8] = "\1\4\0\1\xff\xf8\0";

	say(SLICE("\1\1\0\1\0\x8\0\0\0\1\0\0\0\0\0\0"));
	assert_false(
	    open_request((struct slice){parameters, sizeof(parameters)}));
}

static void
a_connection_without_a_request_is_in_the_log_unless_the_peer_left(void **state)
{
	struct slice opening;

	(void)state;
	assert_string_equal(stderr_of(open_nonsense),
	    "event=bad-connection reason=\"it is not version 1 of FastCGI\"\n");
	close_peer(NULL);
	connect_by(SOCK_STREAM);
	assert_string_equal(stderr_of(open_too_much),
	    "event=bad-connection reason=\"the parameters are too long\"\n");
	close_peer(NULL);
	connect_by(SOCK_STREAM);
	say(SLICE("\1\1\0"));
	hang_up();
	assert_false(peer_open(&peer, &opening));
}

/* The longest one allowed, which arrives in several pieces. */
static void
parameters_may_fill_what_there_is_for_them(void **state)
{
	static char all[OPENING_MAX] = "\1\1\0\1\0\x8\0\0\0\1\0\0\0\0\0\0";
	struct slice opening;
	size_t content = sizeof(all) - 16 - 8 - 8;
	char *record = all + 16;

	(void)state;
	memcpy(record, "\1\4\0\1", 4);
	record[4] = (char)(content >> 8);
	record[5] = (char)content;
	memcpy(record + 8, "\1\x80\0", 3);
	record[11] = (char)((content - 6) >> 8);
	record[12] = (char)(content - 6);
	memcpy(all + sizeof(all) - 8, "\1\4\0\1\0\0\0", 8);
	say((struct slice){all, sizeof(all)});
	assert_true(peer_open(&peer, &opening));
	assert_int_equal(opening.len, sizeof(all));
	assert_memory_equal(opening.ptr, all, sizeof(all));
	say(SLICE(STDIN("\0")));
	assert_false(peer_hung_up(&peer));
}

static void
nothing_is_read_beyond_the_deadline(void **state)
{
	char body[16];
	struct rusage before, after;

	(void)state;
	assert_true(open_request(SLICE(OPENING)));
	say(SLICE(STDIN("\1") "a" STDIN("\0")));
	peer.deadline = clock_ms();
	assert_int_equal(peer_read(&peer, body, sizeof(body)), -1);
	close_peer(NULL);
	connect_by(SOCK_STREAM);
	assert_true(open_request(SLICE(OPENING STDIN("\2") "a")));
	peer.deadline = clock_ms() + 20;
	getrusage(RUSAGE_SELF, &before);
	assert_int_equal(peer_read(&peer, body, sizeof(body)), -1);
	getrusage(RUSAGE_SELF, &after);
	assert_true(after.ru_nvcsw > before.ru_nvcsw); /* it slept */
	assert_true(clock_ms() >= peer.deadline);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_body_is_the_same_however_it_comes, connect_peer, close_peer),
	    cmocka_unit_test_setup_teardown(
		a_long_body_is_read_into_its_place, connect_peer, close_peer),
	    cmocka_unit_test_setup_teardown(
		what_is_no_body_breaks_it, connect_peer, close_peer),
	    cmocka_unit_test_setup_teardown(
		whatever_follows_the_body_is_a_hang_up, connect_peer,
		close_peer),
	    cmocka_unit_test_setup_teardown(
		a_connection_without_a_request_is_in_the_log_unless_the_peer_left,
		connect_peer, close_peer),
	    cmocka_unit_test_setup_teardown(
		parameters_may_fill_what_there_is_for_them, connect_peer,
		close_peer),
	    cmocka_unit_test_setup_teardown(
		nothing_is_read_beyond_the_deadline, connect_peer, close_peer),
	};

	return cmocka_run_group_tests_name("peer", tests, NULL, NULL);
}
