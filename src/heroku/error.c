#include "heroku/error.h"

enum { CODE_MAX = 4, LEVEL_NAME_MAX = 7 };

static const struct {
	struct slice name;
	enum error_level level;
} levels[] = {
    {{"error", 5}, ERROR_LEVEL_ERROR},
    {{"warning", 7}, ERROR_LEVEL_WARNING},
    {{"info", 4}, ERROR_LEVEL_INFO},
};

unsigned
error_level(struct slice name)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (slice_equal(name, levels[i].name))
			return levels[i].level;
	return 0;
}

/* The length of the code that s starts with, or 0. */
static size_t
code_length(struct slice s, struct slice letters)
{
	size_t n = 1;

	if (s.len == 0 || !slice_contains(letters, s.ptr[0]))
		return 0;
	while (n < s.len && n <= CODE_MAX && ascii_is_digit(s.ptr[n]))
		n++;
	return n == 3 || n == 4 ? n : 0;
}

bool
error_is_code(struct slice s)
{
	return s.len > 0 && code_length(s, SLICE("RLH")) == s.len;
}

static void
set_code(struct error_code *code, struct slice s)
{
	memcpy(code->text, s.ptr, s.len);
	code->len = (uint8_t)s.len;
}

/* "Error <code>", then the end, white space or a colon. */
static bool
is_error_line(struct slice text, struct error_code *code)
{
	size_t n;

	if (!slice_take(&text, SLICE("Error ")))
		return false;
	n = code_length(text, SLICE("RLH"));
	if (n == 0 ||
	    (n < text.len && text.ptr[n] != ':' &&
		!ascii_is_space(text.ptr[n])))
		return false;
	set_code(code, slice_head(text, n));
	return true;
}

/* The level of `at`, or 0 if there is none. */
static unsigned
level_of(const struct logfmt_pair *at)
{
	char buf[LEVEL_NAME_MAX + 1];

	return error_level(logfmt_value(at, buf, LEVEL_NAME_MAX));
}

/* Whether the pair's value is the code of a router line. */
static bool
is_router_code(const struct logfmt_pair *pair, struct error_code *code)
{
	char buf[CODE_MAX + 1];
	struct slice value = logfmt_value(pair, buf, CODE_MAX);

	if (value.len == 0 || code_length(value, SLICE("H")) != value.len)
		return false;
	set_code(code, value);
	return true;
}

enum error_verdict
error_judge_pairs(const struct logfmt_pair *at,
    const struct logfmt_pair *code_pair, const struct error_rules *rules,
    struct error_code *code)
{
	unsigned level = level_of(at);

	if (level != 0 && !(level & rules->levels))
		return ERROR_OTHER_LEVEL;
	return level != 0 && is_router_code(code_pair, code) ? ERROR_ROUTER_LINE
							     : ERROR_NOT_ONE;
}

/* The first `at` and the first `code` decide. */
__attribute__((flatten, noinline)) static enum error_verdict
judge_router_line(
    struct slice text, const struct error_rules *rules, struct error_code *code)
{
	struct logfmt line = logfmt_of(text);
	struct logfmt_pair pair, at = {0}, code_pair = {0};

	while ((at.key.len == 0 || code_pair.key.len == 0) &&
	    logfmt_next(&line, &pair)) {
		if (at.key.len == 0 && slice_equal(pair.key, SLICE("at"))) {
			at = pair;
			if (!(level_of(&at) & rules->levels))
				break;
		} else if (code_pair.key.len == 0 &&
		    slice_equal(pair.key, SLICE("code"))) {
			code_pair = pair;
		}
	}
	return error_judge_pairs(&at, &code_pair, rules, code);
}

/*
 * Most messages need no scan: router lines usually begin with a level that does
 * not count, and a line without an H holds no code.
 */
static bool
needs_no_scan(struct slice text, const struct error_rules *rules,
    enum error_verdict *verdict)
{
	bool is_info = slice_starts_with(text, SLICE("at=info "));

	*verdict = is_info ? ERROR_OTHER_LEVEL : ERROR_NOT_ONE;
	if (is_info)
		return !(rules->levels & ERROR_LEVEL_INFO);
	return !slice_contains(text, 'H');
}

static bool
platform_wrote(const struct syslog_msg *message, const struct error_code *code)
{
	struct slice text = error_code_slice(code);

	if (slice_equal(message->app_name, SLICE("heroku")))
		return true;
	return slice_equal(message->procid, SLICE("log-shuttle")) &&
	    (slice_equal(text, SLICE("L12")) ||
		slice_equal(text, SLICE("L13")));
}

enum error_verdict
error_judge(const struct syslog_msg *message, struct slice text,
    const struct error_rules *rules, struct error_code *code)
{
	enum error_verdict verdict = ERROR_LINE;

	if (!is_error_line(text, code) && !needs_no_scan(text, rules, &verdict))
		verdict = judge_router_line(text, rules, code);
	if (error_counts(verdict) && rules->platform_only &&
	    !platform_wrote(message, code))
		return ERROR_NOT_PLATFORM;
	return verdict;
}

const char *
error_reason(enum error_verdict verdict)
{
	static const char *const reasons[] = {
	    [ERROR_LINE] = "Error line",
	    [ERROR_ROUTER_LINE] = "router line",
	    [ERROR_OTHER_LEVEL] = "level not in LEVELS",
	    [ERROR_NOT_ONE] = "not a platform error",
	    [ERROR_NOT_PLATFORM] =
		"not written by the platform (PLATFORM_ONLY)",
	};

	return reasons[verdict];
}
