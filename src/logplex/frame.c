#include "logplex/frame.h"

#include "base/ascii.h"
#include "bounds.h"

void
frame_skip_newlines(struct slice *body)
{
	size_t n = 0;

	while (n < body->len && (body->ptr[n] == '\n' || body->ptr[n] == '\r'))
		n++;
	*body = slice_after(*body, n);
}

enum frame_result
frame_take(struct slice *body, struct slice *syslog_msg)
{
	struct slice rest = *body;
	size_t msg_len;

	if (rest.len == 0)
		return FRAME_END;
	if (!ascii_is_digit(rest.ptr[0]) || rest.ptr[0] == '0')
		return FRAME_NO_MSG_LEN;
	if (!slice_take_number(&rest, MSG_LEN_DIGITS, &msg_len))
		return FRAME_MSG_LEN_TOO_LONG;
	if (rest.len == 0)
		return FRAME_PARTIAL;
	if (!slice_take(&rest, SLICE(" ")))
		return FRAME_NO_SPACE;
	if (msg_len > rest.len)
		return FRAME_PARTIAL;
	*syslog_msg = slice_head(rest, msg_len);
	*body = slice_after(rest, msg_len);
	return FRAME_OK;
}

const char *
frame_reason(enum frame_result fault)
{
	static const char *const reasons[] = {
	    [FRAME_PARTIAL] = "the body ends within a frame",
	    [FRAME_NO_MSG_LEN] = "a frame must start with its length in bytes, "
				 "without sign or leading zero",
	    [FRAME_MSG_LEN_TOO_LONG] = "a frame's length has too many digits",
	    [FRAME_NO_SPACE] = "a frame's length must be followed by a space",
	};

	return reasons[fault];
}
