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

static inline uint64_t
spaces_in_block(const char *p)
{
	return block_bits((block_bytes)(block_load(p) == ' '),
	    (block_bytes)(block_load(p + 16) == ' '),
	    (block_bytes)(block_load(p + 32) == ' '),
	    (block_bytes)(block_load(p + 48) == ' '));
}

/* Where the reader of a block is: after the last field, before these spaces. */
struct block_reader {
	const char *at;
	const char *block;
	uint64_t spaces;
};

static inline bool
take_in_block(struct block_reader *r, struct slice *field)
{
	const char *end;

	if (r->spaces == 0)
		return false;
	end = r->block + block_first(r->spaces);
	*field = (struct slice){r->at, (size_t)(end - r->at)};
	r->spaces = block_rest(r->spaces);
	r->at = end + 1;
	return field->len > 0;
}

/*
 * Finds the fields in a block, as they usually are; false if they are not all
 * there, or in no message.
 */
static inline bool
take_fields_in_block(struct slice s, struct syslog_msg *out)
{
	struct block_reader r = {s.ptr, s.ptr, 0};
	struct slice timestamp, hostname, msgid;

	if (s.len < BLOCK)
		return false;
	r.spaces = spaces_in_block(s.ptr);
	if (!take_in_block(&r, &timestamp) || !take_in_block(&r, &hostname) ||
	    !take_in_block(&r, &out->app_name) ||
	    !take_in_block(&r, &out->procid) || !take_in_block(&r, &msgid))
		return false;
	out->msg = slice_after(s, (size_t)(r.at - s.ptr));
	return true;
}

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

/*
 * Takes one field after the other, in a short message or a long header.  (Not
 * inlined, as it slows the usual case down.)
 */
__attribute__((noinline)) static bool
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
	    (take_fields_in_block(bytes, out) || take_fields(bytes, out));
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
