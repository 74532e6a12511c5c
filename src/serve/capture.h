/*
 * CAPTURE: the last body that was refused for its framing, for --explain.
 */
#ifndef SERVE_CAPTURE_H
#define SERVE_CAPTURE_H

#include "base/slice.h"

/*
 * Replaces the file, whose path is at most FILE_PATH_MAX bytes, by one that has
 * this body and mode 0600.  Readers see the old one or the new one, and a link
 * is replaced, not followed.  Logs what it did, or why it could not; app is for
 * the log alone.
 */
void capture_keep(struct slice path, struct slice app, struct slice body);

#endif
