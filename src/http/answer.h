/*
 * What an outcome looks like on the wire: the header of a CGI answer (RFC 3875
 * section 6) and a JSON body.
 *
 * Every answer has a Content-Length: without it, Logplex takes the batch for
 * lost and sends it again.
 */
#ifndef HTTP_ANSWER_H
#define HTTP_ANSWER_H

#include <time.h>

#include "http/handler.h"

/*
 * Writes an answer.  The tally is that of a 201; now is the time that a ping
 * reports.  A HEAD gets no body.
 */
void answer_put(struct buf *answer, const struct request *request,
    const struct tally *tally, const struct outcome *outcome,
    struct timespec now);

#endif
