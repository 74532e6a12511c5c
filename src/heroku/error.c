#include "heroku/error.h"

#include "base/ascii.h"
#include "heroku/logfmt.h"

enum { CODE_MAX = 4, LEVEL_NAME_MAX = 7 };

static const struct {
	struct slice name;
	enum heroku_level level;
} levels[] = {
    {{"error", 5}, HEROKU_LEVEL_ERROR},
    {{"warning", 7}, HEROKU_LEVEL_WARNING},
    {{"info", 4}, HEROKU_LEVEL_INFO},
};

unsigned
heroku_level(struct slice name)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (slice_equal(name, levels[i].name))
			return levels[i].level;
	return 0;
}

/* Length of the code that s starts with, or 0: a letter, 2 or 3 digits. */
static size_t
code_length(struct slice s, const char *letters)
{
	size_t n = 1;

	if (s.len == 0 || strchr(letters, s.ptr[0]) == NULL || s.ptr[0] == '\0')
		return 0;
	while (n < s.len && n <= CODE_MAX && ascii_is_digit(s.ptr[n]))
		n++;
	return n == 3 || n == 4 ? n : 0;
}

static void
set_code(struct heroku_code *code, struct slice s)
{
	memcpy(code->text, s.ptr, s.len);
	code->len = (uint8_t)s.len;
}

/* "Error <code>", then the end, white space or a colon. */
static bool
is_error_line(struct slice msg, struct heroku_code *code)
{
	size_t n;

	if (!slice_take(&msg, SLICE("Error ")))
		return false;
	n = code_length(msg, "RLH");
	if (n == 0 ||
	    (n < msg.len && msg.ptr[n] != ':' && !ascii_is_space(msg.ptr[n])))
		return false;
	set_code(code, slice_head(msg, n));
	return true;
}

/*
 * The first `at` and the first `code` decide.  A level that does not count
 * ends the scan at once: whatever the code, the answer is known.
 *
 * Most messages are not even scanned: the router's own, which begin with a
 * level that does not count, and those without the H of a code.
 */
static enum heroku_verdict
judge_router_line(struct slice msg, unsigned counted, struct heroku_code *code)
{
	struct logfmt_pair pair;
	char buf[LEVEL_NAME_MAX + 1];
	bool at = false, coded = false;

	if (slice_starts_with(msg, SLICE("at=info "))) {
		if (!(counted & HEROKU_LEVEL_INFO))
			return HEROKU_OTHER_LEVEL;
	} else if (!slice_contains(msg, 'H')) {
		return HEROKU_NOT_AN_ERROR;
	}
	while (!(at && coded) && logfmt_next(&msg, &pair)) {
		if (!at && slice_equal(pair.key, SLICE("at"))) {
			struct slice name =
			    logfmt_value(&pair, buf, LEVEL_NAME_MAX);

			if (!(heroku_level(name) & counted))
				return heroku_level(name) ? HEROKU_OTHER_LEVEL
							  : HEROKU_NOT_AN_ERROR;
			at = true;
		} else if (!coded && slice_equal(pair.key, SLICE("code"))) {
			struct slice value = logfmt_value(&pair, buf, CODE_MAX);

			if (value.len == 0 ||
			    code_length(value, "H") != value.len)
				return HEROKU_NOT_AN_ERROR;
			set_code(code, value);
			coded = true;
		}
	}
	return at && coded ? HEROKU_ROUTER_LINE : HEROKU_NOT_AN_ERROR;
}

static enum heroku_verdict
judge_text(struct slice msg, unsigned counted, struct heroku_code *code)
{
	slice_take(&msg, SLICE("\xef\xbb\xbf")); /* RFC 5424 6.4: BOM */
	if (is_error_line(msg, code))
		return HEROKU_ERROR_LINE;
	return judge_router_line(msg, counted, code);
}

static bool
platform_wrote(const struct syslog_msg *message, const struct heroku_code *code)
{
	struct slice text = heroku_code_slice(code);

	if (slice_equal(message->app_name, SLICE("heroku")))
		return true;
	return slice_equal(message->procid, SLICE("log-shuttle")) &&
	    (slice_equal(text, SLICE("L12")) ||
		slice_equal(text, SLICE("L13")));
}

enum heroku_verdict
heroku_judge(const struct syslog_msg *message, const struct heroku_rules *rules,
    struct heroku_code *code)
{
	struct slice msg = message->msg;
	enum heroku_verdict verdict = judge_text(msg, rules->levels, code);

	if (!heroku_counts(verdict) && syslog_msg_take_structured_data(&msg))
		verdict = judge_text(msg, rules->levels, code);
	if (heroku_counts(verdict) && rules->platform_only &&
	    !platform_wrote(message, code))
		return HEROKU_NOT_PLATFORM;
	return verdict;
}

const char *
heroku_reason(enum heroku_verdict verdict)
{
	static const char *const reasons[] = {
	    [HEROKU_ERROR_LINE] = "Error line",
	    [HEROKU_ROUTER_LINE] = "router line",
	    [HEROKU_OTHER_LEVEL] = "router line of a level not in LEVELS",
	    [HEROKU_NOT_AN_ERROR] = "not a platform error",
	    [HEROKU_NOT_PLATFORM] =
		"not written by the platform (PLATFORM_ONLY)",
	};

	return reasons[verdict];
}
