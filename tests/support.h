/*
 * What the unit tests share.
 */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/slice.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * A copy of s that ends where an unreadable page begins: reading one byte past
 * it ends the test.  Released by guarded_free.
 */
struct slice guarded(struct slice s);
void guarded_free(struct slice s);

/* The bytes of a file below tests/fixtures; the caller frees ptr. */
struct slice fixture(const char *name);

/* Fails, naming the case, unless the two are equal. */
void assert_slice(struct slice got, struct slice want, const char *why);

#define assert_text(got, want, why) assert_slice((got), slice_of(want), (why))

/* What the action writes to standard error, as a string, until the next call.
 */
const char *stderr_of(void (*action)(void));

/* For tables: fails with the case's own description. */
#define assert_case(condition, why)                                            \
	do {                                                                   \
		if (!(condition))                                              \
			fail_msg("%s: %s", (why), #condition);                 \
	} while (0)

#endif
