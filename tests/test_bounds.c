#include "bounds.h"

#include "support.h"

/* The ceilings that documents and answers mention. */
static void
ceilings_are_what_the_documents_say(void **state)
{
	(void)state;
	assert_int_equal(BODY_MAX, 8388608);
	assert_int_equal(APP_MAX, 64);
	assert_int_equal(BASE_PATH_MAX, 256);
	assert_int_equal(CREDENTIALS_MAX, 256);
	assert_int_equal(APPLICATIONS_MAX, 4096);
	assert_int_equal(COLLECTORS_MAX, 256);
	assert_int_equal(KEY_MAX, 256);
	assert_int_equal(PREFIX_MAX, 100);
	assert_int_equal(DATAGRAM_MAX, 65507);
	assert_int_equal(SIGNED_DATAGRAM_MAX, 1023);
	assert_int_equal(BACKDATE_MAX, 60);
	assert_int_equal(LOOKUP_INTERVAL_MS, 60000);
	assert_int_equal(SEND_LOG_INTERVAL_MS, 60000);
}

/* MSG-LEN has enough digits for the longest body. */
static void
a_message_may_fill_a_body(void **state)
{
	size_t largest = 1;

	(void)state;
	for (int i = 0; i < MSG_LEN_DIGITS; i++)
		largest *= 10;
	assert_true(largest > BODY_MAX && largest / 10 <= BODY_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ceilings_are_what_the_documents_say),
	    cmocka_unit_test(a_message_may_fill_a_body),
	};

	return cmocka_run_group_tests_name("bounds", tests, NULL, NULL);
}
