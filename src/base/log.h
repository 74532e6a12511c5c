/*
 * The log: stderr, one line an event, key=value, event first.
 *
 *	event=refused status=422 app=heaven reason="..." offset=512
 *
 * A log that nobody reads delays the program only briefly: lines are dropped,
 * and once the log takes lines again, one says how many were lost
 * (event=log-stalled).
 *
 * A line is built in memory and written by one write(2), so that lines of
 * several processes do not mix.  It never holds a secret, and a body only at
 * level debug; values from a request are quoted and escaped.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "bounds.h"
#include "base/buf.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* Lines below this level are not written; the initial level is LOG_INFO. */
void log_set_level(enum log_level level);

bool log_enabled(enum log_level level);

struct log_line {
	enum log_level level;
	struct buf text;
	char buf[LOG_LINE_MAX];
};

/* Begin a line, add its pairs, and end it, which writes it. */
void log_begin(struct log_line *line, enum log_level level, const char *event);
void log_word(struct log_line *line, const char *key, struct slice word);
void log_number(struct log_line *line, const char *key, uint64_t number);
void log_quoted(struct log_line *line, const char *key, struct slice value);
void log_end(struct log_line *line);

/* Writes a line that has only a reason. */
void log_reason(enum log_level level, const char *event, struct slice reason);

/* Writes such a line for each line of a text. */
void log_reasons(enum log_level level, const char *event, struct slice text);

#endif
