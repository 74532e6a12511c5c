#include "logplex/syslog_msg.h"

#include "base/buf.h"
#include "support.h"

static void
splits_a_header_at_single_spaces(void **state)
{
	struct syslog_msg m;

	(void)state;
	assert_true(syslog_msg_parse(
	    SLICE("<158>1 2022-06-13T14:52:23Z host heroku router - at=info x"),
	    &m));
	assert_text(m.app_name, "heroku", "APP-NAME");
	assert_text(m.procid, "router", "PROCID");
	assert_text(m.msg, "at=info x", "MSG");
}

static void
reads_or_refuses_a_header(void **state)
{
	static const struct {
		const char *why, *in, *msg; /* NULL: cannot be read */
	} cases[] = {
	    {"PRI of one digit", "<1>1 t h a p m x", "x"},
	    {"PRI of three digits", "<191>1 t h a p m x", "x"},
	    {"PRI of four digits", "<1000>1 t h a p m x", NULL},
	    {"PRI empty", "<>1 t h a p m x", NULL},
	    {"PRI a letter", "<a>1 t h a p m x", NULL},
	    {"PRI not closed", "<10 1 t h a p m x", NULL},
	    {"PRI missing", "1 t h a p m x", NULL},
	    {"VERSION of three digits", "<1>123 t h a p m x", "x"},
	    {"VERSION of four digits", "<1>1234 t h a p m x", NULL},
	    {"VERSION zero", "<1>0 t h a p m x", NULL},
	    {"VERSION with a leading zero", "<1>01 t h a p m x", NULL},
	    {"VERSION missing", "<1> t h a p m x", NULL},
	    {"VERSION glued", "<1>1x t h a p m x", NULL},
	    {"two spaces", "<1>1 t  h a p m x", NULL},
	    {"a space in front", "<1>1  t h a p m x", NULL},
	    {"any time stamp", "<1>1 yesterday h a p m x", "x"},
	    {"any bytes in a field", "<1>1 \n\xff h\t a p m x", "x"},
	    {"empty MSG", "<1>1 t h a p m ", ""},
	    {"no space behind MSGID", "<1>1 t h a p m", ""},
	    {"MSG starts with a space", "<1>1 t h a p m  x", " x"},
	    {"MSGID empty", "<1>1 t h a p  x", NULL},
	    {"MSGID missing", "<1>1 t h a p ", NULL},
	    {"PROCID is the last", "<1>1 t h a p", NULL},
	    {"nothing", "", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice in = guarded(slice_of(cases[i].in));
		struct syslog_msg m;
		bool read = syslog_msg_parse(in, &m);

		assert_case(read == (cases[i].msg != NULL), cases[i].why);
		if (read)
			assert_text(m.msg, cases[i].msg, cases[i].why);
		guarded_free(in);
	}
}

/* RFC 5424 limits the length of each; senders exceed the limits. */
static void
no_field_is_too_long(void **state)
{
	static const char *const around[][2] = {
	    {"<1>1 ", " h a p m x"},
	    {"<1>1 t ", " a p m x"},
	    {"<1>1 t h ", " p m x"},
	    {"<1>1 t h a ", " m x"},
	    {"<1>1 t h a p ", " x"},
	};
	char field[1001] = {0}, message[1100];

	(void)state;
	memset(field, 'f', sizeof(field) - 1);
	for (size_t i = 0; i < COUNT(around); i++) {
		struct syslog_msg m;

		snprintf(message, sizeof(message), "%s%s%s", around[i][0],
		    field, around[i][1]);
		assert_true(syslog_msg_parse(slice_of(message), &m));
		assert_text(m.msg, "x", around[i][0]);
		assert_text(m.app_name, i == 2 ? field : "a", around[i][0]);
		assert_text(m.procid, i == 3 ? field : "p", around[i][0]);
	}
}

/* All but the space that ends it. */
static void
a_field_may_hold_any_byte(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		char message[] = "<1>1 t h a.b p m x";
		struct syslog_msg m;

		message[10] = (char)c;
		assert_true(syslog_msg_parse(
		    (struct slice){message, sizeof(message) - 1}, &m));
		assert_int_equal(m.app_name.len, c == ' ' ? 1 : 3);
	}
}

/* "<1>1 t hhh a p m " with one of its fields empty; none if it is FIELDS. */
enum { FIELDS = 5 };

static void
put_header(struct buf *t, size_t host, int empty)
{
	static const char *const fields[FIELDS] = {"t", NULL, "a", "p", "m"};

	buf_put(t, SLICE("<1>1 "));
	for (int i = 0; i < FIELDS; i++) {
		if (i != empty && fields[i] != NULL)
			buf_put_string(t, fields[i]);
		for (size_t n = 0; i != empty && fields[i] == NULL && n < host;
		     n++)
			buf_put(t, SLICE("h"));
		buf_put(t, SLICE(" "));
	}
}

/* Fields are found in a block of 64 bytes, if the message has so many. */
static void
a_header_is_the_same_before_any_text(void **state)
{
	char bytes[400];

	(void)state;
	for (size_t host = 1; host < 100; host++)
		for (int empty = 0; empty <= FIELDS; empty++)
			for (size_t text = 0; text < 130; text++) {
				struct buf t = BUF_IN(bytes);
				struct syslog_msg m;
				struct slice in;
				bool read;

				put_header(&t, host, empty);
				for (size_t n = 0; n < text; n++)
					buf_put(&t, SLICE("x"));
				in = guarded(buf_slice(&t));
				read = syslog_msg_parse(in, &m);
				assert_int_equal(read, empty == FIELDS);
				if (read) {
					assert_text(m.app_name, "a", "app");
					assert_text(m.procid, "p", "procid");
					assert_int_equal(m.msg.len, text);
				}
				guarded_free(in);
			}
}

static void
no_prefix_of_a_header_is_readable(void **state)
{
	struct slice whole = SLICE("<158>1 time host heroku router ");

	(void)state;
	for (size_t n = 0; n <= whole.len; n++) {
		struct slice in = guarded(slice_head(whole, n));
		struct syslog_msg m;

		assert_false(syslog_msg_parse(in, &m));
		guarded_free(in);
	}
}

static void
takes_structured_data_or_leaves_it(void **state)
{
	static const struct {
		const char *why, *in, *rest; /* NULL: none to take */
	} cases[] = {
	    {"NILVALUE", "- x", "x"},
	    {"NILVALUE and two spaces", "-  x", " x"},
	    {"NILVALUE alone", "-", NULL},
	    {"NILVALUE and a space", "- ", ""},
	    {"a list item", "-x", NULL},
	    {"a build's arrow", "-----> Building", NULL},
	    {"an SD-ID", "[id] x", "x"},
	    {"no space behind", "[id]", NULL},
	    {"text glued on", "[id]x", NULL},
	    {"one parameter", "[id a=\"b\"] x", "x"},
	    {"an empty value", "[id a=\"\"] x", "x"},
	    {"two elements", "[id a=\"b\"][id2] x", "x"},
	    {"a second that is broken", "[id][ x", NULL},
	    {"a quote escaped", "[id a=\"\\\"] x\"] y", "y"},
	    {"a backslash escaped", "[id a=\"\\\\\"] y", "y"},
	    {"a bracket escaped", "[id a=\"\\]\"] y", "y"},
	    {"a bare bracket", "[id a=\"x]y\"] z", "z"},
	    {"a value not closed", "[id a=\"b] x", NULL},
	    {"a value that ends in a backslash", "[id a=\"b\\", NULL},
	    {"no quotes", "[id a=b] x", NULL},
	    {"neither quotes nor value", "[id a=] x", NULL},
	    {"no value", "[id a] x", NULL},
	    {"no name", "[id =\"b\"] x", NULL},
	    {"two spaces", "[id  a=\"b\"] x", NULL},
	    {"a space at the end", "[id a=\"b\" ] x", NULL},
	    {"no SD-ID", "[] x", NULL},
	    {"a quote in the SD-ID", "[\"ACCEPT: */*\"] x", NULL},
	    {"an SD-ID of 32", "[12345678901234567890123456789012] x", "x"},
	    {"an SD-ID of 33", "[123456789012345678901234567890123] x", NULL},
	    {"beyond ASCII", "[\xc3\xa9] x", NULL},
	    {"a log line of a web framework", "[GIN] 200", "200"},
	    {"not closed", "[id", NULL},
	    {"nothing", "", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice in = guarded(slice_of(cases[i].in)), s = in;
		bool taken = syslog_msg_take_structured_data(&s);

		assert_case(taken == (cases[i].rest != NULL), cases[i].why);
		assert_text(
		    s, taken ? cases[i].rest : cases[i].in, cases[i].why);
		guarded_free(in);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(splits_a_header_at_single_spaces),
	    cmocka_unit_test(reads_or_refuses_a_header),
	    cmocka_unit_test(no_field_is_too_long),
	    cmocka_unit_test(a_field_may_hold_any_byte),
	    cmocka_unit_test(a_header_is_the_same_before_any_text),
	    cmocka_unit_test(no_prefix_of_a_header_is_readable),
	    cmocka_unit_test(takes_structured_data_or_leaves_it),
	};

	return cmocka_run_group_tests_name("syslog_msg", tests, NULL, NULL);
}
