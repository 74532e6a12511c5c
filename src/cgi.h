/*
 * Classic CGI, RFC 3875: one request on standard input and output, described
 * by the environment.
 */
#ifndef CGI_H
#define CGI_H

#include "exchange.h"

/* Whether a web server started this process as CGI. */
bool cgi_is_request(void);

/* Without a service, as its configuration has faults, it answers 500. */
void cgi_serve(struct service *service, char *const *environment);

#endif
