#include "logplex/syslog_msg.h"

#include "base/ascii.h"

/* The digits of PRIVAL and of VERSION, and the octets of an SD-NAME. */
enum { PRIVAL_DIGITS = 3, VERSION_DIGITS = 3, SD_NAME_MAX = 32 };

static bool
take_pri_and_version(struct slice *s)
{
	size_t ignored;

	return slice_take(s, SLICE("<")) &&
	    slice_take_number(s, PRIVAL_DIGITS, &ignored) &&
	    slice_take(s, SLICE(">")) && !slice_starts_with(*s, SLICE("0")) &&
	    slice_take_number(s, VERSION_DIGITS, &ignored) &&
	    slice_take(s, SLICE(" "));
}

/* TIMESTAMP is long enough for memchr. */
static bool
take_timestamp(struct slice *s)
{
	struct slice timestamp;

	return slice_cut(s, ' ', &timestamp) && timestamp.len > 0;
}

/* The other fields have only a few bytes, for which a loop is faster. */
static inline bool
take_field(struct slice *s, struct slice *field)
{
	size_t n = 0;

	while (n < s->len && s->ptr[n] != ' ')
		n++;
	if (n == 0 || n == s->len)
		return false;
	*field = slice_head(*s, n);
	*s = slice_after(*s, n + 1);
	return true;
}

bool
syslog_msg_parse(struct slice bytes, struct syslog_msg *out)
{
	struct slice ignored;

	if (!take_pri_and_version(&bytes) || !take_timestamp(&bytes) ||
	    !take_field(&bytes, &ignored) || /* HOSTNAME */
	    !take_field(&bytes, &out->app_name) ||
	    !take_field(&bytes, &out->procid))
		return false;
	if (take_field(&bytes, &ignored)) { /* MSGID */
		out->msg = bytes;
		return true;
	}
	/* A message without text may also lack the space after MSGID. */
	out->msg = slice_after(bytes, bytes.len);
	return bytes.len > 0 && !slice_contains(bytes, ' ');
}

/*
 * PRINTUSASCII without "=", "]" and the double quote.  With ||, gcc branches on
 * the range that holds the three, which is mispredicted at every other byte of
 * a UUID.
 */
static inline bool
is_sd_name(char c)
{
	return ascii_is_visible(c) && !((c == '=') | (c == ']') | (c == '"'));
}

static bool
take_sd_name(struct slice *s)
{
	size_t n = 0;

	while (n < s->len && is_sd_name(s->ptr[n]))
		n++;
	if (n == 0 || n > SD_NAME_MAX)
		return false;
	*s = slice_after(*s, n);
	return true;
}

static bool
take_quoted_value(struct slice *s)
{
	size_t i = 1;

	if (!slice_starts_with(*s, SLICE("\"")))
		return false;
	while (i < s->len && s->ptr[i] != '"')
		i += s->ptr[i] == '\\' ? 2 : 1;
	if (i >= s->len)
		return false;
	*s = slice_after(*s, i + 1);
	return true;
}

static bool
take_sd_element(struct slice *s)
{
	if (!slice_take(s, SLICE("[")) || !take_sd_name(s))
		return false;
	while (slice_take(s, SLICE(" ")))
		if (!take_sd_name(s) || !slice_take(s, SLICE("=")) ||
		    !take_quoted_value(s))
			return false;
	return slice_take(s, SLICE("]"));
}

bool
syslog_msg_take_structured_data(struct slice *msg)
{
	struct slice rest = *msg;

	if (!slice_take(&rest, SLICE("-"))) {
		do {
			if (!take_sd_element(&rest))
				return false;
		} while (slice_starts_with(rest, SLICE("[")));
	}
	if (!slice_take(&rest, SLICE(" ")))
		return false;
	*msg = rest;
	return true;
}

struct slice
syslog_msg_text(const struct syslog_msg *message)
{
	struct slice text = message->msg;

	if (text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '['))
		syslog_msg_take_structured_data(&text);
	slice_take(&text, SLICE("\xef\xbb\xbf"));
	return text;
}
