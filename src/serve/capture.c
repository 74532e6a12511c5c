#include "serve/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "bounds.h"

static bool
write_all(int fd, struct slice s)
{
	while (s.len > 0) {
		ssize_t n = write(fd, s.ptr, s.len);

		if (n >= 0)
			s = slice_after(s, (size_t)n);
		else if (errno != EINTR)
			return false;
	}
	return true;
}

/* O_EXCL: never into what somebody else has put there. */
static bool
write_new(const char *name, struct slice body)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY,
	    S_IRUSR | S_IWUSR);
	bool written;
	int error;

	if (fd < 0)
		return false;
	written = write_all(fd, body);
	error = errno;
	close(fd);
	errno = error;
	return written;
}

static void
log_captured(struct slice path, struct slice app, size_t bytes)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, "captured");
	log_word(&line, "app", app);
	log_number(&line, "bytes", bytes);
	log_quoted(&line, "file", path);
	log_end(&line);
}

static void
log_failure(struct slice path, int error)
{
	struct log_line line;

	log_begin(&line, LOG_WARNING, "capture-failed");
	log_quoted(&line, "file", path);
	log_quoted(&line, "reason", slice_of(strerror(error)));
	log_end(&line);
}

void
capture_keep(struct slice path, struct slice app, struct slice body)
{
	char name[FILE_PATH_MAX + 1] = {0};
	char new_name[FILE_PATH_MAX + sizeof(".new")] = {0};

	/* Exceeding a limit on file size is an error like any other. */
	signal(SIGXFSZ, SIG_IGN);
	memcpy(name, path.ptr, path.len);
	memcpy(new_name, path.ptr, path.len);
	memcpy(new_name + path.len, ".new", sizeof(".new"));
	unlink(new_name); /* of a process that was killed */
	if (write_new(new_name, body) && rename(new_name, name) == 0) {
		log_captured(path, app, body.len);
		return;
	}
	log_failure(path, errno);
	unlink(new_name);
}
