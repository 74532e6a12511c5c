#include "statsd/redact.h"

#include "statsd/uri.h"

/*
 * Whether a key may be in the port's place: not after a userinfo or an address
 * in brackets.
 */
static bool
may_hold_key(const struct uri_parts *parts)
{
	struct slice port = parts->port;
	uint16_t ignored;

	if (parts->has_bracket)
		return !parts->closes;
	return !parts->has_userinfo && slice_take(&port, SLICE(":")) &&
	    !uri_read_port(port, &ignored);
}

/* What is not an option may be a key. */
static void
put_query(struct buf *t, struct slice query)
{
	struct uri ignored;
	struct slice option;

	buf_put(t, slice_head(query, 1));
	query = slice_after(query, query.len > 0);
	while (slice_take_element(&query, '&', &option)) {
		if (uri_parse_option(option, &ignored) == NULL)
			buf_put(t, option);
		else
			buf_put(t, SLICE("***"));
		if (query.len > 0)
			buf_put(t, SLICE("&"));
	}
}

void
redact_uri(struct buf *t, struct slice uri)
{
	struct uri_parts parts;

	uri_split(uri, &parts);
	buf_put_visible(t, parts.scheme);
	if (parts.has_userinfo)
		buf_put(t, SLICE("***@"));
	if (parts.has_bracket)
		buf_put(t, SLICE("["));
	buf_put_visible(t, parts.host);
	if (parts.closes)
		buf_put(t, SLICE("]"));
	if (may_hold_key(&parts)) {
		buf_put_string(t, parts.has_bracket ? "***" : ":***");
		return;
	}
	buf_put_visible(t, parts.port);
	buf_put_visible(t, parts.path);
	put_query(t, parts.query);
	if (parts.fragment.len > 0)
		buf_put(t, SLICE("#***"));
}
