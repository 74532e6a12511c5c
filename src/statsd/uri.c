#include "statsd/uri.h"

#include <arpa/inet.h>

#include "base/ascii.h"

enum { DEFAULT_PORT = 8126, PORT_DIGITS = 5, OPTION_DIGITS = 5 };

static bool
percent_decode(struct slice in, char *out, size_t max, size_t *len)
{
	size_t n = 0;

	for (size_t i = 0; i < in.len; i++) {
		char c = in.ptr[i];

		if (n == max)
			return false;
		if (c == '%') {
			int high, low;

			if (in.len - i < 3 ||
			    (high = ascii_hex_value(in.ptr[i + 1])) < 0 ||
			    (low = ascii_hex_value(in.ptr[i + 2])) < 0)
				return false;
			c = (char)(high * 16 + low);
			i += 2;
		}
		out[n++] = c;
	}
	*len = n;
	return true;
}

static bool
is_bucket_text(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_is_alnum(s.ptr[i]) && s.ptr[i] != '_' &&
		    s.ptr[i] != '-' && s.ptr[i] != '.')
			return false;
	return true;
}

void
uri_split(struct slice uri, struct uri_parts *out)
{
	struct slice rest = uri;

	*out = (struct uri_parts){0};
	slice_take_until(&rest, SLICE(":@"));
	if (slice_take(&rest, SLICE("://"))) {
		out->scheme = slice_head(uri, slice_offset(uri, rest));
		uri = rest;
	}
	out->has_userinfo = slice_cut_last(&uri, '@', &out->userinfo);
	out->port = slice_take_until(&uri, SLICE("/?#"));
	out->path = slice_take_until(&uri, SLICE("?#"));
	out->query = slice_take_until(&uri, SLICE("#"));
	out->fragment = uri;
	out->has_bracket = slice_take(&out->port, SLICE("["));
	if (out->has_bracket)
		out->closes = slice_cut(&out->port, ']', &out->host);
	else
		out->host = slice_take_until(&out->port, SLICE(":"));
}

static const char *
parse_userinfo(struct slice userinfo, struct uri *out)
{
	struct slice user, rest = userinfo;

	if (slice_contains(userinfo, '@'))
		return "an @ inside the key is written %40";
	if (slice_take_until(&rest, SLICE("/?#")).len < userinfo.len)
		return "a /, ? or # inside the key is written %2F, %3F or %23";
	if (!slice_cut(&userinfo, ':', &user))
		return "a user without a key: write user:key@host to sign, or "
		       "leave both out";
	if (userinfo.len == 0)
		return "the key is empty";
	if (!percent_decode(
		userinfo, (char *)out->key, sizeof(out->key), &out->key_len))
		return "the key must be percent-encoded and have at most 256 "
		       "bytes";
	return NULL;
}

bool
uri_read_port(struct slice s, uint16_t *port)
{
	size_t number;

	if (!slice_take_number(&s, PORT_DIGITS, &number) || s.len > 0 ||
	    number == 0 || number > UINT16_MAX)
		return false;
	*port = (uint16_t)number;
	return true;
}

static bool
is_host_name(struct slice s)
{
	return is_bucket_text(s) && s.len > 0;
}

/*
 * The text between the brackets: an IPv6 address, optionally with "%" and a
 * zone.
 */
static bool
is_ipv6(struct slice s)
{
	char text[INET6_ADDRSTRLEN];
	struct slice address, zone = s;
	struct in6_addr ignored;

	if (!slice_cut(&zone, '%', &address))
		address = s;
	else if (!is_host_name(zone))
		return false;
	if (address.len >= sizeof(text) || slice_contains(address, '\0'))
		return false;
	memcpy(text, address.ptr, address.len);
	text[address.len] = '\0';
	return inet_pton(AF_INET6, text, &ignored) == 1;
}

static const char *
parse_host(const struct uri_parts *parts, struct uri *out)
{
	struct slice name;
	size_t len;

	if (parts->has_bracket && !parts->closes)
		return "the bracket of an IPv6 address does not close";
	if (parts->host.len == 0)
		return "the host is empty; an IPv6 address goes in brackets";
	if (!percent_decode(parts->host, out->host, HOST_MAX, &len))
		return "the host is too long or not percent-encoded";
	out->host[len] = '\0';
	name = (struct slice){out->host, len};
	if (parts->has_bracket ? !is_ipv6(name) : !is_host_name(name))
		return "the host is neither a name nor an address";
	return NULL;
}

static const char *
parse_port(struct slice port, struct uri *out)
{
	out->port = DEFAULT_PORT;
	if (port.len == 0)
		return NULL;
	if (!slice_take(&port, SLICE(":")))
		return "only a port may follow an IPv6 address";
	out->has_port = uri_read_port(port, &out->port);
	return out->has_port ? NULL
			     : "the port must be a number from 1 to 65535";
}

/* "/a/b" becomes "a.b."; empty segments are dropped. */
static const char *
parse_path(struct slice path, struct uri *out)
{
	struct buf prefix = BUF_IN(out->prefix);
	struct slice segment;

	while (slice_take_element(&path, '/', &segment)) {
		char decoded[PREFIX_MAX];
		struct slice name = {decoded, 0};

		if (segment.len == 0)
			continue;
		if (!percent_decode(
			segment, decoded, sizeof(decoded), &name.len))
			return "the prefix is too long or not percent-encoded";
		if (!is_bucket_text(name))
			return "the prefix may hold letters, digits, _, - and "
			       ". only";
		buf_put(&prefix, name);
		buf_put(&prefix, SLICE("."));
	}
	if (prefix.truncated)
		return "the prefix has more than 100 bytes";
	out->prefix_len = prefix.len;
	for (size_t i = 0; i < prefix.len; i++)
		if (prefix.ptr[i] == '.' &&
		    (i == 0 || prefix.ptr[i - 1] == '.'))
			return "the prefix has an empty name between its dots";
	return NULL;
}

static bool
parse_option_value(struct slice value, size_t *number)
{
	return slice_take_number(&value, OPTION_DIGITS, number) &&
	    value.len == 0;
}

const char *
uri_parse_option(struct slice option, struct uri *out)
{
	size_t number;

	if (slice_take(&option, SLICE("datagram="))) {
		if (!parse_option_value(option, &number) || number == 0 ||
		    number > DATAGRAM_MAX)
			return "datagram= must be a number of bytes up to "
			       "65507";
		out->datagram = number;
		return NULL;
	}
	if (slice_take(&option, SLICE("backdate="))) {
		if (!parse_option_value(option, &number) ||
		    number > BACKDATE_MAX)
			return "backdate= must be 0 to 60 seconds";
		out->backdate = (unsigned)number;
		return NULL;
	}
	if (slice_take(&option, SLICE("tags="))) {
		out->dogstatsd = slice_equal(option, SLICE("dogstatsd"));
		return out->dogstatsd ? NULL : "tags= must be dogstatsd";
	}
	return "the options are datagram=, backdate= and tags=";
}

static const char *
parse_query(struct slice query, struct uri *out)
{
	struct slice option;
	const char *fault;

	slice_take(&query, SLICE("?"));
	while (slice_take_element(&query, '&', &option))
		if ((fault = uri_parse_option(option, out)) != NULL)
			return fault;
	return NULL;
}

const char *
uri_parse(struct slice uri, struct uri *out)
{
	struct uri_parts parts;
	const char *fault = NULL;

	*out = (struct uri){0};
	if (uri.len == 0)
		return "empty; is there an extra comma?";
	uri_split(uri, &parts);
	if (!slice_equal_nocase(parts.scheme, SLICE("statsd://")))
		return "must start with statsd:// (a comma inside a key is "
		       "written %2C)";
	if (parts.has_userinfo)
		fault = parse_userinfo(parts.userinfo, out);
	if (fault == NULL)
		fault = parse_host(&parts, out);
	if (fault == NULL)
		fault = parse_port(parts.port, out);
	if (fault == NULL)
		fault = parse_path(parts.path, out);
	if (fault == NULL)
		fault = parse_query(parts.query, out);
	if (fault == NULL && parts.fragment.len > 0)
		fault = "a # must be written %23";
	return fault;
}

void
uri_put_address(struct buf *t, const struct uri *uri)
{
	bool bracketed = strchr(uri->host, ':') != NULL;

	buf_put_string(t, bracketed ? "statsd://[" : "statsd://");
	buf_put_string(t, uri->host);
	buf_put_string(t, bracketed ? "]:" : ":");
	buf_put_number(t, uri->port);
}
