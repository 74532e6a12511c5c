/*
 * What starting the program costs: the whole process, from spawning it to its
 * end, beside a program that prints a constant answer.
 *
 *	start PROGRAM DEPLOYED CONSTANT BODY SECONDS [NAME=VALUE...]
 *
 * PROGRAM, and the same as it is deployed, run as classic CGI, in this
 * program's environment with BODY (a file) as the request's, and with
 * --version; and once more with the variables added, for the fullest
 * configuration.  SECONDS are of a round.
 */
#define _GNU_SOURCE /* environ */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

enum { VARIABLES_MAX = 100 };

struct command {
	const char *name;
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
print(
    const char *name, const struct measured *m, const struct measured *constant)
{
	printf("| %s | %.0f |", name, measure_median(m) * 1e6);
	if (m == constant)
		printf(" 1 |");
	else
		measure_print_spread(measure_ratio(m, constant));
	puts("");
}

/* This program's environment, and more variables after it. */
static char **
fuller(char **more)
{
	static char *environment[VARIABLES_MAX + 1];
	size_t n = 0;

	for (char **v = environ; *v != NULL && n < VARIABLES_MAX; v++)
		environment[n++] = *v;
	for (; *more != NULL && n < VARIABLES_MAX; more++)
		environment[n++] = *more;
	return environment;
}

int
main(int argc, char **argv)
{
	static char option[] = "--version", *none[] = {NULL};

	if (argc < 6)
		measure_fail("usage: start PROGRAM DEPLOYED CONSTANT BODY "
			     "SECONDS [NAME=VALUE...]");

	char *program = argv[1], *deployed = argv[2], *body = argv[4];
	const struct command commands[] = {
	    {"a constant answer, in C", {argv[3]}, environ, body},
	    {"one request as classic CGI", {deployed}, environ, body},
	    {"the same, with all families and FRAMES_FILE", {deployed},
		fuller(argv + 6), body},
	    {"`--version`", {deployed, option}, none, body},
	    {"one request, with a shared libfcgi", {program}, environ, body},
	};
	enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };
	struct measured m[COMMANDS];

	for (size_t i = 0; i < COMMANDS; i++)
		m[i] = (struct measured){run, &commands[i], {0}};
	measure_in_turns(m, COMMANDS, strtod(argv[5], NULL));
	measure_table("start", "| | us | times the constant program |");
	for (size_t i = 0; i < COMMANDS; i++)
		print(commands[i].name, &m[i], &m[0]);
}
