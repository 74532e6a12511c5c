/*
 * What starting the program costs: the whole process, from spawning it to its
 * end, beside a program that prints a constant answer.
 *
 *	start PROGRAM DEPLOYED CONSTANT BODY [seconds of a round]
 *
 * PROGRAM, and the same as it is deployed, run as classic CGI, in this
 * program's environment with BODY (a file) as the request's, and with
 * --version.
 */
#define _GNU_SOURCE /* environ */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

struct command {
	char *argv[3];
	char *const *environment;
	const char *body;
};

/* Runs it once; its output goes nowhere. */
static void
run(const void *command)
{
	const struct command *c = command;
	posix_spawn_file_actions_t files;
	pid_t pid;
	int status;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, c->body, O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	if (posix_spawn(
		&pid, c->argv[0], &files, NULL, c->argv, c->environment) != 0)
		measure_fail("%s does not start", c->argv[0]);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		measure_fail("%s ended with %d", c->argv[0], status);
	posix_spawn_file_actions_destroy(&files);
}

static void
print(const struct measured *m, const struct measured *constant)
{
	printf("| %s | %.0f | %.2f |\n", m->name, measure_median(m) * 1e6,
	    measure_ratio(m, constant));
}

int
main(int argc, char **argv)
{
	static char option[] = "--version", *none[] = {NULL};

	if (argc < 5)
		measure_fail("usage: start PROGRAM DEPLOYED CONSTANT BODY "
			     "[SECONDS]");

	const char *body = argv[4];
	const struct command constant = {{argv[3]}, environ, body};
	const struct command cgi = {{argv[1]}, environ, body};
	const struct command deployed_cgi = {{argv[2]}, environ, body};
	const struct command version = {{argv[1], option}, none, body};
	const struct command deployed_version = {{argv[2], option}, none, body};
	double seconds = argc > 5 ? strtod(argv[5], NULL) : 0.2;
	struct measured m[] = {
	    {"a constant answer, in C", run, &constant, {0}},
	    {"one request as classic CGI", run, &cgi, {0}},
	    {"the same, linked as deployed", run, &deployed_cgi, {0}},
	    {"--version", run, &version, {0}},
	    {"the same, linked as deployed", run, &deployed_version, {0}},
	};
	size_t count = sizeof(m) / sizeof(m[0]);

	measure_in_turns(m, count, seconds);
	puts("Starting, a whole process, in CPU time. Deployed, libfcgi is "
	     "linked statically.\n\n"
	     "| | us | times the constant program |\n|-|-|-|");
	for (size_t i = 0; i < count; i++)
		print(&m[i], &m[0]);
}
