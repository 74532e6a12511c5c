#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "support.h"

#include <sys/mman.h>
#include <unistd.h>

/* Pages that hold len bytes and one page more. */
static size_t
pages_for(size_t len, size_t page)
{
	return (len + page - 1) / page * page + page;
}

struct slice
guarded(struct slice s)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = pages_for(s.len, page);
	char *area = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *start;

	assert_true(area != MAP_FAILED);
	assert_int_equal(mprotect(area + size - page, page, PROT_NONE), 0);
	start = area + size - page - s.len;
	if (s.len > 0)
		memcpy(start, s.ptr, s.len);
	return (struct slice){start, s.len};
}

void
guarded_free(struct slice s)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = pages_for(s.len, page);
	uintptr_t area = (uintptr_t)s.ptr + s.len + page - size;

	munmap((void *)area, size);
}

struct slice
fixture(const char *name)
{
	char path[512];
	FILE *file;
	char *bytes;
	size_t len;

	snprintf(path, sizeof(path), "tests/fixtures/%s", name);
	file = fopen(path, "rb");
	if (file == NULL)
		fail_msg("cannot open %s", path);
	fseek(file, 0, SEEK_END);
	len = (size_t)ftell(file);
	rewind(file);
	bytes = malloc(len + 1);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, len, file), len);
	bytes[len] = '\0';
	fclose(file);
	return (struct slice){bytes, len};
}

void
assert_slice(struct slice got, struct slice want, const char *why)
{
	if (!slice_equal(got, want))
		fail_msg("%s: got \"%.*s\", want \"%.*s\"", why, SLICE_ARG(got),
		    SLICE_ARG(want));
}

const char *
stderr_of(void (*action)(void))
{
	static char buf[8192];
	FILE *file = tmpfile();
	int kept = dup(STDERR_FILENO);
	size_t len;

	assert_true(file != NULL && kept >= 0);
	fflush(stderr);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	action();
	fflush(stderr);
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	close(kept);
	rewind(file);
	len = fread(buf, 1, sizeof(buf) - 1, file);
	buf[len] = '\0';
	fclose(file);
	return buf;
}
