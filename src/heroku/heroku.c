#include "heroku/heroku.h"

#include "heroku/addon.h"
#include "heroku/custom.h"
#include "heroku/dyno.h"
#include "heroku/loss.h"
#include "heroku/release.h"
#include "heroku/router.h"

enum {
	ROUTER_FAMILIES = FAMILY_BIT(FAMILY_ROUTER) |
	    FAMILY_BIT(FAMILY_LATENCY) | FAMILY_BIT(FAMILY_TIMINGS),
	OTHER_FAMILIES = FAMILY_BIT(FAMILY_DYNOS) |
	    FAMILY_BIT(FAMILY_RELEASES) | FAMILY_BIT(FAMILY_ADDONS) |
	    FAMILY_BIT(FAMILY_CUSTOM)
};

static bool
wants(const struct heroku_rules *rules, enum metric_family family)
{
	return (rules->families & FAMILY_BIT(family)) != 0;
}

/* A router line is scanned once, for its error and everything else. */
static void
read_router(const struct syslog_msg *message, struct slice text,
    const struct heroku_rules *rules, struct tally *tally,
    struct heroku_reading *reading)
{
	struct router_line line;
	const struct logfmt_pair *at;

	router_scan(text, &line);
	at = router_pair(&line, ROUTER_AT);
	reading->verdict = at->key.len > 0
	    ? error_judge_pairs(at, router_pair(&line, ROUTER_CODE),
		  &rules->errors, &reading->code)
	    : error_judge(message, text, &rules->errors, &reading->code);
	reading->families |=
	    router_tally(&line, rules->families, tally, &reading->flaw);
}

/* Counts an error, and the losses that it reports. */
static void
tally_error(struct slice text, const struct heroku_rules *rules,
    struct tally *tally, struct heroku_reading *reading)
{
	tally->errors++;
	if (wants(rules, FAMILY_ERRORS))
		tally_add_error(tally, error_code_slice(&reading->code), 1);
	if (wants(rules, FAMILY_LOSS) &&
	    loss_tally(text, &reading->code, tally))
		reading->families |= FAMILY_BIT(FAMILY_LOSS);
}

/* What the platform says about a dyno: the bit of the family, or 0. */
static unsigned
read_dyno(const struct syslog_msg *message, struct slice text,
    struct tally *tally, const char **flaw)
{
	struct dyno dyno;

	return dyno_read(message->procid, &dyno) &&
		dyno_tally(&dyno, text, tally, flaw)
	    ? FAMILY_BIT(FAMILY_DYNOS)
	    : 0;
}

/* Lines under the application's name: those of add-ons and its own. */
static unsigned
read_app(const struct syslog_msg *message, struct slice text,
    const struct heroku_rules *rules, struct tally *tally, const char **flaw)
{
	enum metric_id addon = addon_metric(message->procid);
	struct dyno dyno;

	if (addon != METRICS)
		return wants(rules, FAMILY_ADDONS) &&
			addon_tally(addon, text, tally, flaw)
		    ? FAMILY_BIT(FAMILY_ADDONS)
		    : 0;
	return wants(rules, FAMILY_CUSTOM) &&
		dyno_read(message->procid, &dyno) &&
		custom_tally(text, tally, flaw)
	    ? FAMILY_BIT(FAMILY_CUSTOM)
	    : 0;
}

/* All families except errors and those of router lines. */
static unsigned
read_others(const struct syslog_msg *message, struct slice text,
    const struct heroku_rules *rules, struct tally *tally, const char **flaw)
{
	bool is_platform = slice_equal(message->app_name, SLICE("heroku"));
	bool is_app = slice_equal(message->app_name, SLICE("app"));

	if (!is_platform && !is_app)
		return 0;
	if (slice_equal(message->procid, SLICE("api")))
		return wants(rules, FAMILY_RELEASES) &&
			release_tally(text, tally)
		    ? FAMILY_BIT(FAMILY_RELEASES)
		    : 0;
	if (is_app)
		return read_app(message, text, rules, tally, flaw);
	return wants(rules, FAMILY_DYNOS)
	    ? read_dyno(message, text, tally, flaw)
	    : 0;
}

static bool
is_router(const struct syslog_msg *message)
{
	return slice_equal(message->app_name, SLICE("heroku")) &&
	    slice_equal(message->procid, SLICE("router"));
}

struct heroku_reading
heroku_read(const struct syslog_msg *message, const struct heroku_rules *rules,
    struct tally *tally)
{
	struct heroku_reading reading = {.verdict = ERROR_NOT_ONE};
	struct slice text = syslog_msg_text(message);
	bool is_request =
	    (rules->families & ROUTER_FAMILIES) && is_router(message);

	if (is_request)
		read_router(message, text, rules, tally, &reading);
	else
		reading.verdict =
		    error_judge(message, text, &rules->errors, &reading.code);
	if (error_counts(reading.verdict))
		tally_error(text, rules, tally, &reading);
	if (!is_request && (rules->families & OTHER_FAMILIES))
		reading.families |=
		    read_others(message, text, rules, tally, &reading.flaw);
	return reading;
}
