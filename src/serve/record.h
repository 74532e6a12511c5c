/*
 * What a web server sends over FastCGI: records, and the opening with which a
 * request begins.  See the FastCGI Specification 1.0, sections 3.3 to 5.3.
 *
 *	record = header content padding
 *	header = version type request request length length padding reserved
 *	request = opening STDIN* STDIN(empty)
 *	opening = BEGIN_REQUEST PARAMS* PARAMS(empty)
 *
 * The contents of PARAMS are pairs: length of the name, length of the value (a
 * byte each, or four with the highest bit set), name, value.
 */
#ifndef SERVE_RECORD_H
#define SERVE_RECORD_H

#include "base/slice.h"

enum { RECORD_HEADER_LEN = 8 };

enum record_type {
	RECORD_BEGIN = 1,
	RECORD_ABORT = 2,
	RECORD_PARAMS = 4,
	RECORD_STDIN = 5
};

struct record {
	unsigned type;    /* an enum record_type, or another number */
	unsigned request; /* 0 in a management record */
	size_t content;   /* bytes that follow */
	size_t padding;   /* bytes that follow them */
};

/* Takes a header; false if there is none or its version is not 1. */
bool record_take_header(struct slice *bytes, struct record *record);

enum opening_state { OPENING_WHOLE, OPENING_PARTIAL, OPENING_REFUSED };

struct opening {
	size_t len;         /* of a WHOLE one, in bytes */
	unsigned request;   /* its id */
	const char *reason; /* why it is REFUSED: a sentence */
};

/*
 * Judges the bytes with which a connection begins.  WHOLE: an opening for a
 * responder, whose pairs end where the parameters do, and perhaps more.
 * PARTIAL: they could become one.  REFUSED: they can't.  Neither BEGIN_REQUEST
 * nor the empty PARAMS may have padding, which libfcgi would take for a record.
 */
enum opening_state opening_read(struct slice bytes, struct opening *opening);

#endif
