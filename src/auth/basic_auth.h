/*
 * Basic authentication, RFC 7617: reading what a client presents, and comparing
 * secrets in constant time.
 *
 *	Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==
 *	               scheme token = base64(user-id ":" password)
 */
#ifndef AUTH_BASIC_AUTH_H
#define AUTH_BASIC_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "bounds.h"
#include "base/slice.h"

/*
 * A secret in a form whose comparison always reads the same number of bytes:
 * padded with zeros, and with its length.  A zeroed struct is no secret, and is
 * equal to none.
 */
struct secret {
	bool set;
	uint16_t len;
	unsigned char bytes[CREDENTIALS_MAX];
};

/* False if s is longer than CREDENTIALS_MAX. */
bool secret_set(struct secret *secret, struct slice s);

/* In constant time; false if either is not set. */
bool secret_equal(const struct secret *a, const struct secret *b);

/* What a client presented. */
struct basic_auth {
	struct secret credentials; /* user:password, whole */
	struct secret shared;      /* the part that may be API_SECRET */
};

/*
 * Reads the value of an Authorization header.  False if the scheme is another
 * one, the base64 is not canonical, or the credentials have no colon or are too
 * long; then nothing is set.
 *
 * `shared` is the password, or the user if the password is empty: Logplex turns
 * a drain URL's https://:secret@host into "secret:".
 */
bool basic_auth_parse(struct slice authorization, struct basic_auth *out);

#endif
