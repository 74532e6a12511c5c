/*
 * The plain form, byte by byte, of what src/ does in a faster one: what the
 * fast form is compared with, and the bound that benchmarks take.
 */
#ifndef PLAIN_H
#define PLAIN_H

#include "heroku/logfmt.h"

/* As logfmt_next; the line moves past the pair. */
bool plain_logfmt_next(struct slice *line, struct logfmt_pair *pair);

#endif
