/*
 * Delivery of a batch that has been judged: its counters go to the collectors
 * once, however often the batch comes.
 */
#ifndef SERVE_DELIVER_H
#define SERVE_DELIVER_H

#include "http/handler.h"
#include "http/request.h"
#include "serve/exchange.h"

/*
 * Sends what the service's tally holds.  Nothing is sent for a batch that was
 * counted before, a duplicate, except that a new L10 at its front counts.  A
 * batch whose process died while sending it is continued.
 *
 * The outcome is a 201 when this is called.  A duplicate is noted in it.  It
 * becomes a 503 if another process has held the same batch for too long or the
 * client has hung up, or a 500 if nothing can be sent to any collector; then
 * nothing was sent.
 */
void deliver(struct service *service, const struct request *request,
    const struct transport *transport, struct outcome *outcome);

/* Sends what the service's tally holds for a batch that is refused. */
void deliver_refusal(struct service *service, const struct outcome *outcome);

#endif
