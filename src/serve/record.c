#include "serve/record.h"

enum { VERSION_1 = 1, RESPONDER = 1, BEGIN_LEN = 8 };

static unsigned
byte_at(struct slice bytes, size_t i)
{
	return (unsigned char)bytes.ptr[i];
}

bool
record_take_header(struct slice *bytes, struct record *record)
{
	struct slice b = *bytes;

	if (b.len < RECORD_HEADER_LEN || byte_at(b, 0) != VERSION_1)
		return false;
	record->type = byte_at(b, 1);
	record->request = byte_at(b, 2) << 8 | byte_at(b, 3);
	record->content = byte_at(b, 4) << 8 | byte_at(b, 5);
	record->padding = byte_at(b, 6);
	*bytes = slice_after(b, RECORD_HEADER_LEN);
	return true;
}

/* The contents of successive PARAMS as one sequence of bytes. */
struct params {
	struct slice content; /* the rest of the current record's */
	struct slice rest;    /* the records after it */
};

/* Goes on to the next record that has content; false after the last. */
static bool
next_content(struct params *p)
{
	struct record record;

	while (p->content.len == 0) {
		if (!record_take_header(&p->rest, &record))
			return false;
		p->content = slice_head(p->rest, record.content);
		p->rest = slice_after(p->rest, record.content + record.padding);
	}
	return true;
}

static bool
skip(struct params *p, size_t len)
{
	while (len > 0 && next_content(p)) {
		size_t n = len < p->content.len ? len : p->content.len;

		p->content = slice_after(p->content, n);
		len -= n;
	}
	return len == 0;
}

static bool
take_byte(struct params *p, size_t *byte)
{
	if (!next_content(p))
		return false;
	*byte = byte_at(p->content, 0);
	p->content = slice_after(p->content, 1);
	return true;
}

static bool
take_length(struct params *p, size_t *length)
{
	size_t byte;

	if (!take_byte(p, length))
		return false;
	if (*length < 0x80)
		return true;
	*length &= 0x7f;
	for (int i = 0; i < 3; i++) {
		if (!take_byte(p, &byte))
			return false;
		*length = *length << 8 | byte;
	}
	return true;
}

static bool
are_pairs(struct params p)
{
	size_t name, value;

	while (next_content(&p))
		if (!take_length(&p, &name) || !take_length(&p, &value) ||
		    !skip(&p, name + value))
			return false;
	return true;
}

/* Takes a record with its content and padding. */
static enum opening_state
take_record(struct slice *bytes, struct record *record)
{
	struct slice rest = *bytes;

	if (rest.len > 0 && byte_at(rest, 0) != VERSION_1)
		return OPENING_REFUSED;
	if (!record_take_header(&rest, record) ||
	    rest.len < record->content + record->padding)
		return OPENING_PARTIAL;
	*bytes = slice_after(rest, record->content + record->padding);
	return OPENING_WHOLE;
}

static bool
begins_for_responder(struct slice bytes, const struct record *begin)
{
	struct slice content = slice_after(bytes, RECORD_HEADER_LEN);

	return begin->type == RECORD_BEGIN && begin->request != 0 &&
	    begin->content == BEGIN_LEN && begin->padding == 0 &&
	    byte_at(content, 0) == 0 && byte_at(content, 1) == RESPONDER;
}

static enum opening_state
refuse(struct opening *opening, const char *reason)
{
	opening->reason = reason;
	return OPENING_REFUSED;
}

/* Takes PARAMS up to the empty one; *params is all of them. */
static enum opening_state
take_params(struct slice *bytes, struct opening *opening, struct params *params)
{
	struct slice all = *bytes;
	struct record record;

	do {
		enum opening_state state = take_record(bytes, &record);

		if (state != OPENING_WHOLE)
			return state;
		if (record.type != RECORD_PARAMS ||
		    record.request != opening->request)
			return refuse(opening,
			    "there is another record among the parameters");
	} while (record.content > 0);
	if (record.padding > 0)
		return refuse(
		    opening, "the record that ends the parameters has padding");
	*params = (struct params){{0}, slice_head(all, all.len - bytes->len)};
	return OPENING_WHOLE;
}

enum opening_state
opening_read(struct slice bytes, struct opening *opening)
{
	struct slice rest = bytes;
	struct record begin;
	struct params params;
	enum opening_state state = take_record(&rest, &begin);

	*opening = (struct opening){0};
	if (state == OPENING_WHOLE) {
		if (!begins_for_responder(bytes, &begin))
			return refuse(opening,
			    "it does not begin with a request to a responder");
		opening->request = begin.request;
		state = take_params(&rest, opening, &params);
	}
	if (state == OPENING_REFUSED && opening->reason == NULL)
		return refuse(opening, "it is not version 1 of FastCGI");
	if (state != OPENING_WHOLE)
		return state;
	if (!are_pairs(params))
		return refuse(
		    opening, "a parameter is longer than all of them");
	opening->len = slice_offset(bytes, rest);
	return OPENING_WHOLE;
}
