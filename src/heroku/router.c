#include "heroku/router.h"

#include "base/buf.h"
#include "heroku/number.h"

/* The longest value read: 15 digits and a unit. */
enum { VALUE_MAX = 17, STATUS_DIGITS = 3 };

/*
 * ROUTER_KEYS if the pair is not used.  A line has about fourteen pairs; the
 * lengths of their keys distinguish most of them.
 */
static enum router_key
key_of(struct slice key)
{
	switch (key.len) {
	case 2:
		return slice_equal(key, SLICE("at")) ? ROUTER_AT : ROUTER_KEYS;
	case 4:
		return slice_equal(key, SLICE("code")) ? ROUTER_CODE
						       : ROUTER_KEYS;
	case 5:
		return slice_equal(key, SLICE("bytes")) ? ROUTER_BYTES
							: ROUTER_KEYS;
	case 6:
		return slice_equal(key, SLICE("status")) ? ROUTER_STATUS
							 : ROUTER_KEYS;
	case 7:
		if (slice_equal(key, SLICE("service")))
			return ROUTER_SERVICE;
		return slice_equal(key, SLICE("connect")) ? ROUTER_CONNECT
							  : ROUTER_KEYS;
	default:
		return ROUTER_KEYS;
	}
}

/* Hot: the reader of pairs is inlined, as in error.c and dyno.c. */
__attribute__((flatten)) void
router_scan(struct slice text, struct router_line *line)
{
	struct logfmt pairs = logfmt_of(text);
	struct logfmt_pair pair;

	line->found = 0;
	while (logfmt_next(&pairs, &pair)) {
		enum router_key key = key_of(pair.key);

		if (key == ROUTER_KEYS || (line->found & 1U << key))
			continue;
		line->found |= 1U << key;
		line->pairs[key] = pair;
	}
}

const struct logfmt_pair *
router_pair(const struct router_line *line, enum router_key key)
{
	static const struct logfmt_pair none;

	return line->found & 1U << key ? &line->pairs[key] : &none;
}

static enum metric_id
status_class(struct slice status)
{
	size_t number;

	if (status.len != STATUS_DIGITS ||
	    !slice_take_number(&status, STATUS_DIGITS, &number) ||
	    status.len > 0 || number < 100 || number > 599)
		return METRIC_STATUS_NONE;
	return (enum metric_id)(METRIC_STATUS_1XX + number / 100 - 1);
}

/* Milliseconds: "5ms" or "5". */
static bool
read_ms(struct slice s, uint64_t *ms)
{
	if (s.len > 2 && s.ptr[s.len - 2] == 'm' && s.ptr[s.len - 1] == 's')
		s.len -= 2;
	return number_read_whole(s, ms);
}

/*
 * Reads a value; false if it is absent or not a number; the latter is a flaw.
 */
static bool
read_value(const struct logfmt_pair *pair,
    bool (*read)(struct slice, uint64_t *), uint64_t *number, const char **flaw)
{
	char buf[VALUE_MAX + 1];
	struct slice value = logfmt_value(pair, buf, VALUE_MAX);

	if (value.len > 0 && read(value, number))
		return true;
	if (value.len > 0)
		*flaw = number_flaw;
	return false;
}

/*
 * Each limit counts every request that took no longer, so it includes the limit
 * before it.
 */
static void
tally_latency(struct tally *tally, uint64_t ms)
{
	static const uint64_t limits[] = {
	    100, 250, 500, 1000, 2500, 5000, 10000, 30000, UINT64_MAX};

	for (int i = 0; i <= METRIC_LE_INF - METRIC_LE_100; i++)
		tally->counts[METRIC_LE_100 + i] += ms <= limits[i];
	tally->has_counts = true;
}

static void
tally_ms(struct tally *tally, enum metric_id metric, uint64_t ms)
{
	char digits[NUMBER_MAX];
	struct buf text = BUF_IN(digits);

	buf_put_number(&text, ms);
	tally_time(tally, metric, buf_slice(&text));
}

static unsigned
tally_times(const struct router_line *line, unsigned families,
    struct tally *tally, const char **flaw)
{
	uint64_t service, connect;

	if (!read_value(
		router_pair(line, ROUTER_SERVICE), read_ms, &service, flaw))
		return 0;
	if (families & FAMILY_BIT(FAMILY_LATENCY))
		tally_latency(tally, service);
	if (families & FAMILY_BIT(FAMILY_TIMINGS)) {
		tally_ms(tally, METRIC_SERVICE, service);
		if (read_value(router_pair(line, ROUTER_CONNECT), read_ms,
			&connect, flaw))
			tally_ms(tally, METRIC_CONNECT, connect);
	}
	return families &
	    (FAMILY_BIT(FAMILY_LATENCY) | FAMILY_BIT(FAMILY_TIMINGS));
}

static void
tally_request(const struct router_line *line, struct slice status,
    struct tally *tally, const char **flaw)
{
	uint64_t bytes;

	tally_count(tally, METRIC_REQUESTS, 1);
	tally_count(tally, status_class(status), 1);
	if (read_value(router_pair(line, ROUTER_BYTES), number_read_whole,
		&bytes, flaw))
		tally_count(tally, METRIC_BYTES, bytes);
}

unsigned
router_tally(const struct router_line *line, unsigned families,
    struct tally *tally, const char **flaw)
{
	char buf[VALUE_MAX + 1];
	struct slice status =
	    logfmt_value(router_pair(line, ROUTER_STATUS), buf, VALUE_MAX);
	unsigned given = families & FAMILY_BIT(FAMILY_ROUTER);

	if (router_pair(line, ROUTER_AT)->value.len == 0)
		return 0;
	if (given)
		tally_request(line, status, tally, flaw);
	/* A WebSocket's service time is how long it was open. */
	if (!slice_equal(status, SLICE("101")))
		given |= tally_times(line, families, tally, flaw);
	return given;
}
