#include "metric/metric.h"

#define STATUS(class, meaning)                                                 \
	{                                                                      \
		FAMILY_ROUTER, METRIC_COUNTER, "heroku.router.status." class,  \
		    "heroku.router.status", "class:" class, "requests",        \
		    meaning, "`heroku`/`router`"                               \
	}

#define LE(limit, meaning)                                                     \
	{                                                                      \
		FAMILY_LATENCY, METRIC_COUNTER,                                \
		    "heroku.router.service.le." limit,                         \
		    "heroku.router.service.le", "le:" limit, "requests",       \
		    meaning,                                                   \
		    "`heroku`/`router`, except WebSockets (status 101)"        \
	}

#define DYNO_GAUGE(key, unit, meaning)                                         \
	{                                                                      \
		FAMILY_DYNOS, METRIC_GAUGE, "heroku.dyno.%1.%2." key,          \
		    "heroku.dyno." key, "type:%1,dyno:%1.%2", unit, meaning,   \
		    "`heroku`/`<type>.<n>`: `sample#" key "`"                  \
	}

#define DYNO_STATE(state)                                                      \
	{                                                                      \
		FAMILY_DYNOS, METRIC_COUNTER, "heroku.dyno.%1.state." state,   \
		    "heroku.dyno.state", "type:%1,state:" state, "changes",    \
		    "dynos of the type that went into this state",             \
		    "`heroku`/`<type>.<n>`: `State changed from X to " state   \
		    "`"                                                        \
	}

#define ADDON(name)                                                            \
	{                                                                      \
		FAMILY_ADDONS, METRIC_GAUGE, "heroku." name ".%1.%2",          \
		    "heroku." name ".%2", "addon:%1", "as in the line",        \
		    "the value of `sample#<key>`, with `_` for `-` in the "    \
		    "key",                                                     \
		    "`app`/`heroku-" name "`"                                  \
	}

#define CUSTOM(type, unit, meaning, line)                                      \
	{                                                                      \
		FAMILY_CUSTOM, type, "custom.%1", "custom.%1", "", unit,       \
		    meaning, "`app`/`<type>.<n>`: " line                       \
	}

#define DRAIN(name, unit, meaning)                                             \
	{                                                                      \
		FAMILY_DRAIN, METRIC_COUNTER, "heroku.drain." name,            \
		    "heroku.drain." name, "", unit, meaning,                   \
		    "the batch itself"                                         \
	}

const struct metric metrics[METRICS] = {
    [METRIC_ERROR] = {FAMILY_ERRORS, METRIC_COUNTER, "heroku.errors.%1",
	"heroku.errors", "code:%1", "errors", "platform errors with this code",
	"`Error <code>`, and router lines with a code"},
    [METRIC_DROPPED] = {FAMILY_LOSS, METRIC_COUNTER, "heroku.logplex.dropped",
	"heroku.logplex.dropped", "", "messages",
	"upper bound of messages dropped before they reached the drain",
	"`Error L10`, `Error L12`"},
    [METRIC_LOST] = {FAMILY_LOSS, METRIC_COUNTER, "heroku.logplex.lost",
	"heroku.logplex.lost", "", "messages",
	"upper bound of messages that log-shuttle could not deliver",
	"`Error L13`"},
    [METRIC_REQUESTS] = {FAMILY_ROUTER, METRIC_COUNTER,
	"heroku.router.requests", "heroku.router.requests", "", "requests",
	"requests that the router answered or passed on", "`heroku`/`router`"},
    [METRIC_STATUS_1XX] =
	STATUS("1xx", "with a status of 100 to 199: 101 is a WebSocket"),
    [METRIC_STATUS_2XX] = STATUS("2xx", "with a status of 200 to 299"),
    [METRIC_STATUS_3XX] = STATUS("3xx", "with a status of 300 to 399"),
    [METRIC_STATUS_4XX] = STATUS("4xx",
	"with a status of 400 to 499: 499 means that the client disconnected"),
    [METRIC_STATUS_5XX] = STATUS("5xx",
	"with a status of 500 to 599, including those of the application"),
    [METRIC_STATUS_NONE] =
	STATUS("none", "without a status of three digits from 100 to 599"),
    [METRIC_BYTES] = {FAMILY_ROUTER, METRIC_COUNTER, "heroku.router.bytes",
	"heroku.router.bytes", "", "bytes", "total bytes sent to clients",
	"`heroku`/`router`"},
    [METRIC_LE_100] =
	LE("100", "that took at most 100 ms, the faster ones included"),
    [METRIC_LE_250] =
	LE("250", "that took at most 250 ms, the faster ones included"),
    [METRIC_LE_500] =
	LE("500", "that took at most 500 ms, the faster ones included"),
    [METRIC_LE_1000] =
	LE("1000", "that took at most 1,000 ms, the faster ones included"),
    [METRIC_LE_2500] =
	LE("2500", "that took at most 2,500 ms, the faster ones included"),
    [METRIC_LE_5000] =
	LE("5000", "that took at most 5,000 ms, the faster ones included"),
    [METRIC_LE_10000] =
	LE("10000", "that took at most 10,000 ms, the faster ones included"),
    [METRIC_LE_30000] =
	LE("30000", "that took at most 30,000 ms, the faster ones included"),
    [METRIC_LE_INF] = LE("inf", "of any duration"),
    [METRIC_SERVICE] = {FAMILY_TIMINGS, METRIC_TIMER, "heroku.router.service",
	"heroku.router.service", "", "ms",
	"time from the router's connection to the dyno until the end of the "
	"answer",
	"`heroku`/`router`, except WebSockets (status 101)"},
    [METRIC_CONNECT] = {FAMILY_TIMINGS, METRIC_TIMER, "heroku.router.connect",
	"heroku.router.connect", "", "ms", "time to connect to the dyno",
	"`heroku`/`router`, except WebSockets (status 101)"},
    [METRIC_LOAD_1M] =
	DYNO_GAUGE("load_avg_1m", "processes", "load average of a minute"),
    [METRIC_LOAD_5M] =
	DYNO_GAUGE("load_avg_5m", "processes", "load average of five minutes"),
    [METRIC_LOAD_15M] = DYNO_GAUGE(
	"load_avg_15m", "processes", "load average of fifteen minutes"),
    [METRIC_MEMORY_TOTAL] = DYNO_GAUGE("memory_total", "MiB",
	"resident memory, cache and swap together; also from the line "
	"`Process running mem=870M(170.1%)`"),
    [METRIC_MEMORY_RSS] = DYNO_GAUGE("memory_rss", "MiB", "resident memory"),
    [METRIC_MEMORY_CACHE] = DYNO_GAUGE("memory_cache", "MiB", "page cache"),
    [METRIC_MEMORY_SWAP] = DYNO_GAUGE("memory_swap", "MiB", "swapped out"),
    [METRIC_MEMORY_QUOTA] = DYNO_GAUGE("memory_quota", "MiB",
	"what the dyno may use: R14 above it, R15 far above it"),
    [METRIC_MEMORY_PERCENT] = {FAMILY_DYNOS, METRIC_GAUGE,
	"heroku.dyno.%1.%2.memory_percent", "heroku.dyno.memory_percent",
	"type:%1,dyno:%1.%2", "percent",
	"memory in use, as a share of the quota",
	"`heroku`/`<type>.<n>`: `Process running mem=870M(170.1%)`"},
    [METRIC_DYNO_STARTING] = DYNO_STATE("starting"),
    [METRIC_DYNO_UP] = DYNO_STATE("up"),
    [METRIC_DYNO_DOWN] = DYNO_STATE("down"),
    [METRIC_DYNO_CRASHED] = DYNO_STATE("crashed"),
    [METRIC_DYNO_COMPLETE] = DYNO_STATE("complete"),
    [METRIC_DYNO_EXIT] = {FAMILY_DYNOS, METRIC_COUNTER,
	"heroku.dyno.%1.exit.%2", "heroku.dyno.exit", "type:%1,status:%2",
	"exits", "processes of the type that ended with this status, 0 to 255",
	"`heroku`/`<type>.<n>`: `Process exited with status N`"},
    [METRIC_RELEASE] = {FAMILY_RELEASES, METRIC_COUNTER, "heroku.release",
	"heroku.release", "", "releases", "new releases",
	"`app` or `heroku`/`api`: `Release v<n> created by`"},
    [METRIC_ROLLBACK] = {FAMILY_RELEASES, METRIC_COUNTER, "heroku.rollback",
	"heroku.rollback", "", "rollbacks", "rollbacks to an earlier release",
	"`app` or `heroku`/`api`: `Rollback to v<n> by`"},
    [METRIC_FORMATION] = {FAMILY_RELEASES, METRIC_GAUGE, "heroku.formation.%1",
	"heroku.formation", "type:%1", "dynos",
	"dynos of the type, as of the last scaling",
	"`app` or `heroku`/`api`: `Scaled to web@2:Standard-1X worker@1:Basic "
	"by`"},
    [METRIC_POSTGRES] = ADDON("postgres"),
    [METRIC_REDIS] = ADDON("redis"),
    [METRIC_PGBOUNCER] = ADDON("pgbouncer"),
    [METRIC_CUSTOM_COUNT] = CUSTOM(METRIC_COUNTER, "the application's",
	"the sum of the values", "`count#<n>=<whole number>`"),
    [METRIC_CUSTOM_TIME] = CUSTOM(METRIC_TIMER, "ms",
	"each value, seconds as milliseconds", "`measure#<n>=<v>ms`, `<v>s`"),
    [METRIC_CUSTOM_GAUGE] = CUSTOM(
	METRIC_GAUGE, "as in the line", "the last value", "`sample#<n>=<v>`"),
    [METRIC_BATCHES] = DRAIN("batches", "batches",
	"batches counted; none for some minutes means that the drain is down"),
    [METRIC_MESSAGES] = DRAIN("messages", "messages", "messages in them"),
    [METRIC_SKIPPED] =
	DRAIN("skipped", "messages", "messages whose header could not be read"),
    [METRIC_DUPLICATES] = DRAIN("duplicates", "batches",
	"batches not counted because they had been counted before"),
    [METRIC_REFUSED] = DRAIN(
	"refused", "batches", "batches refused despite correct credentials"),
};

#define NAME(literal)                                                          \
	{                                                                      \
		(literal), sizeof(literal) - 1                                 \
	}

const struct metric_family_info metric_families[METRIC_FAMILIES] = {
    [FAMILY_ERRORS] = {NAME("errors"), "a line for each code",
	"Graph the sum over an interval; alert on the code, see "
	"error-codes.md."},
    [FAMILY_LOSS] = {NAME("loss"), "a line or two, if anything was lost",
	"An upper bound: while it is above 0, every other counter may be too "
	"low."},
    [FAMILY_ROUTER] = {NAME("router"), "at most 8 lines",
	"Requests are the denominator of an error ratio; a 5xx may be the "
	"application's own."},
    [FAMILY_LATENCY] = {NAME("latency"), "9 lines",
	"The share of requests within 500 ms is le.500 divided by le.inf, "
	"over any interval and any number of dynos."},
    [FAMILY_TIMINGS] = {NAME("timings"), "200 lines: two for each request",
	"The collector computes percentiles from these, at two lines a "
	"request; "
	"latency costs less."},
    [FAMILY_DYNOS] = {NAME("dynos"),
	"nothing; each dyno gives up to 8 lines about every 20 s",
	"A gauge keeps its last value when a dyno goes away, unless the "
	"collector is told to forget it."},
    [FAMILY_RELEASES] = {NAME("releases"), "nothing; each release gives a line",
	"Mark deployments in other graphs with them."},
    [FAMILY_ADDONS] = {NAME("addons"),
	"nothing; each add-on gives 10 to 25 lines, once in 1 to 5 minutes",
	"Values as the add-on writes them: kB are 1,024 bytes, percentages "
	"fractions of 1."},
    [FAMILY_CUSTOM] = {NAME("custom"),
	"nothing; the application chooses, at most 100 names",
	"An application chooses these names itself, at most 100 in a "
	"request."},
    [FAMILY_DRAIN] = {NAME("drain"), "2 lines",
	"Alert when batches stop: then everything else is silent too."},
};

unsigned
metric_family_bit(struct slice name)
{
	for (unsigned i = 0; i < METRIC_FAMILIES; i++)
		if (slice_equal(name, metric_families[i].name))
			return FAMILY_BIT(i);
	return 0;
}

struct slice
metric_type_text(enum metric_type type)
{
	static const struct slice texts[] = {
	    [METRIC_COUNTER] = NAME("c"),
	    [METRIC_GAUGE] = NAME("g"),
	    [METRIC_TIMER] = NAME("ms"),
	};

	return texts[type];
}
