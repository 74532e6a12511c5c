/*
 * FastCGI: requests on a listening socket that is descriptor 0. peer.h reads
 * them; libfcgi turns their parameters into variables and writes the answers.
 */
#ifndef SERVE_FCGI_H
#define SERVE_FCGI_H

#include "serve/exchange.h"

/* Whether descriptor 0 is a listening socket. */
bool fcgi_is_responder(void);

/*
 * A sentence about who could send requests besides the web server, as far as
 * descriptor 0 shows; NULL if no one.  It matters with AUTH=remote-user, where
 * the user named in a request is trusted.
 */
const char *fcgi_exposure(void);

/*
 * Answers requests until SIGTERM, SIGINT or SIGUSR1, then finishes, within
 * REQUEST_TIMEOUT_MS, the connections that were accepted or wait in the
 * socket's queue.  A signal that was blocked when the program started stays
 * blocked.  False if the socket or libfcgi fails.
 */
bool fcgi_serve(struct service *service);

#endif
