/*
 * The output of `heroku logs`: one message per line.
 *
 *	2024-01-01T00:00:00.000000+00:00 heroku[router]: at=error code=H12 ...
 *	`TIMESTAMP                       `APP-NAME `PROCID `MSG
 */
#ifndef CLI_HEROKU_LOGS_H
#define CLI_HEROKU_LOGS_H

#include "logplex/syslog_msg.h"

/* Whether the text starts like such a line, which no frame does. */
bool heroku_logs_is(struct slice text);

/*
 * Reads a line, given without its newline; false if it does not have this form.
 * ANSI escape codes, which Heroku's client writes to a terminal, are not
 * expected.
 */
bool heroku_logs_read(struct slice line, struct syslog_msg *out);

#endif
