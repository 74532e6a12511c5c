/*
 * A SYSLOG-MSG as Logplex writes it: the header of RFC 5424 section 6.2, but
 * without STRUCTURED-DATA or anything in its place.
 *
 *	<158>1 2022-06-13T14:52:23.622778+00:00 host heroku router - at=info ...
 *	|PRI|  TIMESTAMP                        |    |      |      | MSG
 *	     VERSION                     HOSTNAME    |      |      MSGID
 *	                                      APP-NAME      PROCID
 */
#ifndef LOGPLEX_SYSLOG_MSG_H
#define LOGPLEX_SYSLOG_MSG_H

#include "base/slice.h"

/* The fields that are used; all lie in the message given. */
struct syslog_msg {
	struct slice app_name;
	struct slice procid;
	struct slice msg; /* what follows MSGID and one space, or empty */
};

/*
 * Splits a SYSLOG-MSG at the single spaces of its header.  PRI must be one to
 * three digits in angle brackets and VERSION one to three digits without a
 * leading zero; the other fields are not judged, but none may be empty.  False
 * if the header cannot be read.
 */
bool syslog_msg_parse(struct slice bytes, struct syslog_msg *out);

/*
 * Removes STRUCTURED-DATA and the space after it from the front of MSG, for
 * senders that do write it (RFC 5424 section 6.3):
 *
 *	STRUCTURED-DATA = NILVALUE / 1*SD-ELEMENT
 *	SD-ELEMENT      = "[" SD-ID *(SP PARAM-NAME "=" %d34 VALUE %d34) "]"
 *
 * In VALUE a backslash escapes the byte after it; a bare "]" is tolerated, as
 * some senders do not escape it.  False, leaving MSG alone, if it starts with
 * anything else, which then is text of the message.
 */
bool syslog_msg_take_structured_data(struct slice *msg);

/*
 * The text that is judged: MSG without leading STRUCTURED-DATA, and without the
 * BOM of RFC 5424 section 6.4 before the text.  A MSG that starts with
 * well-formed STRUCTURED-DATA gives nothing if read unchanged: its first word
 * is neither "Error" nor a pair.
 */
struct slice syslog_msg_text(const struct syslog_msg *message);

#endif
