#include "heroku/logfmt.h"

/* White space ends a word; "=" and the quote end a key as well. */
const unsigned char logfmt_ends[256] = {
    [' '] = LOGFMT_WORD | LOGFMT_KEY,
    ['\t'] = LOGFMT_WORD | LOGFMT_KEY,
    ['\n'] = LOGFMT_WORD | LOGFMT_KEY,
    ['\v'] = LOGFMT_WORD | LOGFMT_KEY,
    ['\f'] = LOGFMT_WORD | LOGFMT_KEY,
    ['\r'] = LOGFMT_WORD | LOGFMT_KEY,
    ['='] = LOGFMT_KEY,
    ['"'] = LOGFMT_KEY | LOGFMT_QUOTED,
    ['\\'] = LOGFMT_QUOTED,
};

struct slice
logfmt_value(const struct logfmt_pair *pair, char *buf, size_t max)
{
	struct slice raw = pair->value;
	size_t n = 0;

	if (!pair->escaped)
		return raw;
	for (size_t i = 0; i < raw.len && n <= max; i++) {
		if (raw.ptr[i] == '\\')
			i++;
		buf[n++] = raw.ptr[i];
	}
	return (struct slice){buf, n};
}
