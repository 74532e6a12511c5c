#include "http/request.h"

#include <stdint.h>

/* A length of so many digits certainly fits a size_t. */
enum { LENGTH_DIGITS = 15 };

static const struct {
	struct slice name;
	size_t field;
} fields[] = {
#define FIELD(name, field)                                                     \
	{                                                                      \
		{name, sizeof(name) - 1}, offsetof(struct request, field)      \
	}
    FIELD("REQUEST_METHOD", method),
    FIELD("SCRIPT_NAME", script_name),
    FIELD("PATH_INFO", path_info),
    FIELD("CONTENT_LENGTH", content_length),
    FIELD("CONTENT_TYPE", content_type),
    FIELD("HTTP_CONTENT_ENCODING", content_encoding),
    FIELD("HTTP_AUTHORIZATION", authorization),
    FIELD("AUTH_TYPE", auth_type),
    FIELD("REMOTE_USER", remote_user),
    FIELD("HTTP_LOGPLEX_FRAME_ID", frame_id),
#undef FIELD
};

static void
set_field(struct request *request, struct slice name, const char *value)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct slice s;

		if (!slice_equal(name, fields[i].name))
			continue;
		s = slice_of(value);
		memcpy((char *)request + fields[i].field, &s, sizeof(s));
	}
}

void
request_read(struct request *request, char *const *variables)
{
	*request = (struct request){0};
	for (; *variables != NULL; variables++) {
		const char *start = *variables, *end = strchr(start, '=');

		if (end != NULL)
			set_field(request,
			    (struct slice){start, (size_t)(end - start)},
			    end + 1);
	}
}

bool
request_length(const struct request *request, size_t *length)
{
	struct slice s = request->content_length;

	if (s.len == 0 || slice_equal(s, SLICE("-1")))
		return false;
	if (!slice_take_number(&s, LENGTH_DIGITS, length) || s.len > 0)
		*length = SIZE_MAX;
	return true;
}
