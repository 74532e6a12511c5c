#include "base/log.h"

#include <poll.h>
#include <unistd.h>

#include "base/clock.h"

static enum log_level threshold = LOG_INFO;

static struct {
	int64_t since;    /* by clock_ms: when an interval of waiting began */
	int64_t waited;   /* milliseconds waited in it */
	uint64_t dropped; /* lines since the last one written */
} stall;

void
log_set_level(enum log_level level)
{
	threshold = level;
}

bool
log_enabled(enum log_level level)
{
	return level >= threshold;
}

void
log_begin(struct log_line *line, enum log_level level, const char *event)
{
	line->level = level;
	line->text = BUF_IN(line->buf);
	line->text.cap--; /* for the newline */
	buf_put(&line->text, SLICE("event="));
	buf_put_string(&line->text, event);
}

static void
put_key(struct log_line *line, const char *key)
{
	buf_put(&line->text, SLICE(" "));
	buf_put_string(&line->text, key);
	buf_put(&line->text, SLICE("="));
}

void
log_word(struct log_line *line, const char *key, struct slice word)
{
	put_key(line, key);
	buf_put_visible(&line->text, word);
}

void
log_number(struct log_line *line, const char *key, uint64_t number)
{
	put_key(line, key);
	buf_put_number(&line->text, number);
}

void
log_quoted(struct log_line *line, const char *key, struct slice value)
{
	put_key(line, key);
	buf_put_quoted(&line->text, value);
}

static bool
is_writable(int64_t wait)
{
	struct pollfd log = {STDERR_FILENO, POLLOUT, 0};

	return poll(&log, 1, (int)wait) > 0;
}

/*
 * Whether the log takes a line now.  A stalled reader must not stall this
 * program: the total wait of all lines is limited, and once a line was dropped
 * the next ones do not wait.
 */
static bool
takes_line(void)
{
	int64_t began;
	bool writable = is_writable(0);

	if (writable || stall.dropped > 0)
		return writable;
	began = clock_ms();
	if (began - stall.since >= LOG_WAIT_INTERVAL_MS) {
		stall.since = began;
		stall.waited = 0;
	}
	if (stall.waited >= LOG_WAIT_MS)
		return false;
	writable = is_writable(LOG_WAIT_MS - stall.waited);
	stall.waited += clock_ms() - began;
	return writable;
}

static bool
write_line(struct log_line *line)
{
	line->text.cap++;
	buf_put(&line->text, SLICE("\n"));
	return takes_line() &&
	    write(STDERR_FILENO, line->text.ptr, line->text.len) >= 0;
}

static bool
report_dropped(void)
{
	struct log_line line;

	if (stall.dropped == 0)
		return true;
	log_begin(&line, LOG_ERROR, "log-stalled");
	log_number(&line, "dropped", stall.dropped);
	if (!write_line(&line))
		return false;
	stall.dropped = 0;
	return true;
}

void
log_end(struct log_line *line)
{
	if (log_enabled(line->level) && !(report_dropped() && write_line(line)))
		stall.dropped++;
}

void
log_reason(enum log_level level, const char *event, struct slice reason)
{
	struct log_line line;

	log_begin(&line, level, event);
	log_quoted(&line, "reason", reason);
	log_end(&line);
}

void
log_reasons(enum log_level level, const char *event, struct slice text)
{
	struct slice line;

	while (slice_take_element(&text, '\n', &line))
		log_reason(level, event, line);
}
