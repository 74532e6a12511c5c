#include "auth/basic_auth.h"

#include <sodium.h>

#include "base/ascii.h"

_Static_assert(CREDENTIALS_MAX % crypto_verify_64_BYTES == 0,
    "secrets are compared in pieces of that size");

bool
secret_set(struct secret *secret, struct slice s)
{
	*secret = (struct secret){0};
	if (s.len > sizeof(secret->bytes))
		return false;
	if (s.len > 0)
		memcpy(secret->bytes, s.ptr, s.len);
	secret->len = (uint16_t)s.len;
	secret->set = true;
	return true;
}

bool
secret_equal(const struct secret *a, const struct secret *b)
{
	int different = a->len ^ b->len;

	/* crypto_verify_64 is many times faster than sodium_memcmp. */
	for (size_t i = 0; i < CREDENTIALS_MAX; i += crypto_verify_64_BYTES)
		different |= crypto_verify_64(a->bytes + i, b->bytes + i);
	return different == 0 && a->set && b->set;
}

static bool
take_scheme(struct slice *s)
{
	struct slice scheme;

	if (!slice_cut(s, ' ', &scheme) ||
	    !slice_equal_nocase(scheme, SLICE("Basic")))
		return false;
	*s = slice_trim(*s);
	return true;
}

/* libsodium 1.0.18 decodes bytes beyond ASCII as if they were a slash. */
static bool
is_visible(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_is_visible(s.ptr[i]))
			return false;
	return true;
}

bool
basic_auth_parse(struct slice authorization, struct basic_auth *out)
{
	char decoded[CREDENTIALS_MAX];
	size_t len;
	const char *end;
	struct slice user, password;

	*out = (struct basic_auth){0};
	if (!take_scheme(&authorization) || !is_visible(authorization) ||
	    sodium_base642bin((unsigned char *)decoded, sizeof(decoded),
		authorization.ptr, authorization.len, NULL, &len, &end,
		sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    end != authorization.ptr + authorization.len)
		return false;
	password = (struct slice){decoded, len};
	if (!slice_cut(&password, ':', &user))
		return false;
	return secret_set(&out->credentials, (struct slice){decoded, len}) &&
	    secret_set(&out->shared, password.len > 0 ? password : user);
}
