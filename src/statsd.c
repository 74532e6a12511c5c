#include "statsd.h"

#include <zlib.h>

static void
put_bucket(struct text *t, const struct statsd_counter *counter)
{
	text_put(t, counter->app);
	text_put(t, SLICE(".heroku.errors."));
	text_put(t, counter->code);
}

void
statsd_put_line(
    struct text *t, struct slice prefix, const struct statsd_counter *counter)
{
	text_put(t, prefix);
	put_bucket(t, counter);
	text_put(t, SLICE(":"));
	text_put_number(t, counter->count);
	text_put(t, SLICE("|c"));
}

size_t
statsd_shard(const struct statsd_counter *counter, size_t n)
{
	char buf[STATSD_LINE_MAX];
	struct text bucket = TEXT_IN(buf);

	put_bucket(&bucket, counter);
	return crc32(0, (const Bytef *)bucket.ptr, (uInt)bucket.len) % n;
}

void
statsd_key_init(struct statsd_key *key, const unsigned char *bytes, size_t len)
{
	crypto_auth_hmacsha256_init(&key->state, bytes, len);
}

static void
hmac(const struct statsd_key *key, const unsigned char *datagram, size_t len,
    unsigned char out[STATSD_HMAC_LEN])
{
	crypto_auth_hmacsha256_state state = key->state;

	crypto_auth_hmacsha256_update(
	    &state, datagram + STATSD_HMAC_LEN, len - STATSD_HMAC_LEN);
	crypto_auth_hmacsha256_final(&state, out);
}

void
statsd_sign(const struct statsd_key *key, int64_t seconds,
    const unsigned char nonce[STATSD_NONCE_LEN], unsigned char *datagram,
    size_t len)
{
	unsigned char *time = datagram + STATSD_HMAC_LEN;

	for (int i = 0; i < STATSD_TIME_LEN; i++)
		time[i] = (unsigned char)((uint64_t)seconds >> (8 * i));
	memcpy(time + STATSD_TIME_LEN, nonce, STATSD_NONCE_LEN);
	hmac(key, datagram, len, datagram);
}

const char *
statsd_verify(const struct statsd_key *key, const unsigned char *datagram,
    size_t len, int64_t *seconds)
{
	unsigned char expected[STATSD_HMAC_LEN];
	uint64_t time = 0;

	if (len < STATSD_SIGNATURE_LEN)
		return "too short to be signed";
	hmac(key, datagram, len, expected);
	if (sodium_memcmp(expected, datagram, STATSD_HMAC_LEN) != 0)
		return "unsigned, or signed with another key";
	for (int i = STATSD_TIME_LEN - 1; i >= 0; i--)
		time = time << 8 | datagram[STATSD_HMAC_LEN + i];
	*seconds = (int64_t)time;
	return NULL;
}
