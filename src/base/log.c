#include "base/log.h"

#include <poll.h>
#include <unistd.h>

static enum log_level threshold = LOG_INFO;

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

void
log_end(struct log_line *line)
{
	struct pollfd log = {STDERR_FILENO, POLLOUT, 0};
	ssize_t ignored;

	if (!log_enabled(line->level))
		return;
	/* Whoever reads the log may have stalled; that must not spread. */
	if (poll(&log, 1, LOG_WAIT_MS) <= 0)
		return;
	line->text.cap++;
	buf_put(&line->text, SLICE("\n"));
	/* A log that cannot be written has nowhere to say so. */
	ignored = write(STDERR_FILENO, line->text.ptr, line->text.len);
	(void)ignored;
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
