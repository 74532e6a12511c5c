#include "metric/zeros.h"

#include "base/buf.h"
#include "support.h"

static struct zeros zeros;

static int
reset(void **state)
{
	(void)state;
	memset(&zeros, 0, sizeof(zeros));
	return 0;
}

static void
are_due_at_first_and_then_once_a_minute(void **state)
{
	int64_t now = 5;

	(void)state;
	assert_true(zeros_take(&zeros, SLICE("heaven"), now));
	assert_false(zeros_take(&zeros, SLICE("heaven"), now));
	assert_true(zeros_take(&zeros, SLICE("other"), now));
	now += ZEROS_INTERVAL_MS - 1;
	assert_false(zeros_take(&zeros, SLICE("heaven"), now));
	assert_true(zeros_take(&zeros, SLICE("heaven"), now + 1));
	assert_false(zeros_take(&zeros, SLICE("heaven"), now + 2));
}

/* How many of the first applications are due again. */
static unsigned
due_again(unsigned applications, int64_t now)
{
	unsigned due = 0;

	for (unsigned i = 0; i < applications; i++) {
		char bytes[16];
		struct buf name = BUF_IN(bytes);

		buf_put_number(&name, i);
		due += zeros_take(&zeros, buf_slice(&name), now);
	}
	return due;
}

static void
are_remembered_of_many_applications_and_of_the_latest_of_too_many(void **state)
{
	(void)state;
	assert_int_equal(due_again(100, 1), 100);
	assert_int_equal(due_again(100, 2), 0);
	reset(state);
	assert_int_equal(due_again(4 * ZEROS_APPS_MAX, 1), 4 * ZEROS_APPS_MAX);
	/* The first are forgotten, as each set keeps its latest. */
	assert_in_range(due_again(100, 2), 90, 100);
	assert_int_equal(due_again(100, 3), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(
		are_due_at_first_and_then_once_a_minute, reset),
	    cmocka_unit_test_setup(
		are_remembered_of_many_applications_and_of_the_latest_of_too_many,
		reset),
	};

	return cmocka_run_group_tests_name("zeros", tests, NULL, NULL);
}
