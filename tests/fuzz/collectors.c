#include "collectors.h"

#include <arpa/inet.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "base/ascii.h"
#include "fuzz.h"

static int fd = -1;

uint16_t
collectors_port(void)
{
	static uint16_t port;
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	int size = 1 << 22;

	if (fd >= 0)
		return port;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	assert(!bind(fd, (struct sockaddr *)&address, sizeof(address)));
	assert(!getsockname(fd, (struct sockaddr *)&address, &len));
	port = ntohs(address.sin_port);
	return port;
}

/* As the configuration refuses it. */
static bool
is_too_small(const struct uri *uri)
{
	struct line_style style = uri_line_style(uri, SLICE(""));
	size_t signature = uri->key_len > 0 ? SIGNATURE_LEN : 0;

	return uri->datagram > 0 &&
	    uri->datagram <
	    signature + line_max(&style, APP_MAX, FAMILY_BIT(FAMILY_ERRORS));
}

static bool
parse(struct uri *uri, struct slice userinfo, struct slice tail)
{
	char buf[2048];
	struct buf text = BUF_IN(buf);

	buf_put_string(&text, "statsd://");
	buf_put(&text, userinfo);
	buf_put_string(&text, "127.0.0.1:");
	buf_put_number(&text, collectors_port());
	buf_put(&text, tail);
	return !text.truncated &&
	    uri_parse(fuzz_copy(buf_slice(&text)), uri) == NULL &&
	    !strcmp(uri->host, "127.0.0.1") && uri->port == collectors_port() &&
	    !is_too_small(uri);
}

bool
collectors_open(struct cluster *cluster, struct config *config,
    const struct slice *userinfos, const struct slice *tails, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!parse(&config->collectors[i], userinfos[i], tails[i]))
			return false;
	config->collector_count = count;
	memset(cluster->collectors, 0, count * sizeof(cluster->collectors[0]));
	cluster->has_names = cluster->has_failures = cluster->looking_up =
	    false;
	cluster_open(cluster, config->collectors, config->collector_count);
	for (size_t i = 0; i < count; i++)
		assert(cluster->collectors[i].fd >= 0);
	return true;
}

void
collectors_close(struct cluster *cluster)
{
	for (size_t i = 0; i < cluster->count; i++)
		assert(cluster->collectors[i].failed == 0);
	cluster_close(cluster);
}

/* As a statsd server reads it: a name up to ":", a number, "|c". */
static size_t
read_line(struct slice line, const struct config *config, struct slice app,
    bool *owned, const struct uri **owner)
{
	struct slice bucket, value = line, code;
	size_t count;

	assert(slice_cut(&value, ':', &bucket));
	assert(value.len > 0 && value.ptr[0] != '0');
	assert(slice_take_number(&value, 10, &count));
	assert(slice_equal(value, SLICE("|c")) && count > 0);
	*owned = false;
	for (size_t i = 0; i < config->collector_count; i++) {
		struct slice rest = bucket;
		const struct uri *uri = &config->collectors[i];

		if (!slice_take(&rest, uri_prefix(uri)) ||
		    crc32(0, (const Bytef *)rest.ptr, (uInt)rest.len) %
			    config->collector_count !=
			i ||
		    !slice_take(&rest, app) ||
		    !slice_take(&rest, SLICE(".heroku.errors.")))
			continue;
		code = rest;
		*owned = true;
		*owner = uri;
	}
	assert(*owned);
	assert(code.len == 3 || code.len == 4);
	assert(slice_contains(SLICE("HRL"), code.ptr[0]));
	for (size_t i = 1; i < code.len; i++)
		assert(ascii_is_digit(code.ptr[i]));
	return count;
}

/* The text of a datagram; the signature, if there is one, is taken off. */
static struct slice
open_datagram(
    struct slice datagram, const struct config *config, bool *is_signed)
{
	for (size_t i = 0; i < config->collector_count; i++) {
		const struct uri *uri = &config->collectors[i];
		struct signature_key key;
		int64_t seconds, now = time(NULL);

		if (uri->key_len == 0)
			continue;
		signature_key_init(&key, uri->key, uri->key_len);
		if (signature_verify(&key, (const unsigned char *)datagram.ptr,
			datagram.len, &seconds) != NULL)
			continue;
		assert(seconds <= now && seconds >= now - 60 - 60);
		assert(datagram.len <= SIGNED_DATAGRAM_MAX);
		*is_signed = true;
		return slice_after(datagram, SIGNATURE_LEN);
	}
	*is_signed = false;
	return datagram;
}

size_t
collectors_read(const struct config *config, struct slice app)
{
	static char buf[DATAGRAM_MAX + 1];
	size_t sum = 0;
	ssize_t len;

	while ((len = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) >= 0) {
		bool is_signed, owned;
		struct slice datagram = {buf, (size_t)len};
		struct slice text = open_datagram(datagram, config, &is_signed);
		size_t lines = 0;
		const struct uri *owner = NULL;

		assert(text.len > 0 && text.ptr[text.len - 1] != '\n');
		while (text.len > 0) {
			struct slice line = fuzz_line(&text);

			sum += read_line(line, config, app, &owned, &owner);
			assert(is_signed == (owner->key_len > 0));
			lines++;
		}
		assert(owner->datagram > 0 ? datagram.len <= owner->datagram
					   : lines == 1);
	}
	return sum;
}
