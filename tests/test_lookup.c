#include "statsd/lookup.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "support.h"

/* No name server is asked for a name with an empty label. */
#define NO_NAME "no..name"

enum { PORT = 8126, LONG_ENOUGH_MS = 5000 };

static void
an_address_is_never_looked_up(void **state)
{
	struct addrinfo *v4 = lookup_literal("127.0.0.2", PORT);
	struct addrinfo *v6 = lookup_literal("::1", PORT);
	const struct sockaddr_in *a;

	(void)state;
	assert_true(v4 != NULL && v6 != NULL);
	assert_int_equal(v4->ai_family, AF_INET);
	assert_int_equal(v4->ai_socktype, SOCK_DGRAM);
	assert_int_equal(v6->ai_family, AF_INET6);
	a = (const void *)v4->ai_addr;
	assert_int_equal(ntohs(a->sin_port), PORT);
	assert_int_equal(ntohl(a->sin_addr.s_addr), INADDR_LOOPBACK + 1);
	freeaddrinfo(v4);
	freeaddrinfo(v6);
	assert_null(lookup_literal("localhost", PORT));
}

static void
a_name_is_found_after_a_while(void **state)
{
	struct lookup name, *lookup = &name;
	struct addrinfo *addresses = NULL;

	(void)state;
	lookup_init(lookup, "localhost", PORT);
	assert_false(lookup_pending(lookup));
	assert_int_equal(lookup_finish(lookup, &addresses), LOOKUP_IDLE);
	assert_true(lookup_start(lookup));
	assert_true(lookup_pending(lookup));
	assert_true(lookup_start(lookup)); /* under way: the same one */
	lookup_wait(lookup, LONG_ENOUGH_MS);
	assert_int_equal(lookup_finish(lookup, &addresses), LOOKUP_FOUND);
	assert_non_null(addresses);
	assert_int_equal(addresses->ai_socktype, SOCK_DGRAM);
	freeaddrinfo(addresses);
	assert_false(lookup_pending(lookup));
	assert_int_equal(lookup_finish(lookup, &addresses), LOOKUP_IDLE);
	lookup_wait(lookup, LONG_ENOUGH_MS); /* nothing to wait for */
}

static void
a_name_that_does_not_exist_is_told_with_a_reason(void **state)
{
	struct lookup name, *lookup = &name;
	struct addrinfo *addresses = NULL;

	(void)state;
	lookup_init(lookup, NO_NAME, PORT);
	for (int i = 0; i < 2; i++) { /* it can be started again */
		assert_true(lookup_start(lookup));
		lookup_wait(lookup, LONG_ENOUGH_MS);
		assert_int_equal(
		    lookup_finish(lookup, &addresses), LOOKUP_NO_SUCH_NAME);
		assert_int_equal(lookup->result, LOOKUP_NO_SUCH_NAME);
		assert_true(lookup_reason(lookup)[0] != '\0');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_address_is_never_looked_up),
	    cmocka_unit_test(a_name_is_found_after_a_while),
	    cmocka_unit_test(a_name_that_does_not_exist_is_told_with_a_reason),
	};

	return cmocka_run_group_tests_name("lookup", tests, NULL, NULL);
}
