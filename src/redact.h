/*
 * A collector's URI that may be faulty, fit to be shown.
 */
#ifndef REDACT_H
#define REDACT_H

#include "slice.h"
#include "text.h"

/*
 * Writes the URI with *** for what is, or could be, a key: all before an @,
 * and, where there is none, what stands in a port's place and is no port.
 */
void redact_uri(struct text *t, struct slice uri);

#endif
