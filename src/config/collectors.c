#include "config/loading.h"

#include "statsd/line.h"
#include "statsd/redact.h"
#include "statsd/signature.h"

#define DEFAULT_CLUSTER "statsd://127.0.0.1:8126,statsd://127.0.0.1:8127"

static void
put_collector_finding(
    struct buf *t, size_t number, struct slice uri, const char *sentence)
{
	buf_put(t, SLICE("METRICS_CLUSTER: collector "));
	buf_put_number(t, number);
	buf_put(t, SLICE(", "));
	redact_uri(t, uri);
	buf_put(t, SLICE(": "));
	buf_put_string(t, sentence);
	buf_put(t, SLICE("\n"));
}

static void
put_address_fault(struct loading *l, size_t number, const struct uri *uri,
    const char *sentence)
{
	char buf[HOST_MAX + sizeof("statsd://[]:65535")];
	struct buf address = BUF_IN(buf);

	uri_put_address(&address, uri);
	put_collector_finding(
	    &l->findings->faults, number, buf_slice(&address), sentence);
}

static void
read_collector(struct loading *l, size_t number, struct slice uri)
{
	struct config *config = l->config;
	struct uri *collector = &config->collectors[config->collector_count];
	const char *fault = config->collector_count == COLLECTORS_MAX
	    ? "there may be at most 256 collectors"
	    : uri_parse(uri, collector);

	if (fault != NULL) {
		put_collector_finding(&l->findings->faults, number, uri, fault);
		return;
	}
	if (!collector->has_port)
		put_collector_finding(&l->findings->warnings, number, uri,
		    "no port given: 8126 is used, but statsd itself listens "
		    "on 8125 by default");
	config->collector_count++;
}

/*
 * An "@" in the rest, with no "://" before it, means that the comma is part of
 * a key.
 */
static bool
is_cut_in_key(struct slice rest)
{
	struct slice before, scheme;

	if (!slice_cut(&rest, '@', &before))
		return false;
	while (slice_cut(&before, ':', &scheme))
		if (slice_starts_with(before, SLICE("//")))
			return false;
	return true;
}

static void
read_cluster(struct loading *l, struct slice list)
{
	struct slice uri;
	size_t number = 1;

	l->config->collector_count = 0;
	for (; slice_cut(&list, ',', &uri); number++)
		if (is_cut_in_key(list))
			put_collector_finding(&l->findings->faults, number,
			    SLICE("***"),
			    "a comma inside a key is written %2C");
		else
			read_collector(l, number, slice_trim(uri));
	read_collector(l, number, slice_trim(list));
}

void
load_default_cluster(struct loading *l)
{
	l->config->default_cluster = true;
	read_cluster(l, SLICE(DEFAULT_CLUSTER));
}

const char *
load_cluster(struct loading *l, struct slice value)
{
	l->config->default_cluster = false;
	read_cluster(l, value);
	return NULL;
}

/* Whether the longest line fits depends on what is counted. */
static void
check_datagrams(struct loading *l)
{
	const struct counting *c = &l->config->counting;
	size_t app_max = c->prefix_count > 0 ? PREFIX_MAX : APP_MAX;

	for (size_t i = 0; i < l->config->collector_count; i++) {
		const struct uri *uri = &l->config->collectors[i];
		struct line_style style = uri_line_style(uri, c->tags);
		size_t signature = uri->key_len > 0 ? SIGNATURE_LEN : 0;

		if (uri->datagram > 0 &&
		    uri->datagram <
			signature + line_max(&style, app_max, c->families))
			put_address_fault(l, i + 1, uri,
			    "datagram= is too small for the longest line");
	}
}

/* Many lines per request are costly if each has a separate datagram. */
static void
warn_of_datagrams(struct loading *l)
{
	const struct config *config = l->config;

	if (config->counting.families == FAMILY_BIT(FAMILY_ERRORS))
		return;
	for (size_t i = 0; i < config->collector_count; i++) {
		if (config->collectors[i].datagram > 0)
			continue;
		loading_note(&l->findings->warnings, SLICE("METRICS"),
		    "with families other than errors, a collector without "
		    "?datagram=1432 is sent each line in a separate datagram");
		return;
	}
}

void
judge_cluster(struct loading *l)
{
	if (l->config->default_cluster && l->on_dyno)
		loading_note(&l->findings->warnings, SLICE("METRICS_CLUSTER"),
		    "not set, and this is a dyno: nothing listens on its "
		    "127.0.0.1, so every counter is lost");
	check_datagrams(l);
	warn_of_datagrams(l);
}
