#include "statsd/collector.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sodium.h>
#include <unistd.h>

#include "support.h"

static const struct uri uri = {.host = "name", .port = 8126};
static struct collector c;

static int
reset(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR);
	c = (struct collector){.uri = &uri, .fd = -1};
	return 0;
}

static int
release(void **state)
{
	(void)state;
	collector_close(&c);
	return 0;
}

/* A guard against a test that hangs, in milliseconds. */
enum { LONG = 30000 };

/*
 * A socket on loopback, and where it is: at an address that no other process
 * sends to.
 */
static int
open_socket(struct sockaddr_in *where)
{
	socklen_t len = sizeof(*where);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	*where = (struct sockaddr_in){.sin_family = AF_INET};
	where->sin_addr.s_addr = htonl(0x7f800000U | (uint32_t)getpid());
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)where, sizeof(*where)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)where, &len), 0);
	return fd;
}

/*
 * Where every datagram is refused: a socket holds the port, so that nothing
 * else opens it, but takes datagrams from itself alone.
 */
static int
open_refusing(struct sockaddr_in *where)
{
	int fd = open_socket(where);

	assert_int_equal(
	    connect(fd, (struct sockaddr *)where, sizeof(*where)), 0);
	return fd;
}

/* Puts an address in front of a list such as getaddrinfo gives. */
static struct addrinfo *
listed(const struct sockaddr_in *where, struct addrinfo *rest)
{
	struct addrinfo *a = calloc(1, sizeof(*a) + sizeof(*where));

	assert_non_null(a);
	a->ai_family = AF_INET;
	a->ai_addr = (struct sockaddr *)(void *)(a + 1);
	a->ai_addrlen = sizeof(*where);
	a->ai_next = rest;
	memcpy(a->ai_addr, where, sizeof(*where));
	return a;
}

static bool
send_text(const char *text)
{
	unsigned char datagram[64];

	memcpy(datagram, text, strlen(text));
	return collector_send(&c, datagram, strlen(text));
}

static bool
arrived(int fd, const char *text)
{
	char datagram[64] = {0};
	struct pollfd p = {fd, POLLIN, 0};

	return poll(&p, 1, LONG) == 1 &&
	    recv(fd, datagram, sizeof(datagram) - 1, 0) >= 0 &&
	    !strcmp(datagram, text);
}

/* Until the refusal of the last datagram shows. */
static void
wait_for_refusal(void)
{
	struct pollfd p = {c.fd, 0, 0};

	assert_int_equal(poll(&p, 1, LONG), 1);
	assert_int_equal(p.revents, POLLERR);
}

static void
send_and_lose(void)
{
	assert_true(send_text("lost"));
	wait_for_refusal();
}

static void
without_an_address_a_send_fails(void **state)
{
	(void)state;
	assert_false(send_text("x"));
	assert_int_equal(c.failed, 1);
	assert_int_equal(c.error, EDESTADDRREQ); /* logged as "no address" */
}

static void
takes_the_next_address_when_one_refuses(void **state)
{
	struct sockaddr_in gone, there;
	int fd, refusing;

	(void)state;
	refusing = open_refusing(&gone);
	fd = open_socket(&there);
	collector_set_addresses(&c, listed(&gone, listed(&there, NULL)));
	send_and_lose();
	/* The next send learns of the refusal, and its own datagram arrives. */
	assert_false(send_text("second"));
	assert_int_equal(c.failed, 1);
	assert_int_equal(c.error, ECONNREFUSED);
	assert_int_equal(c.current, 1);
	assert_true(arrived(fd, "second"));
	assert_true(send_text("third"));
	assert_true(arrived(fd, "third"));
	close(fd);
	close(refusing);
}

static void
goes_through_its_addresses_in_turn(void **state)
{
	struct sockaddr_in gone[2], there;
	int fd, refusing[2];

	(void)state;
	refusing[0] = open_refusing(&gone[0]);
	refusing[1] = open_refusing(&gone[1]);
	fd = open_socket(&there);
	collector_set_addresses(
	    &c, listed(&gone[0], listed(&gone[1], listed(&there, NULL))));
	send_and_lose();
	assert_false(send_text("lost too"));
	assert_int_equal(c.current, 1);
	wait_for_refusal();
	assert_false(send_text("arrives"));
	assert_int_equal(c.current, 2);
	assert_true(arrived(fd, "arrives"));
	close(fd);
	close(refusing[0]);
	close(refusing[1]);
}

static void
both_datagrams_are_lost_when_the_second_address_fails_too(void **state)
{
	struct sockaddr_in gone, broadcast;
	int refusing;

	(void)state;
	refusing = open_refusing(&gone);
	broadcast = gone;
	broadcast.sin_addr.s_addr = htonl(INADDR_BROADCAST);
	collector_set_addresses(&c, listed(&gone, listed(&broadcast, NULL)));
	send_and_lose();
	/* The second address cannot be connected to: the first is tried. */
	assert_false(send_text("lost too"));
	assert_int_equal(c.current, 0);
	assert_int_equal(c.failed, 1);
	close(refusing);
}

static void
an_address_that_cannot_be_connected_to_is_a_failure(void **state)
{
	struct sockaddr_in broadcast = {.sin_family = AF_INET};

	(void)state;
	broadcast.sin_port = htons(8126);
	broadcast.sin_addr.s_addr = htonl(INADDR_BROADCAST);
	collector_set_addresses(&c, listed(&broadcast, NULL));
	assert_int_equal(c.fd, -1);
	assert_false(send_text("x"));
	assert_int_equal(c.error, EACCES);
}

static void
addresses_that_cannot_be_connected_to_are_passed_over(void **state)
{
	struct sockaddr_in broadcast = {.sin_family = AF_INET}, there;
	int fd = open_socket(&there);

	(void)state;
	broadcast.sin_port = htons(8126);
	broadcast.sin_addr.s_addr = htonl(INADDR_BROADCAST);
	collector_set_addresses(
	    &c, listed(&broadcast, listed(&broadcast, listed(&there, NULL))));
	assert_int_equal(c.current, 2);
	assert_true(send_text("x"));
	assert_true(arrived(fd, "x"));
	close(fd);
}

static void
a_datagram_that_is_too_long_is_a_failure(void **state)
{
	static unsigned char datagram[DATAGRAM_MAX + 1];
	struct sockaddr_in there;
	int fd = open_socket(&there);

	(void)state;
	collector_set_addresses(&c, listed(&there, NULL));
	assert_true(collector_send(&c, datagram, DATAGRAM_MAX));
	assert_false(collector_send(&c, datagram, sizeof(datagram)));
	assert_int_equal(c.error, EMSGSIZE);
	assert_int_equal(c.failed, 1);
	close(fd);
}

static void
the_socket_stays_while_its_address_is_listed(void **state)
{
	struct sockaddr_in first, second;
	int a = open_socket(&first), b = open_socket(&second), before;

	(void)state;
	collector_set_addresses(&c, listed(&first, NULL));
	before = c.fd;
	collector_set_addresses(&c, listed(&second, listed(&first, NULL)));
	assert_int_equal(c.fd, before);
	assert_int_equal(c.current, 1);
	assert_int_equal(c.address_count, 2);
	assert_true(send_text("stays"));
	assert_true(arrived(a, "stays"));
	collector_set_addresses(&c, listed(&first, listed(&second, NULL)));
	assert_int_equal(c.fd, before);
	assert_int_equal(c.current, 0);
	collector_set_addresses(&c, listed(&second, listed(&first, NULL)));
	assert_int_equal(c.current, 1);
	collector_set_addresses(&c, listed(&second, NULL));
	assert_int_equal(c.current, 0);
	assert_true(send_text("moves"));
	assert_true(arrived(b, "moves"));
	close(a);
	close(b);
}

/* The lowest descriptor that is free. */
static int
next_descriptor(void)
{
	int fd = dup(STDIN_FILENO);

	assert_true(fd >= 0);
	close(fd);
	return fd;
}

static void
a_socket_that_is_left_is_closed(void **state)
{
	struct sockaddr_in first, second;
	int a = open_socket(&first), b = open_socket(&second);
	int before = next_descriptor();

	(void)state;
	for (int i = 0; i < 3; i++) {
		collector_set_addresses(&c, listed(&first, NULL));
		collector_set_addresses(&c, listed(&second, NULL));
	}
	collector_close(&c);
	assert_int_equal(next_descriptor(), before);
	close(a);
	close(b);
}

/* Makes every send on the socket fail, which a new one mends. */
static void
spoil_socket(void)
{
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

	assert_int_equal(connect(c.fd, &nowhere, sizeof(nowhere)), 0);
}

static void
a_socket_that_fails_is_replaced_and_nothing_is_lost(void **state)
{
	struct sockaddr_in there;
	int fd = open_socket(&there);

	(void)state;
	collector_set_addresses(&c, listed(&there, NULL));
	for (int i = 0; i < 3; i++) {
		spoil_socket();
		assert_true(send_text("x"));
		assert_true(arrived(fd, "x"));
	}
	assert_int_equal(c.failed, 0);
	close(fd);
}

static void
an_earlier_error_is_told_from_that_of_the_socket(void **state)
{
	struct sockaddr_in gone, there;
	int fd, refusing;

	(void)state;
	refusing = open_refusing(&gone);
	fd = open_socket(&there);
	collector_set_addresses(&c, listed(&gone, NULL));
	send_and_lose();
	spoil_socket();
	c.addresses[0].storage = (struct sockaddr_storage){0};
	memcpy(&c.addresses[0].storage, &there, sizeof(there));
	assert_false(send_text("x"));
	assert_true(arrived(fd, "x"));
	assert_int_equal(c.failed, 1);
	assert_int_equal(c.error, ECONNREFUSED);
	close(fd);
	close(refusing);
}

static void
a_socket_stays_as_long_as_it_sends_from_the_right_address(void **state)
{
	struct sockaddr_in there, other = {.sin_family = AF_INET};
	socklen_t len = sizeof(other);
	int fd = open_socket(&there), before;

	(void)state;
	collector_set_addresses(&c, listed(&there, NULL));
	before = c.fd;
	collector_refresh(&c);
	assert_int_equal(c.fd, before);
	assert_int_equal(next_descriptor(), before + 1);
	/* As if the machine had lost an address that it had. */
	close(c.fd);
	c.fd = socket(AF_INET, SOCK_DGRAM, 0);
	other.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 4);
	assert_int_equal(bind(c.fd, (struct sockaddr *)&other, len), 0);
	assert_int_equal(
	    connect(c.fd, (struct sockaddr *)&there, sizeof(there)), 0);
	collector_refresh(&c);
	assert_int_equal(getsockname(c.fd, (struct sockaddr *)&other, &len), 0);
	assert_int_equal(ntohl(other.sin_addr.s_addr), INADDR_LOOPBACK);
	assert_true(send_text("x"));
	assert_true(arrived(fd, "x"));
	close(fd);
}

static void
a_refusal_is_not_lost_with_the_socket_that_has_it(void **state)
{
	struct sockaddr_in gone, there;
	int fd, refusing;

	(void)state;
	refusing = open_refusing(&gone);
	fd = open_socket(&there);
	collector_set_addresses(&c, listed(&gone, NULL));
	send_and_lose();
	collector_set_addresses(&c, listed(&there, NULL));
	assert_int_equal(c.failed, 1);
	assert_int_equal(c.error, ECONNREFUSED);
	close(fd);
	close(refusing);
}

enum { SIGNED_X = SIGNATURE_LEN + 1 };

/* Sends "x", and receives it. */
static void
send_signed_x(int fd, unsigned char arrived[static SIGNED_X])
{
	unsigned char datagram[SIGNED_X] = {0};

	datagram[SIGNATURE_LEN] = 'x';
	assert_true(collector_send(&c, datagram, sizeof(datagram)));
	assert_int_equal(poll(&(struct pollfd){fd, POLLIN, 0}, 1, LONG), 1);
	assert_int_equal(recv(fd, arrived, SIGNED_X, 0), SIGNED_X);
}

static void
a_key_of_one_byte_signs_and_no_nonce_comes_again(void **state)
{
	struct uri with_key = {.key_len = 1};
	const size_t nonce = SIGNATURE_HMAC_LEN + SIGNATURE_TIME_LEN;
	unsigned char first[SIGNED_X], second[SIGNED_X];
	struct sockaddr_in there;
	struct signature_key key;
	int64_t seconds;
	int fd = open_socket(&there);

	(void)state;
	with_key.key[0] = 'k';
	inet_ntop(
	    AF_INET, &there.sin_addr, with_key.host, sizeof(with_key.host));
	with_key.port = ntohs(there.sin_port);
	signature_key_init(&key, with_key.key, 1);
	c = (struct collector){0};
	collector_open(&c, &with_key);
	send_signed_x(fd, first);
	send_signed_x(fd, second);
	assert_null(signature_verify(&key, first, SIGNED_X, &seconds));
	assert_null(signature_verify(&key, second, SIGNED_X, &seconds));
	assert_memory_not_equal(
	    first + nonce, second + nonce, SIGNATURE_NONCE_LEN);
	collector_close(&c);
	c.uri = &uri;
	close(fd);
}

static void
keeps_only_so_many_addresses(void **state)
{
	struct sockaddr_in there;
	struct addrinfo *list = NULL;
	int fd = open_socket(&there);

	(void)state;
	for (int i = 0; i < ADDRESSES_MAX + 3; i++)
		list = listed(&there, list);
	collector_set_addresses(&c, list);
	assert_int_equal(c.address_count, ADDRESSES_MAX);
	close(fd);
}

static void
of_too_many_addresses_the_connected_one_is_kept(void **state)
{
	struct sockaddr_in connected, other;
	int fd = open_socket(&connected), other_fd = open_socket(&other);
	struct addrinfo *list = listed(&connected, NULL);

	(void)state;
	collector_set_addresses(&c, list);
	list = listed(&connected, NULL);
	for (int i = 0; i < ADDRESSES_MAX; i++)
		list = listed(&other, list);
	collector_set_addresses(&c, list);
	assert_int_equal(c.address_count, ADDRESSES_MAX);
	assert_int_equal(c.current, ADDRESSES_MAX - 1);
	assert_memory_equal(
	    &c.addresses[c.current].storage, &connected, sizeof(connected));
	assert_true(send_text("x"));
	assert_true(arrived(fd, "x"));
	/* It is left once it is no longer listed. */
	collector_set_addresses(&c, listed(&other, NULL));
	assert_true(send_text("y"));
	assert_true(arrived(other_fd, "y"));
	close(fd);
	close(other_fd);
}

static void
failures_are_due_at_once_and_then_each_minute(void **state)
{
	(void)state;
	assert_true(collector_log_failures(&c, 1000));
	assert_int_equal(c.logged, 0);
	send_text("x");
	assert_true(collector_log_failures(&c, 1000));
	assert_int_equal(c.logged, 1000);
	assert_int_equal(c.failed, 0);
	send_text("x");
	send_text("x");
	assert_false(
	    collector_log_failures(&c, 1000 + SEND_LOG_INTERVAL_MS - 1));
	assert_int_equal(c.failed, 2);
	assert_true(collector_log_failures(&c, 1000 + SEND_LOG_INTERVAL_MS));
	assert_int_equal(c.failed, 0);
	assert_int_equal(c.logged, 1000 + SEND_LOG_INTERVAL_MS);
}

static void
log_failures_of_c(void)
{
	collector_log_failures(&c, 1000);
}

static void
a_line_of_the_log_says_whose_failures_how_many_and_why(void **state)
{
	(void)state;
	log_set_level(LOG_WARNING);
	send_text("x");
	send_text("x");
	assert_string_equal(stderr_of(log_failures_of_c),
	    "event=send-failed collector=statsd://name:8126 datagrams=2 "
	    "reason=\"no address\"\n");
	assert_string_equal(stderr_of(log_failures_of_c), "");
}

static void
closing_learns_of_the_last_refusal(void **state)
{
	struct sockaddr_in gone;
	int refusing;

	(void)state;
	refusing = open_refusing(&gone);
	collector_set_addresses(&c, listed(&gone, NULL));
	send_and_lose();
	collector_close(&c);
	assert_int_equal(c.fd, -1);
	assert_int_equal(c.error, ECONNREFUSED);
	assert_int_equal(c.failed, 0); /* logged */
	assert_true(c.logged > 0);
	close(refusing);
}

static void
closing_after_good_sends_logs_nothing(void **state)
{
	struct sockaddr_in there;
	int fd = open_socket(&there);

	(void)state;
	collector_set_addresses(&c, listed(&there, NULL));
	assert_true(send_text("x"));
	collector_close(&c);
	assert_int_equal(c.error, 0);
	assert_int_equal(c.logged, 0);
	close(fd);
}

static void
signed_datagrams_are_shorter_and_start_with_the_signature(void **state)
{
	static const struct uri with_key = {
	    .host = "127.0.0.1", .port = 9, .key = "k", .key_len = 1};
	static const struct uri packed = {
	    .host = "h", .port = 9, .datagram = 500};
	static const struct uri wide = {
	    .host = "h", .port = 9, .key = "k", .key_len = 1, .datagram = 5000};

	(void)state;
	assert_int_equal(collector_headroom(&c), 0);
	assert_int_equal(collector_datagram_max(&c), DATAGRAM_MAX);
	c.uri = &packed;
	assert_int_equal(collector_datagram_max(&c), 500);
	c.uri = &with_key;
	assert_int_equal(collector_headroom(&c), SIGNATURE_LEN);
	assert_int_equal(collector_datagram_max(&c), SIGNED_DATAGRAM_MAX);
	c.uri = &wide;
	assert_int_equal(collector_datagram_max(&c), SIGNED_DATAGRAM_MAX);
	c.uri = &uri;
}

static void
a_literal_is_connected_and_a_name_looked_up(void **state)
{
	static const struct uri literal = {.host = "::1", .port = 9},
				name = {.host = "localhost", .port = 9};

	(void)state;
	c = (struct collector){0};
	collector_open(&c, &literal);
	assert_false(c.named);
	assert_int_equal(c.address_count, 1);
	collector_close(&c);
	c = (struct collector){0};
	collector_open(&c, &name);
	assert_true(c.named);
	assert_int_equal(c.address_count, 0);
	assert_int_equal(c.fd, -1);
}

#define collector_test(f) cmocka_unit_test_setup_teardown(f, reset, release)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    collector_test(without_an_address_a_send_fails),
	    collector_test(takes_the_next_address_when_one_refuses),
	    collector_test(goes_through_its_addresses_in_turn),
	    collector_test(
		both_datagrams_are_lost_when_the_second_address_fails_too),
	    collector_test(an_address_that_cannot_be_connected_to_is_a_failure),
	    collector_test(
		addresses_that_cannot_be_connected_to_are_passed_over),
	    collector_test(a_datagram_that_is_too_long_is_a_failure),
	    collector_test(the_socket_stays_while_its_address_is_listed),
	    collector_test(a_socket_that_is_left_is_closed),
	    collector_test(a_key_of_one_byte_signs_and_no_nonce_comes_again),
	    collector_test(keeps_only_so_many_addresses),
	    collector_test(of_too_many_addresses_the_connected_one_is_kept),
	    collector_test(a_socket_that_fails_is_replaced_and_nothing_is_lost),
	    collector_test(an_earlier_error_is_told_from_that_of_the_socket),
	    collector_test(
		a_socket_stays_as_long_as_it_sends_from_the_right_address),
	    collector_test(a_refusal_is_not_lost_with_the_socket_that_has_it),
	    collector_test(failures_are_due_at_once_and_then_each_minute),
	    collector_test(
		a_line_of_the_log_says_whose_failures_how_many_and_why),
	    collector_test(closing_learns_of_the_last_refusal),
	    collector_test(closing_after_good_sends_logs_nothing),
	    collector_test(
		signed_datagrams_are_shorter_and_start_with_the_signature),
	    collector_test(a_literal_is_connected_and_a_name_looked_up),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("collector", tests, NULL, NULL);
}
