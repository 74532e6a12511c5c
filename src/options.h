/*
 * The command line.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

enum exit_status { EXIT_OK, EXIT_FAULT, EXIT_USAGE };

/* How the program was started. */
enum options_mode {
	MODE_UNKNOWN,
	MODE_CHECK,
	MODE_EXPLAIN,
	MODE_RESPONDER, /* by a web server, as FastCGI */
	MODE_CGI        /* by a web server, as classic CGI */
};

struct options {
	enum options_mode mode;
	bool no_send, for_start, strict; /* of MODE_CHECK */
	const char *app;                 /* a possible name */
	const char *file;                /* NULL: standard input */
};

/*
 * Reads the arguments into *options, which must hold the defaults.  Returns -1
 * to go on, or the status to exit with, after printing what there is to say.
 */
int options_read(int argc, char **argv, struct options *options);

/* Prints the usage: the short form of the manual page. */
void options_print_usage(FILE *out);

#endif
