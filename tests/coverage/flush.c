/*
 * Linked into what coverage is measured of: bin/listener is stopped by a signal
 * and would lose what it has counted.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

void __gcov_dump(void);

static void
dump(int signal)
{
	(void)signal;
	__gcov_dump();
	_exit(0);
}

__attribute__((constructor)) static void
prepare(void)
{
	if (strcmp(program_invocation_short_name, "listener") == 0) {
		signal(SIGTERM, dump);
		signal(SIGINT, dump);
	}
}
