/*
 * A collector's URI, valid or not, with its secrets removed.
 */
#ifndef STATSD_REDACT_H
#define STATSD_REDACT_H

#include "base/slice.h"
#include "base/buf.h"

/*
 * Writes the URI with *** for everything that is, or could be, a key: all text
 * before an @ or, if there is none, text in the place of a port that is not a
 * port; anything in the query that is not an option; and the fragment.
 */
void redact_uri(struct buf *t, struct slice uri);

#endif
