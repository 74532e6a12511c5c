/*
 * Collector URIs.  Three lines: what METRICS_CLUSTER holds before the key,
 * the key, and what follows it; and the whole input once more as one URI.
 *
 * Asserted: no fault and no redacted or shown form contains the key, whatever
 * is around it and however it is mistyped; a URI that is accepted has a valid
 * host, port and prefix, and its address, as shown, is read back as the same
 * one.
 */
#include <sodium.h>

#include "base/ascii.h"
#include "fuzz.h"
#include "statsd/redact.h"

#define CANARY "Tr0ub4dor"

static bool
is_bucket(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_is_alnum(s.ptr[i]) &&
		    !slice_contains(SLICE("_-."), s.ptr[i]))
			return false;
	return true;
}

static void
check_prefix(const struct uri *uri)
{
	struct slice prefix = uri_prefix(uri), name;

	assert(prefix.len <= PREFIX_MAX && is_bucket(prefix));
	assert(prefix.len == 0 || prefix.ptr[prefix.len - 1] == '.');
	while (slice_cut(&prefix, '.', &name))
		assert(name.len > 0);
}

static void
check_taken(const struct uri *uri)
{
	char buf[HOST_MAX + 32];
	struct buf address = BUF_IN(buf);
	struct uri again;

	assert(uri->host[0] != '\0' && memchr(uri->host, '\0', HOST_MAX + 1));
	assert(uri->port > 0 && uri->key_len <= KEY_MAX);
	assert(uri->backdate <= 60 && uri->datagram <= DATAGRAM_MAX);
	check_prefix(uri);
	uri_put_address(&address, uri);
	assert(!address.truncated && fuzz_is_lines(buf_slice(&address)));
	assert(!slice_contains(buf_slice(&address), '\n'));
	if (strchr(uri->host, '%') != NULL)
		return; /* shown as the system writes a zone, not as a URI does
			 */
	assert(uri_parse(buf_slice(&address), &again) == NULL);
	assert(!strcmp(again.host, uri->host) && again.port == uri->port);
	assert(again.key_len == 0);
}

static void
check_raw(struct slice input)
{
	struct uri uri;
	char buf[1024];
	struct buf shown = BUF_IN(buf);

	if (uri_parse(input, &uri) == NULL)
		check_taken(&uri);
	redact_uri(&shown, input);
	assert(fuzz_is_lines(buf_slice(&shown)));
}

/* A key with the canary in it, at a place its first byte says. */
static size_t
put_key(struct buf *t, struct slice key)
{
	size_t at = key.len > 0 ? (unsigned char)key.ptr[0] % (key.len + 1) : 0;

	buf_put(t, slice_head(key, at));
	buf_put(t, SLICE(CANARY));
	buf_put(t, slice_after(key, at));
	return at;
}

/* A key in the place of options, or after a #. */
static void
check_misplaced(struct slice key, const char *uri)
{
	char text[4096], shown_buf[4096];
	struct buf misplaced = BUF_IN(text), shown = BUF_IN(shown_buf);

	if (slice_contains(key, '@'))
		return;
	buf_put_string(&misplaced, uri);
	put_key(&misplaced, key);
	redact_uri(&shown, fuzz_copy(buf_slice(&misplaced)));
	assert(!fuzz_contains(buf_slice(&shown), SLICE(CANARY)));
}

static void
check_lines(const struct buf *lines)
{
	assert(!fuzz_contains(buf_slice(lines), SLICE(CANARY)));
	assert(fuzz_is_lines(buf_slice(lines)));
}

static void
check_list(struct slice before, struct slice key, struct slice after)
{
	static struct config config;
	static char faults_buf[FAULTS_MAX], warnings_buf[FAULTS_MAX];
	char buf[4096];
	struct buf list = BUF_IN(buf);
	struct findings findings = {BUF_IN(faults_buf), BUF_IN(warnings_buf)};
	char *environment[] = {NULL, NULL};

	if (fuzz_contains(before, SLICE(CANARY)) ||
	    fuzz_contains(after, SLICE(CANARY)) ||
	    fuzz_contains(key, SLICE("://")))
		return;
	buf_put(&list, SLICE("METRICS_CLUSTER="));
	buf_put(&list, before);
	buf_put(&list, SLICE("statsd://user:"));
	put_key(&list, key);
	buf_put(&list, SLICE("@"));
	buf_put(&list, after);
	if (list.truncated)
		return;
	environment[0] = fuzz_string(buf_slice(&list));
	if (strlen(environment[0]) != list.len)
		return; /* it holds a NUL, which no environment does */
	fuzz_config_reset(&config);
	config_load(&config, environment, &findings);
	check_lines(&findings.faults);
	check_lines(&findings.warnings);
	for (size_t i = 0; i < config.collector_count; i++) {
		const struct uri *uri = &config.collectors[i];

		check_taken(uri);
		assert(!fuzz_contains(slice_of(uri->host), SLICE(CANARY)) &&
		    !fuzz_contains(uri_prefix(uri), SLICE(CANARY)));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = {(const char *)data, size};
	struct slice before = fuzz_line(&input);
	struct slice key = fuzz_line(&input);

	assert(sodium_init() >= 0);
	check_raw(fuzz_copy((struct slice){(const char *)data, size}));
	check_misplaced(key, "statsd://h?");
	check_misplaced(key, "statsd://h:1/p?datagram=500&");
	check_misplaced(key, "statsd://h#");
	check_list(before, key, input);
	fuzz_release();
	return 0;
}
