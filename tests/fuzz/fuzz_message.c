/*
 * One SYSLOG-MSG: header, structured data, logfmt, verdict.
 *
 * Asserted: fields lie in the message, in order, and hold no space; a code is
 * a code; more levels never count less, PLATFORM_ONLY never more; what
 * APP-NAME heroku wrote counts in any case; the pairs of a line come to an end,
 * and are those of the plain form.
 */
#include "fuzz.h"
#include "heroku/error.h"
#include "logplex/syslog_msg.h"
#include "../plain.h"

enum { LEVELS_ALL = 7, VALUE_MAX = 7 };

static void
check_code(const struct error_code *code)
{
	static struct tally tally;

	tally_reset(&tally);
	tally_add_error(&tally, error_code_slice(code), 1);
	tally.messages = tally.errors = 1;
	fuzz_check_tally(&tally);
}

static void
check_verdicts(const struct syslog_msg *message)
{
	struct slice text = syslog_msg_text(message);
	bool counted_before = false;

	for (unsigned levels = 0; levels <= LEVELS_ALL; levels++) {
		struct error_rules open = {levels, false},
				   strict = {levels, true};
		struct error_code code, strict_code;
		enum error_verdict verdict =
		    error_judge(message, text, &open, &code);
		enum error_verdict strictly =
		    error_judge(message, text, &strict, &strict_code);
		bool counts = error_counts(verdict);

		assert(error_reason(verdict) != NULL);
		if (counts)
			check_code(&code);
		if (error_counts(strictly))
			assert(counts &&
			    slice_equal(error_code_slice(&code),
				error_code_slice(&strict_code)));
		if (slice_equal(message->app_name, SLICE("heroku")))
			assert(verdict == strictly);
		if (counted_before && (levels & 1) != 0)
			assert(counts); /* levels - 1 counted it */
		counted_before = counts;
	}
}

static void
check_pairs(struct slice text)
{
	struct logfmt line = logfmt_of(text);
	struct logfmt_pair pair, plain;
	char *buf = malloc(VALUE_MAX + 1);

	assert(buf != NULL);
	while (logfmt_next(&line, &pair)) {
		struct slice value = logfmt_value(&pair, buf, VALUE_MAX);

		assert(plain_logfmt_next(&text, &plain));
		assert(plain.key.ptr == pair.key.ptr &&
		    plain.key.len == pair.key.len);
		assert(plain.value.ptr == pair.value.ptr &&
		    plain.value.len == pair.value.len);
		assert(plain.escaped == pair.escaped);
		assert(pair.key.len > 0);
		assert(!slice_contains(pair.key, '=') &&
		    !slice_contains(pair.key, ' ') &&
		    !slice_contains(pair.key, '"'));
		assert(value.len <= pair.value.len);
		assert(!pair.escaped || value.len <= VALUE_MAX + 1);
	}
	assert(!plain_logfmt_next(&text, &plain));
	free(buf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes =
	    fuzz_copy((struct slice){(const char *)data, size});
	struct syslog_msg message = {0};
	struct slice rest = bytes;

	if (syslog_msg_parse(bytes, &message)) {
		assert(message.app_name.len > 0 && message.procid.len > 0);
		assert(!slice_contains(message.app_name, ' ') &&
		    !slice_contains(message.procid, ' '));
		assert(message.app_name.ptr < message.procid.ptr);
		assert(message.procid.ptr + message.procid.len <
		    message.msg.ptr + (message.msg.len == 0));
		assert(
		    message.msg.ptr + message.msg.len == bytes.ptr + bytes.len);
	} else {
		message = (struct syslog_msg){
		    SLICE("app"), SLICE("log-shuttle"), bytes};
	}
	check_verdicts(&message);
	check_pairs(message.msg);
	if (syslog_msg_take_structured_data(&rest))
		assert(rest.len < bytes.len && rest.ptr[-1] == ' ');
	fuzz_release();
	return 0;
}
