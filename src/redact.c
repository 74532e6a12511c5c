#include "redact.h"

#include "statsd_uri.h"

/* Shows a host, and says whether it can be nothing else. */
static bool
put_host(struct text *t, struct slice *s)
{
	struct slice inside;

	if (!slice_take(s, SLICE("["))) {
		text_put_visible(t, slice_take_until(s, SLICE(":/?#")));
		return false;
	}
	if (!slice_cut(s, ']', &inside)) {
		text_put(t, SLICE("[***"));
		*s = (struct slice){0};
		return false;
	}
	text_put(t, SLICE("["));
	text_put_visible(t, inside);
	text_put(t, SLICE("]"));
	return true;
}

void
redact_uri(struct text *t, struct slice uri)
{
	struct slice rest = uri, hidden, port;
	uint16_t ignored;
	bool certain;

	slice_take_until(&rest, SLICE(":@"));
	if (slice_take(&rest, SLICE("://"))) {
		text_put_visible(t, slice_head(uri, uri.len - rest.len));
		uri = rest;
	}
	certain = slice_cut_last(&uri, '@', &hidden);
	if (certain)
		text_put(t, SLICE("***@"));
	certain |= put_host(t, &uri);
	if (slice_take(&uri, SLICE(":"))) {
		text_put(t, SLICE(":"));
		port = slice_take_until(&uri, SLICE("/?#"));
		if (!certain && !statsd_uri_read_port(port, &ignored)) {
			text_put(t, SLICE("***"));
			return;
		}
		text_put_visible(t, port);
	}
	text_put_visible(t, uri);
}
