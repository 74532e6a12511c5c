/*
 * FastCGI: requests on a listening socket that is descriptor 0.  peer.h reads
 * them; libfcgi makes variables of their parameters and writes the answers.
 */
#ifndef SERVE_FCGI_H
#define SERVE_FCGI_H

#include "serve/exchange.h"

/* Whether descriptor 0 is a listening socket. */
bool fcgi_is_responder(void);

/*
 * Who else than the web server could send requests, as far as descriptor 0
 * tells: a sentence, or NULL.  With AUTH=remote-user a request is believed.
 */
const char *fcgi_exposure(void);

/*
 * Answers requests until SIGTERM, SIGINT or SIGUSR1, finishing what has been
 * accepted or waits in the socket's queue, as far as REQUEST_TIMEOUT_MS go; a
 * signal that was blocked when the program started stays so.  False if the
 * socket or libfcgi fails.
 */
bool fcgi_serve(struct service *service);

#endif
