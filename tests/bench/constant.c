/*
 * The least that a CGI program in C can do: print an answer that never
 * changes.
 */
#include <stdio.h>

int
main(void)
{
	fputs("Status: 201 Created\r\n"
	      "Content-Type: application/json\r\n"
	      "Content-Length: 39\r\n\r\n"
	      "{\"messages\":10,\"errors\":1,\"skipped\":0}\n",
	    stdout);
}
