/*
 * What the fuzz targets share.  Each is a program of libFuzzer's, built with
 * address and undefined behaviour sanitizers; what it asserts beside them
 * stands in its own file.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "config/config.h"
#include "base/slice.h"
#include "metric/tally.h"

/* What libFuzzer calls. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * A copy on the heap, exactly as long as s: one byte read beyond it is an
 * error.  Lives until fuzz_release.
 */
struct slice fuzz_copy(struct slice s);

/* As fuzz_copy, and NUL-terminated, as variables of the environment are. */
char *fuzz_string(struct slice s);

void fuzz_release(void);

/* Takes a line off the input; what is missing is empty. */
struct slice fuzz_line(struct slice *input);

/*
 * Takes lines up to an empty one off the input: a NULL-terminated array of
 * copies, at most 63 of them.  Overwritten by the next call.
 */
char **fuzz_variables(struct slice *input);

/* Whether a variable's name starts with this one. */
bool fuzz_has(char *const *variables, const char *name);

bool fuzz_contains(struct slice haystack, struct slice needle);

/* Whether all bytes are printable ASCII or LF. */
bool fuzz_is_lines(struct slice text);

/*
 * Makes a configuration as good as zeroed, at less cost than clearing room
 * for 4,096 applications each time.
 */
void fuzz_config_reset(struct config *config);

/* Asserts that a tally agrees with itself, and that its errors are codes. */
void fuzz_check_tally(const struct tally *tally);

/* [A-Za-z0-9_-]{1,64} */
bool fuzz_is_app(struct slice s);

#endif
