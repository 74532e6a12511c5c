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

/* Empty stands for absent. */
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
 * Picks the variables out of a NULL-terminated array of "NAME=value", from
 * which the request borrows.  If a name comes twice, the last one counts.
 */
void request_read(struct request *request, char *const *variables);

/*
 * CONTENT_LENGTH is a number: *length is set, to SIZE_MAX if it is too large
 * to matter.  False if it is absent or -1, as with chunked bodies, which last
 * until the end of the stream.  What is no number at all is a length that
 * cannot be kept: SIZE_MAX.
 */
bool request_length(const struct request *request, size_t *length);

#endif
