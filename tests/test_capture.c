#include "serve/capture.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "support.h"

static char folder[] = "/tmp/test-capture-XXXXXX";
static char file[64];

static int
make_folder(void **state)
{
	struct buf path = BUF_IN(file);

	(void)state;
	assert_non_null(mkdtemp(folder));
	buf_put_string(&path, folder);
	buf_put(&path, SLICE("/body"));
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	unlink(file);
	return rmdir(folder);
}

static void
keep(const char *body)
{
	capture_keep(slice_of(file), SLICE("heaven"), slice_of(body));
}

static void
assert_file(const char *body)
{
	char buf[64] = "";
	struct stat st;
	int fd = open(file, O_RDONLY | O_NOFOLLOW);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(read(fd, buf, sizeof(buf)), strlen(body));
	assert_string_equal(buf, body);
	close(fd);
}

static void
keeps_the_last_body(void **state)
{
	(void)state;
	keep("a longer first one");
	assert_file("a longer first one");
	keep("second");
	assert_file("second");
	keep("");
	assert_file("");
}

static void
replaces_a_link_instead_of_following_it(void **state)
{
	(void)state;
	unlink(file);
	assert_int_equal(symlink("/dev/full", file), 0);
	keep("body");
	assert_file("body");
}

static void
replaces_what_a_killed_process_has_left(void **state)
{
	char left[sizeof(file) + sizeof(".new")];
	int fd;

	(void)state;
	snprintf(left, sizeof(left), "%s.new", file);
	fd = open(left, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	close(fd);
	keep("after a kill");
	assert_file("after a kill");
}

static void
leaves_nothing_of_what_cannot_be_written(void **state)
{
	struct rlimit before, small = {2, RLIM_INFINITY};

	(void)state;
	keep("old");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	keep("too long");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_file("old");
	/* remove_folder fails if there is anything else. */
}

static void
goes_on_without_a_folder(void **state)
{
	(void)state;
	capture_keep(SLICE("/nonexistent/body"), SLICE("heaven"), SLICE("x"));
	assert_int_equal(access("/nonexistent", F_OK), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keeps_the_last_body),
	    cmocka_unit_test(replaces_a_link_instead_of_following_it),
	    cmocka_unit_test(replaces_what_a_killed_process_has_left),
	    cmocka_unit_test(leaves_nothing_of_what_cannot_be_written),
	    cmocka_unit_test(goes_on_without_a_folder),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
