#include "statsd/redact.h"

#include "statsd/uri.h"

/* Shows a host, and says whether it can be nothing else. */
static bool
put_host(struct buf *t, struct slice *s)
{
	struct slice inside;

	if (!slice_take(s, SLICE("["))) {
		buf_put_visible(t, slice_take_until(s, SLICE(":/?#")));
		return false;
	}
	if (!slice_cut(s, ']', &inside)) {
		buf_put(t, SLICE("[***"));
		*s = (struct slice){0};
		return false;
	}
	buf_put(t, SLICE("["));
	buf_put_visible(t, inside);
	buf_put(t, SLICE("]"));
	return true;
}

void
redact_uri(struct buf *t, struct slice uri)
{
	struct slice rest = uri, hidden, port;
	uint16_t ignored;
	bool certain;

	slice_take_until(&rest, SLICE(":@"));
	if (slice_take(&rest, SLICE("://"))) {
		buf_put_visible(t, slice_head(uri, uri.len - rest.len));
		uri = rest;
	}
	certain = slice_cut_last(&uri, '@', &hidden);
	if (certain)
		buf_put(t, SLICE("***@"));
	certain |= put_host(t, &uri);
	if (slice_take(&uri, SLICE(":"))) {
		buf_put(t, SLICE(":"));
		port = slice_take_until(&uri, SLICE("/?#"));
		if (!certain && !uri_read_port(port, &ignored)) {
			buf_put(t, SLICE("***"));
			return;
		}
		buf_put_visible(t, port);
	}
	buf_put_visible(t, uri);
}
