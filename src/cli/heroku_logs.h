/*
 * The output of `heroku logs`: a message a line.
 *
 *	2024-01-01T00:00:00.000000+00:00 heroku[router]: at=error code=H12 ...
 *	`TIMESTAMP                       `APP-NAME `PROCID `MSG
 */
#ifndef CLI_HEROKU_LOGS_H
#define CLI_HEROKU_LOGS_H

#include "logplex/syslog_msg.h"

/* Whether the text starts as such a line does: no frame starts like that. */
bool heroku_logs_is(struct slice text);

/*
 * Takes a line, without its end, and reads it; false if it is none of this
 * form.  ANSI escape codes, as a terminal gets them, are not expected.
 */
bool heroku_logs_read(struct slice line, struct syslog_msg *out);

#endif
