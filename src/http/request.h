/*
 * A request, as CGI's meta-variables describe it (RFC 3875 section 4.1).
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "base/slice.h"

enum body_state {
	BODY_WHOLE,
	BODY_CUT,     /* fewer bytes than promised, or the stream broke */
	BODY_TOO_LONG /* above BODY_MAX */
};

/* An empty member means that the variable is absent. */
struct request {
	struct slice method;
	struct slice script_name;
	struct slice path_info;
	struct slice content_length;
	struct slice content_type;
	struct slice content_encoding;
	struct slice authorization;
	struct slice auth_type;
	struct slice remote_user;
	struct slice frame_id;
	enum body_state body_state;
	struct slice body; /* set if BODY_WHOLE */
};

/*
 * Picks the variables from a NULL-terminated array of "NAME=value", which the
 * request borrows.  If a name comes twice, the last one counts.
 */
void request_read(struct request *request, char *const *variables);

/*
 * Sets *length to CONTENT_LENGTH, or to SIZE_MAX if that is larger than any
 * body or not a number at all, so that no body can satisfy it.  False if it is
 * absent or -1, as with chunked bodies, which last until the end of the stream.
 */
bool request_length(const struct request *request, size_t *length);

#endif
