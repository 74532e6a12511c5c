/*
 * Classic CGI, RFC 3875: one request on standard input and output, described
 * by the environment.
 */
#ifndef SERVE_CGI_H
#define SERVE_CGI_H

#include "serve/exchange.h"

/*
 * Whether a web server started this process as CGI: it sets GATEWAY_INTERFACE,
 * or, where it leaves that out, REQUEST_METHOD.
 */
bool cgi_is_request(void);

/*
 * Serves one request.  Without a service, because the configuration has faults,
 * the answer is 500.
 */
void cgi_serve(struct service *service, char *const *environment);

#endif
