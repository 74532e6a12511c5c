/*
 * A batch that has been judged: what it counts goes to the collectors, once,
 * however often it comes.
 */
#ifndef SERVE_DELIVER_H
#define SERVE_DELIVER_H

#include "http/handler.h"
#include "http/request.h"
#include "serve/exchange.h"

/*
 * Sends what the service's tally holds.  A batch that was counted before is a
 * duplicate, of which nothing is sent; one whose process died while sending is
 * gone on with.  A duplicate may have a new L10 in front, which alone counts.
 *
 * The outcome, 201 before, says so, or becomes a 503 if another process has
 * had the same batch for too long or the client has hung up, or a 500 if a
 * collector's name does not exist; then nothing was sent.
 */
void deliver(struct service *service, const struct request *request,
    const struct transport *transport, struct outcome *outcome);

/* Sends what the service's tally holds of a batch that is refused. */
void deliver_refusal(struct service *service, const struct outcome *outcome);

#endif
