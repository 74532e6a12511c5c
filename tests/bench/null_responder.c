/*
 * The least that a FastCGI responder can do over libfcgi: read a body to its
 * end, answer 201 and nothing else, and close the connection without waiting
 * for the web server, as logplex-statsd does.
 */
#include <fcgiapp.h>
#include <stddef.h>

#include "bounds.h"

static const char answer[] = "Status: 201 Created\r\n"
			     "Content-Type: application/json\r\n"
			     "Content-Length: 38\r\n\r\n"
			     "{\"messages\":10,\"errors\":1,\"skipped\":0}";

int
main(void)
{
	static char body[BODY_MAX];
	FCGX_Request request;

	if (FCGX_Init() != 0 || FCGX_InitRequest(&request, 0, 0) != 0)
		return 1;
	while (FCGX_Accept_r(&request) == 0) {
		FCGX_GetStr(body, sizeof(body), request.in);
		FCGX_PutStr(answer, sizeof(answer) - 1, request.out);
		FCGX_Detach(&request);
		FCGX_Finish_r(&request);
	}
}
