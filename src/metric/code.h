/*
 * The code of a platform error.
 */
#ifndef METRIC_CODE_H
#define METRIC_CODE_H

#include <stdint.h>

#include "base/slice.h"

/* A code: [HRL][0-9]{2,3}. */
struct heroku_code {
	char text[4];
	uint8_t len;
};

static inline struct slice
heroku_code_slice(const struct heroku_code *code)
{
	return (struct slice){code->text, code->len};
}

#endif
