#include "statsd/signature.h"

#include <string.h>

void
signature_key_init(
    struct signature_key *key, const unsigned char *bytes, size_t len)
{
	crypto_auth_hmacsha256_init(&key->state, bytes, len);
}

static void
hmac(const struct signature_key *key, const unsigned char *datagram, size_t len,
    unsigned char out[SIGNATURE_HMAC_LEN])
{
	crypto_auth_hmacsha256_state state = key->state;

	crypto_auth_hmacsha256_update(
	    &state, datagram + SIGNATURE_HMAC_LEN, len - SIGNATURE_HMAC_LEN);
	crypto_auth_hmacsha256_final(&state, out);
}

void
signature_sign(const struct signature_key *key, int64_t seconds,
    const unsigned char nonce[SIGNATURE_NONCE_LEN], unsigned char *datagram,
    size_t len)
{
	unsigned char *time = datagram + SIGNATURE_HMAC_LEN;

	for (int i = 0; i < SIGNATURE_TIME_LEN; i++)
		time[i] = (unsigned char)((uint64_t)seconds >> (8 * i));
	memcpy(time + SIGNATURE_TIME_LEN, nonce, SIGNATURE_NONCE_LEN);
	hmac(key, datagram, len, datagram);
}

const char *
signature_verify(const struct signature_key *key, const unsigned char *datagram,
    size_t len, int64_t *seconds)
{
	unsigned char expected[SIGNATURE_HMAC_LEN];
	uint64_t time = 0;

	if (len < SIGNATURE_LEN)
		return "too short to be signed";
	hmac(key, datagram, len, expected);
	if (sodium_memcmp(expected, datagram, SIGNATURE_HMAC_LEN) != 0)
		return "unsigned, or signed with another key";
	for (int i = SIGNATURE_TIME_LEN - 1; i >= 0; i--)
		time = time << 8 | datagram[SIGNATURE_HMAC_LEN + i];
	*seconds = (int64_t)time;
	return NULL;
}
