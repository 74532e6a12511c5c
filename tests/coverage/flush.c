/*
 * Linked into the programs whose coverage is measured: what ends without exit
 * would lose its counts.  A signal stops bin/listener, and _exit other parts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void __gcov_dump(void);

_Noreturn void
_exit(int status)
{
	__gcov_dump();
	for (;;)
		syscall(SYS_exit_group, status);
}

static void
dump(int signal)
{
	(void)signal;
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
