#include "heroku/error.h"

#include "support.h"

#define BOM "\xef\xbb\xbf" /* of UTF-8 */

static const struct error_rules defaults = {
    ERROR_LEVEL_ERROR | ERROR_LEVEL_WARNING, false};
static const struct error_rules errors_only = {ERROR_LEVEL_ERROR, false};
static const struct error_rules info_too = {
    ERROR_LEVEL_ERROR | ERROR_LEVEL_WARNING | ERROR_LEVEL_INFO, false};
static const struct error_rules platform_only = {
    ERROR_LEVEL_ERROR | ERROR_LEVEL_WARNING, true};

static enum error_verdict
judge_message(const struct syslog_msg *m, const struct error_rules *rules,
    struct error_code *code)
{
	return error_judge(m, syslog_msg_text(m), rules, code);
}

/* The code of a message by the platform, or "-". */
static const char *
judge_slice(struct slice msg, const struct error_rules *rules)
{
	static char text[8];
	struct syslog_msg m = {SLICE("heroku"), SLICE("router"), msg};
	struct error_code code;

	if (!error_counts(judge_message(&m, rules, &code)))
		return "-";
	snprintf(
	    text, sizeof(text), "%.*s", SLICE_ARG(error_code_slice(&code)));
	return text;
}

static const char *
judge(const char *msg, const struct error_rules *rules)
{
	struct slice in = guarded(slice_of(msg));
	const char *code = judge_slice(in, rules);

	guarded_free(in);
	return code;
}

static void
gives_every_documented_line_its_verdict(void **state)
{
	struct slice file = fixture("platform-errors.tsv"), rest = file, line;
	size_t rows = 0, infos = 0;

	(void)state;
	while (slice_take_element(&rest, '\n', &line)) {
		struct slice msg, want, in;

		assert_true(slice_cut(&line, '\t', &msg));
		assert_true(slice_cut(&line, '\t', &want));
		in = guarded(msg);
		assert_slice(slice_of(judge_slice(in, &defaults)), want,
		    "default levels");
		if (slice_starts_with(line, SLICE("[at=warning]")))
			assert_string_equal(judge_slice(in, &errors_only), "-");
		if (slice_starts_with(line, SLICE("[at=info]")) &&
		    !slice_starts_with(
			line, SLICE("[at=info][legacy][constructed]"))) {
			assert_int_equal(judge_slice(in, &info_too)[0], 'H');
			infos++;
		}
		guarded_free(in);
		rows++;
	}
	assert_true(rows > 100);
	assert_true(infos >= 5);
	free((void *)(uintptr_t)file.ptr);
}

static void
judges_error_lines(void **state)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
	    {"Error R14", "R14"},
	    {"Error R14 ", "R14"},
	    {"Error R14\n", "R14"},
	    {"Error R14\tx", "R14"},
	    {"Error R14: x", "R14"},
	    {"Error R14x", "-"},
	    {"Error R14)", "-"},
	    {"Error R1", "-"},
	    {"Error R1 4", "-"},
	    {"Error R151 (x)", "R151"},
	    {"Error R1511 (x)", "-"},
	    {"Error R15111", "-"},
	    {"Error H12 (Request timeout)", "H12"},
	    {"Error L10", "L10"},
	    {"Error E10", "-"},
	    {"Error r14", "-"},
	    {"Error  R14", "-"},
	    {"Error\tR14", "-"},
	    {"error R14", "-"},
	    {" Error R14", "-"},
	    {"Error ", "-"},
	    {"Error", "-"},
	    {"\xef\xbb\xbf"
	     "Error R14",
		"R14"},
	    {"\xef\xbb\xbf"
	     "- Error R14",
		"-"},
	    {"- \xef\xbb\xbf"
	     "Error R14",
		"R14"},
	    {"- Error R14", "R14"},
	    {"- - Error R14", "-"},
	    {BOM BOM "Error R14", "-"},
	    {"\xef\xbb"
	     "Error R14",
		"-"},
	    {"\xbb\xbf"
	     "Error R14",
		"-"},
	    {BOM " Error R14", "-"},
	    {" " BOM "Error R14", "-"},
	    {"Error " BOM "R14", "-"},
	    {BOM, "-"},
	    {"- " BOM, "-"},
	    {"[id] " BOM "Error R14", "R14"},
	    {"[id]" BOM "Error R14", "-"},
	    {BOM "[id] Error R14", "-"},
	    {"- " BOM "- Error R14", "-"},
	    {"[id a=\"]\"] Error R14", "R14"},
	    {"[id a=\"x] Error R15\"] Error R14", "R14"},
	    {"[id a=\"x] Error R15", "-"},
	    {"[id] Error R14", "R14"},
	    {"[id]Error R14", "-"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_text(slice_of(judge(cases[i].in, &defaults)),
		    cases[i].want, cases[i].in);
}

static void
judges_router_lines(void **state)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
	    {"at=error code=H12", "H12"},
	    {"code=H12 at=error", "H12"},
	    {"at=error code=H123", "H123"},
	    {"at=error code=H1234", "-"},
	    {"at=error code=H1", "-"},
	    {"at=error code=R14", "-"},
	    {"at=error code=L10", "-"},
	    {"at=error code=h12", "-"},
	    {"at=error code=", "-"},
	    {"at=error code= desc=H12", "-"},
	    {"a=\"\\x\" at=error code=H\\12", "-"},
	    {"at=error code=\"H\\12\"", "H12"},
	    {"at=error code=\"H1\\23\"", "H123"},
	    {"at=error code=\"H1\\234\"", "-"},
	    {"at=error code=\"H1\\2345\"", "-"},
	    {"at=\"erro\\rs\" code=H12", "-"},
	    {"at=\"warnin\\g\" code=H12", "H12"},
	    {"at=\"warnin\\gs\" code=H12", "-"},
	    {"at=error code=\"\"", "-"},
	    {"at=error code=\"H12\"", "H12"},
	    {"at=\"error\" code=H12", "H12"},
	    {"at=\"\\e\\r\\r\\o\\r\" code=\"\\H\\1\\2\"", "H12"},
	    {"at=warning code=H27", "H27"},
	    {"at=\"\\w\\a\\r\\n\\i\\n\\g\" code=H27", "H27"},
	    {"at=warnings code=H27", "-"},
	    {"at=\"warning\\s\" code=H27", "-"},
	    {"at=info code=H80", "-"},
	    {"at=notice code=H80", "-"},
	    {"at= code=H12", "-"},
	    {"AT=error code=H12", "-"},
	    {"at=error CODE=H12", "-"},
	    {"xat=error code=H12", "-"},
	    {"code=H12", "-"},
	    {"at=error", "-"},
	    {"at=info at=error code=H12", "-"},
	    {"at=error at=info code=H12", "H12"},
	    {"at=error code=x code=H12", "-"},
	    {"at=error code=H12 code=x", "H12"},
	    {"at=error x code=H12", "-"},
	    {"x at=error code=H12", "-"},
	    {"at=error code=H12 x y z", "H12"},
	    {"at=error code=H12 desc=\"never closed", "H12"},
	    {"at=error desc=\"never closed code=H12", "-"},
	    {"at=error desc=\"x code=H13 y\" code=H12", "H12"},
	    {"at=error desc=\"x\\\" code=H13 y\" code=H12", "H12"},
	    {"at=error desc=\"x\"y code=H12", "-"},
	    {"at=error\ncode=H12\n", "H12"},
	    {"  at=error   code=H12", "H12"},
	    {"- at=error code=H12", "H12"},
	    {"[a b=\"c\"] at=error code=H12", "H12"},
	    {"[a b=\"]\"] at=error code=H12", "H12"},
	    {"[a b=\"c]d\"][e f=\"]\"] at=error code=H12", "H12"},
	    {BOM "at=error code=H12", "H12"},
	    {BOM "code=H12 at=error", "H12"},
	    {BOM BOM "at=error code=H12", "-"},
	    {BOM "- at=error code=H12", "-"},
	    {"- " BOM "at=error code=H12", "H12"},
	    {"[a b=\"c\"] " BOM "at=error code=H12", "H12"},
	    {BOM "at=info code=H12", "-"},
	    {" " BOM "at=error code=H12", "-"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_text(slice_of(judge(cases[i].in, &defaults)),
		    cases[i].want, cases[i].in);
}

static void
levels_say_which_router_lines_count(void **state)
{
	static const char *const names[] = {"error", "warning", "info"};

	(void)state;
	for (unsigned levels = 0; levels < 8; levels++)
		for (size_t i = 0; i < COUNT(names); i++) {
			struct error_rules rules = {levels, false};
			char line[40];

			snprintf(
			    line, sizeof(line), "at=%s code=H99", names[i]);
			assert_string_equal(judge(line, &rules),
			    levels & 1u << i ? "H99" : "-");
			assert_string_equal(judge("Error R14", &rules), "R14");
		}
}

static void
knows_the_three_levels(void **state)
{
	(void)state;
	assert_int_equal(error_level(SLICE("error")), ERROR_LEVEL_ERROR);
	assert_int_equal(error_level(SLICE("warning")), ERROR_LEVEL_WARNING);
	assert_int_equal(error_level(SLICE("info")), ERROR_LEVEL_INFO);
	assert_int_equal(error_level(SLICE("Error")), 0);
	assert_int_equal(error_level(SLICE("errors")), 0);
	assert_int_equal(error_level(SLICE("")), 0);
}

static void
says_why_a_line_does_not_count(void **state)
{
	static const struct {
		const char *in;
		enum error_verdict want;
	} cases[] = {
	    {"Error R14", ERROR_LINE},
	    {"at=error code=H12", ERROR_ROUTER_LINE},
	    {"at=info code=H80", ERROR_OTHER_LEVEL},
	    {"sock=client at=info code=H80", ERROR_OTHER_LEVEL},
	    {"at=odd code=H80", ERROR_NOT_ONE},
	    {"hello", ERROR_NOT_ONE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct syslog_msg m = {
		    SLICE("heroku"), SLICE("x"), slice_of(cases[i].in)};
		struct error_code code;

		assert_int_equal(
		    judge_message(&m, &defaults, &code), cases[i].want);
		assert_non_null(error_reason(cases[i].want));
	}
	assert_non_null(error_reason(ERROR_NOT_PLATFORM));
}

static void
platform_only_counts_what_the_platform_wrote(void **state)
{
	static const struct {
		const char *app_name, *procid, *msg;
		bool counts;
	} cases[] = {
	    {"heroku", "router", "at=error code=H12", true},
	    {"heroku", "web.1", "Error R14", true},
	    {"app", "web.1", "Error R14", false},
	    {"app", "router", "at=error code=H12", false},
	    {"Heroku", "router", "at=error code=H12", false},
	    {"heroku1", "router", "at=error code=H12", false},
	    {"app", "log-shuttle", "Error L12: x", true},
	    {"app", "log-shuttle", "Error L13: x", true},
	    {"app", "log-shuttle", "Error L10: x", false},
	    {"app", "log-shuttle", "Error L120: x", false},
	    {"app", "log-shuttle", "Error R12", false},
	    {"app", "log-shuttle1", "Error L12: x", false},
	    {"heroku", "log-shuttle", "Error R14", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct syslog_msg m = {slice_of(cases[i].app_name),
		    slice_of(cases[i].procid), slice_of(cases[i].msg)};
		struct error_code code;

		assert_case(error_counts(judge_message(
				&m, &platform_only, &code)) == cases[i].counts,
		    cases[i].msg);
		assert_true(error_counts(judge_message(&m, &defaults, &code)));
	}
	assert_int_equal(judge_message(&(struct syslog_msg){SLICE("app"),
					   SLICE("web.1"), SLICE("Error R14")},
			     &platform_only, &(struct error_code){{0}, 0}),
	    ERROR_NOT_PLATFORM);
}

static void
only_three_letters_and_digits_make_a_code(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		char error[] = "Error R14", router[] = "at=error code=H12";
		char digit[] = "Error R14";
		bool letter = c == 'H' || c == 'R' || c == 'L';

		error[6] = (char)c;
		assert_int_equal(
		    judge_slice((struct slice){error, sizeof(error) - 1},
			&defaults)[0] != '-',
		    letter);
		router[14] = (char)c;
		assert_int_equal(
		    judge_slice((struct slice){router, sizeof(router) - 1},
			&defaults)[0] != '-',
		    c == 'H');
		digit[8] = (char)c;
		assert_int_equal(
		    judge_slice((struct slice){digit, sizeof(digit) - 1},
			&defaults)[0] != '-',
		    c >= '0' && c <= '9');
	}
}

static bool
is_space(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Whether the text counts once its \1 is this byte. */
static bool
counts_with(const char *form, int c)
{
	char text[64];
	struct slice s = {text, strlen(form)};

	strcpy(text, form);
	*strchr(text, '\1') = (char)c;
	return judge_slice(s, &defaults)[0] != '-';
}

static void
six_bytes_are_white_space(void **state)
{
	static const char *const separated[] = {"at=error\1code=H12",
	    "code=H12\1at=error", "at=\"error\"\1code=H12",
	    "a=\1at=error code=H12", "\1at=error code=H12",
	    " \1at=error code=H12", "- \1at=error code=H12",
	    BOM "\1at=error code=H12"};

	(void)state;
	for (int c = 0; c < 256; c++) {
		for (size_t i = 0; i < COUNT(separated); i++)
			if (counts_with(separated[i], c) != is_space(c))
				fail_msg("%s: 0x%02x", separated[i], c);
		assert_int_equal(counts_with("at=error code=H12\1", c),
		    is_space(c) || (c >= '0' && c <= '9'));
		assert_int_equal(
		    counts_with("Error R14\1x", c), is_space(c) || c == ':');
		assert_int_equal(counts_with("Error\1R14", c), c == ' ');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gives_every_documented_line_its_verdict),
	    cmocka_unit_test(judges_error_lines),
	    cmocka_unit_test(judges_router_lines),
	    cmocka_unit_test(levels_say_which_router_lines_count),
	    cmocka_unit_test(knows_the_three_levels),
	    cmocka_unit_test(says_why_a_line_does_not_count),
	    cmocka_unit_test(platform_only_counts_what_the_platform_wrote),
	    cmocka_unit_test(six_bytes_are_white_space),
	    cmocka_unit_test(only_three_letters_and_digits_make_a_code),
	};

	return cmocka_run_group_tests_name("heroku", tests, NULL, NULL);
}
