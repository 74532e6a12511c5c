#include "heroku/marks.h"

#include "support.h"

static bool
is_mark(unsigned char c)
{
	return c <= '"' || c == '=' || c == '\\';
}

/* Passes every mark; they are where the bytes themselves say. */
static void
assert_marks(struct slice text)
{
	struct marks marks = marks_of(text);

	for (size_t i = 0; i < text.len; i++) {
		if (!is_mark((unsigned char)text.ptr[i]))
			continue;
		assert_int_equal(marks_next(&marks), i);
		marks_pass(&marks);
	}
	assert_int_equal(marks_next(&marks), text.len);
}

static void
every_byte_is_a_mark_or_not(void **state)
{
	char bytes[256];

	(void)state;
	for (int c = 0; c < 256; c++)
		bytes[c] = (char)c;
	for (size_t from = 0; from < 256; from++) {
		struct slice text =
		    guarded((struct slice){bytes + from, 256 - from});

		assert_marks(text);
		guarded_free(text);
	}
}

static void
a_mark_is_found_at_every_place(void **state)
{
	char bytes[200];

	(void)state;
	for (size_t len = 0; len < sizeof(bytes); len++)
		for (size_t place = 0; place <= len; place++) {
			struct slice text;

			memset(bytes, 'x', sizeof(bytes));
			if (place < len)
				bytes[place] = '=';
			text = guarded((struct slice){bytes, len});
			assert_marks(text);
			guarded_free(text);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_byte_is_a_mark_or_not),
	    cmocka_unit_test(a_mark_is_found_at_every_place),
	};

	return cmocka_run_group_tests_name("marks", tests, NULL, NULL);
}
