/*
 * A collector's URI that may be faulty, fit to be shown.
 */
#ifndef STATSD_REDACT_H
#define STATSD_REDACT_H

#include "base/slice.h"
#include "base/buf.h"

/*
 * Writes the URI with *** for what is, or could be, a key: all before an @, or,
 * where there is none, what stands in a port's place and is no port; what is no
 * option in the query; and the fragment.
 */
void redact_uri(struct buf *t, struct slice uri);

#endif
