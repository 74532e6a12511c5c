#include "logplex/syslog_msg.h"

#include "base/ascii.h"
#include "base/block.h"

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

enum field { TIMESTAMP, HOSTNAME, APP_NAME, PROCID, MSGID, FIELDS };

static inline uint64_t
spaces_in_block(const char *p)
{
	return block_bits((block_bytes)(block_load(p) == ' '),
	    (block_bytes)(block_load(p + 16) == ' '),
	    (block_bytes)(block_load(p + 32) == ' '),
	    (block_bytes)(block_load(p + 48) == ' '));
}

/*
 * Finds the fields in a block, as they usually are; false if they are not all
 * there, or in no message.
 */
static bool
find_fields(struct slice s, struct syslog_msg *out)
{
	size_t starts[FIELDS + 1] = {0};
	uint64_t spaces;

	if (s.len < BLOCK)
		return false;
	spaces = spaces_in_block(s.ptr);
	for (int i = 0; i < FIELDS; i++) {
		if (spaces == 0 || block_first(spaces) == starts[i])
			return false;
		starts[i + 1] = block_first(spaces) + 1;
		spaces = block_rest(spaces);
	}
	out->app_name = (struct slice){s.ptr + starts[APP_NAME],
	    starts[APP_NAME + 1] - starts[APP_NAME] - 1};
	out->procid = (struct slice){
	    s.ptr + starts[PROCID], starts[PROCID + 1] - starts[PROCID] - 1};
	out->msg = slice_after(s, starts[FIELDS]);
	return true;
}

static bool
take_field(struct slice *s, struct slice *field)
{
	struct slice rest = *s;

	if (!slice_cut(&rest, ' ', field) || field->len == 0)
		return false;
	*s = rest;
	return true;
}

/* Takes one field after the other, wherever they end. */
static bool
take_fields(struct slice s, struct syslog_msg *out)
{
	struct slice timestamp, hostname, msgid;

	if (!take_field(&s, &timestamp) || !take_field(&s, &hostname) ||
	    !take_field(&s, &out->app_name) || !take_field(&s, &out->procid))
		return false;
	if (take_field(&s, &msgid)) {
		out->msg = s;
		return true;
	}
	/* A message without text may also lack the space after MSGID. */
	out->msg = slice_after(s, s.len);
	return s.len > 0 && !slice_contains(s, ' ');
}

bool
syslog_msg_parse(struct slice bytes, struct syslog_msg *out)
{
	return take_pri_and_version(&bytes) &&
	    (find_fields(bytes, out) || take_fields(bytes, out));
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
