#include "serve/record.h"

#include "support.h"

/* Records as they are sent: id 1, no padding, version 1. */
#define BEGIN "\1\1\0\1\0\x8\0\0\0\1\0\0\0\0\0\0"
#define PARAMS(length) "\1\4\0\1\0" length "\0\0"
#define END PARAMS("\0")
#define PAIR "\1\2Nvv"

static enum opening_state
read_guarded(struct slice bytes, struct opening *opening)
{
	struct slice g = guarded(bytes);
	enum opening_state state = opening_read(g, opening);

	guarded_free(g);
	return state;
}

static void
an_opening_is_whole_with_its_last_byte(void **state)
{
	const struct {
		const char *why;
		struct slice in;
		unsigned request;
	} cases[] = {
	    {"no parameters", SLICE(BEGIN END), 1},
	    {"one", SLICE(BEGIN PARAMS("\5") PAIR END), 1},
	    {"two in a record", SLICE(BEGIN PARAMS("\xa") PAIR PAIR END), 1},
	    {"a record each",
		SLICE(BEGIN PARAMS("\5") PAIR PARAMS("\5") PAIR END), 1},
	    {"split within a length",
		SLICE(BEGIN PARAMS("\1") "\1" PARAMS("\4") "\2Nvv" END), 1},
	    {"split within a value",
		SLICE(BEGIN PARAMS("\4") "\1\2Nv" PARAMS("\1") "v" END), 1},
	    {"split within a long length",
		SLICE(BEGIN PARAMS("\3") "\x80\0\0" PARAMS("\5") "\1\2Nvv" END),
		1},
	    {"long lengths",
		SLICE(BEGIN PARAMS("\xb") "\x80\0\0\1\x80\0\0\2Nvv" END), 1},
	    {"an empty pair", SLICE(BEGIN PARAMS("\2") "\0\0" END), 1},
	    {"padded parameters",
		SLICE(BEGIN "\1\4\0\1\0\5\3\0" PAIR "\1\4\0" END), 1},
	    {"another id",
		SLICE("\1\1\xff\xfe\0\x8\0\0\0\1\1\0\0\0\0\0"
		      "\1\4\xff\xfe\0\0\0\0"),
		0xfffe},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice in = cases[i].in;
		struct opening opening;

		assert_case(
		    read_guarded(in, &opening) == OPENING_WHOLE, cases[i].why);
		assert_case(opening.len == in.len, cases[i].why);
		assert_case(opening.request == cases[i].request, cases[i].why);
		for (size_t n = 0; n < in.len; n++)
			assert_case(read_guarded(slice_head(in, n), &opening) ==
				OPENING_PARTIAL,
			    cases[i].why);
	}
}

static void
what_follows_an_opening_is_no_part_of_it(void **state)
{
	struct opening opening;

	(void)state;
	assert_int_equal(
	    read_guarded(SLICE(BEGIN END "\7\7"), &opening), OPENING_WHOLE);
	assert_int_equal(opening.len, sizeof(BEGIN END) - 1);
}

static void
what_can_be_no_opening_is_refused(void **state)
{
	const struct {
		const char *why, *reason;
		struct slice in;
	} cases[] = {
	    {"HTTP", "version 1", SLICE("GET / HTTP/1.0\r\n\r\n")},
	    {"version 2", "version 1", SLICE("\2")},
	    {"version 0", "version 1", SLICE("\0")},
	    {"version 2 later", "version 1", SLICE(BEGIN "\2")},
	    {"a management record", "a responder", SLICE("\1\x9\0\0\0\0\0\0")},
	    {"an unknown one", "a responder", SLICE("\1\x2a\0\0\0\0\0\0")},
	    {"an abort", "a responder", SLICE("\1\2\0\1\0\0\0\0")},
	    {"parameters first", "a responder", SLICE(END)},
	    {"id 0", "a responder", SLICE("\1\1\0\0\0\x8\0\0\0\1\0\0\0\0\0\0")},
	    {"an authorizer", "a responder",
		SLICE("\1\1\0\1\0\x8\0\0\0\2\0\0\0\0\0\0")},
	    {"role 257", "a responder",
		SLICE("\1\1\0\1\0\x8\0\0\1\1\0\0\0\0\0\0")},
	    {"a short beginning", "a responder",
		SLICE("\1\1\0\1\0\7\0\0\0\1\0\0\0\0\0")},
	    {"a long beginning", "a responder",
		SLICE("\1\1\0\1\0\x9\0\0\0\1\0\0\0\0\0\0\0")},
	    {"a padded beginning", "a responder",
		SLICE("\1\1\0\1\0\x8\1\0\0\1\0\0\0\0\0\0\0")},
	    {"a second beginning", "among the parameters", SLICE(BEGIN BEGIN)},
	    {"an abort among the parameters", "among the parameters",
		SLICE(BEGIN "\1\2\0\1\0\0\0\0")},
	    {"a body among the parameters", "among the parameters",
		SLICE(BEGIN "\1\5\0\1\0\0\0\0")},
	    {"a question among the parameters", "among the parameters",
		SLICE(BEGIN "\1\x9\0\0\0\0\0\0")},
	    {"another request's parameters", "among the parameters",
		SLICE(BEGIN "\1\4\0\2\0\0\0\0")},
	    {"a padded end", "has padding", SLICE(BEGIN "\1\4\0\1\0\0\1\0\0")},
	    {"a name without a length", "longer than",
		SLICE(BEGIN PARAMS("\1") "\1" END)},
	    {"a value that is cut", "longer than",
		SLICE(BEGIN PARAMS("\4") "\1\2Nv" END)},
	    {"a name longer than all", "longer than",
		SLICE(BEGIN PARAMS("\6") "\xff\xff\xff\xff\0N" END)},
	    {"a length that is cut", "longer than",
		SLICE(BEGIN PARAMS("\2") "\x80\0" END)},
	    {"a second pair that is cut", "longer than",
		SLICE(BEGIN PARAMS("\6") PAIR "\1" END)},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct opening opening;

		assert_case(
		    read_guarded(cases[i].in, &opening) == OPENING_REFUSED,
		    cases[i].why);
		assert_case(strstr(opening.reason, cases[i].reason) != NULL,
		    cases[i].why);
	}
}

static void
a_header_is_taken_or_left(void **state)
{
	static const char header[] = "\1\xff\xab\xcd\x12\x34\xfe\x77rest";
	struct record record;

	(void)state;
	for (size_t n = 0; n <= sizeof(header) - 1; n++) {
		struct slice g = guarded((struct slice){header, n}), rest = g;
		bool taken = record_take_header(&rest, &record);

		assert_int_equal(taken, n >= RECORD_HEADER_LEN);
		assert_int_equal(rest.len, taken ? n - RECORD_HEADER_LEN : n);
		guarded_free(g);
	}
	assert_int_equal(record.type, 0xff);
	assert_int_equal(record.request, 0xabcd);
	assert_int_equal(record.content, 0x1234);
	assert_int_equal(record.padding, 0xfe);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_opening_is_whole_with_its_last_byte),
	    cmocka_unit_test(what_follows_an_opening_is_no_part_of_it),
	    cmocka_unit_test(what_can_be_no_opening_is_refused),
	    cmocka_unit_test(a_header_is_taken_or_left),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
