/*
 * Signed datagrams, in the form of statsd-ruby and brubeck:
 *
 *	| HMAC-SHA256 | seconds since 1970 | nonce | text
 *	0             32                   40      44
 *
 * The time is a little-endian int64; the HMAC covers all that follows it.
 * Bytes in, bytes out; time and nonce are arguments.
 */
#ifndef STATSD_SIGNATURE_H
#define STATSD_SIGNATURE_H

#include <sodium.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SIGNATURE_HMAC_LEN = 32,
	SIGNATURE_TIME_LEN = 8,
	SIGNATURE_NONCE_LEN = 4,
	SIGNATURE_LEN =
	    SIGNATURE_HMAC_LEN + SIGNATURE_TIME_LEN + SIGNATURE_NONCE_LEN
};

/* A key, prepared once for many datagrams. */
struct signature_key {
	crypto_auth_hmacsha256_state state;
};

void signature_key_init(
    struct signature_key *key, const unsigned char *bytes, size_t len);

/*
 * Fills in the first SIGNATURE_LEN of a datagram's len bytes; the text already
 * follows them.
 */
void signature_sign(const struct signature_key *key, int64_t seconds,
    const unsigned char nonce[SIGNATURE_NONCE_LEN], unsigned char *datagram,
    size_t len);

/*
 * Sets *seconds and returns NULL if the datagram is signed with the key;
 * otherwise returns a sentence that says what is wrong with it.
 */
const char *signature_verify(const struct signature_key *key,
    const unsigned char *datagram, size_t len, int64_t *seconds);

#endif
