#include "statsd/signature.h"

#include <string.h>

#include "support.h"

/* Packets from statsd-client's README, and one computed by statsd-ruby. */
static const struct {
	const char *key, *hmac, *nonce, *text;
	int64_t seconds;
} packets[] = {
    {"mysecret",
	"d78d3f6139cbd548fba23ffe18ff3950b39e591bd9488648ec84284e3742f785",
	"17fe7190", "prefix.requests:1|c", 1450007556},
    {"mysecret",
	"419407bd8c39000955d0878f9acdc5a26cca26a75437ef54389f5c62f7eb10d2",
	"6a86cdcb", "prefix.numOfFilesCreated:5|h", 1450007558},
    {"open sesame",
	"fd2f5182e2888608b9c04fd1af5774ec88dade7eb8526c3b5fef652edda0ebab",
	"00010203", "heaven.heroku.errors.H12:1|c", 1449148468},
};

static size_t
sign_packet(size_t i, struct signature_key *key, unsigned char *datagram)
{
	unsigned char nonce[SIGNATURE_NONCE_LEN];
	size_t len = SIGNATURE_LEN + strlen(packets[i].text);

	assert_int_equal(sodium_hex2bin(nonce, sizeof(nonce), packets[i].nonce,
			     8, NULL, NULL, NULL),
	    0);
	signature_key_init(
	    key, (const unsigned char *)packets[i].key, strlen(packets[i].key));
	memcpy(
	    datagram + SIGNATURE_LEN, packets[i].text, strlen(packets[i].text));
	signature_sign(key, packets[i].seconds, nonce, datagram, len);
	return len;
}

static void
signs_as_the_reference_implementations_do(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(packets); i++) {
		unsigned char datagram[128], want[SIGNATURE_LEN];
		struct signature_key key;

		sign_packet(i, &key, datagram);
		sodium_hex2bin(
		    want, sizeof(want), packets[i].hmac, 64, NULL, NULL, NULL);
		assert_memory_equal(datagram, want, SIGNATURE_HMAC_LEN);
		for (int k = 0; k < 8; k++)
			assert_int_equal(datagram[32 + k],
			    packets[i].seconds >> (8 * k) & 0xff);
	}
}

static void
verifies_what_it_signed_and_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(packets); i++) {
		unsigned char datagram[128];
		struct signature_key key;
		size_t len = sign_packet(i, &key, datagram);
		int64_t seconds = 0;

		assert_null(signature_verify(&key, datagram, len, &seconds));
		assert_int_equal(seconds, packets[i].seconds);
		assert_non_null(
		    signature_verify(&key, datagram, len - 1, &seconds));
		for (size_t k = 0; k < len; k++) {
			datagram[k] ^= 1;
			assert_non_null(
			    signature_verify(&key, datagram, len, &seconds));
			datagram[k] ^= 1;
		}
		for (size_t k = 0; k < SIGNATURE_LEN; k++)
			assert_non_null(
			    signature_verify(&key, datagram, k, &seconds));
	}
}

static void
signs_times_before_1970_and_far_away(void **state)
{
	static const int64_t times[] = {-1, 0, INT64_MAX, INT64_MIN};
	unsigned char datagram[SIGNATURE_LEN];
	struct signature_key key;

	(void)state;
	signature_key_init(&key, (const unsigned char *)"k", 1);
	for (size_t i = 0; i < COUNT(times); i++) {
		int64_t seconds;

		signature_sign(&key, times[i], (const unsigned char *)"1234",
		    datagram, sizeof(datagram));
		assert_null(signature_verify(
		    &key, datagram, sizeof(datagram), &seconds));
		assert_true(seconds == times[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(signs_as_the_reference_implementations_do),
	    cmocka_unit_test(verifies_what_it_signed_and_nothing_else),
	    cmocka_unit_test(signs_times_before_1970_and_far_away),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("signature", tests, NULL, NULL);
}
