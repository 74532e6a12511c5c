#include "config/loading.h"

#include "base/ascii.h"

/* A shorter shared secret could be guessed, and it opens every application. */
enum { SECRET_WISE_MIN = 16 };

/* RFC 3986: unreserved and sub-delims stand for themselves in a userinfo. */
static bool
is_plain_in_url(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_is_alnum(s.ptr[i]) &&
		    !slice_contains(SLICE("-._~!$&'()*+,;="), s.ptr[i]))
			return false;
	return true;
}

/*
 * Logplex does not decode %XX, and delivers nothing if there is a second colon.
 */
static void
warn_of_url(struct loading *l, struct slice user, struct slice password)
{
	if (!is_plain_in_url(user) || !is_plain_in_url(password))
		loading_note(&l->passwords, l->variable,
		    "a drain URL can hold only letters, digits and "
		    "-._~!$&'()*+,;= and Logplex does not decode %XX; choose "
		    "another "
		    "password");
}

const char *
load_credentials(struct loading *l, struct slice value)
{
	struct slice user = {0}, password = value;
	const char *fault = credentials_add(
	    &l->config->credentials, l->app, CREDENTIALS_CURRENT, value);

	if (fault != NULL)
		return fault;
	slice_cut(&password, ':', &user);
	if (user.len == 0)
		loading_note(&l->passwords, l->variable,
		    "the user is empty: Logplex leaves it out and sends the "
		    "password as the user; write user:password");
	warn_of_url(l, user, password);
	return NULL;
}

const char *
load_previous_credentials(struct loading *l, struct slice value)
{
	return credentials_add(
	    &l->config->credentials, l->app, CREDENTIALS_PREVIOUS, value);
}

const char *
load_secret(struct loading *l, struct slice value)
{
	if (value.len < SECRET_WISE_MIN)
		loading_note(&l->passwords, l->variable,
		    "shorter than 16 characters; it opens every application "
		    "that has no credentials");
	warn_of_url(l, value, value);
	return credentials_set_shared(
	    &l->config->credentials, CREDENTIALS_CURRENT, value);
}

const char *
load_previous_secret(struct loading *l, struct slice value)
{
	return credentials_set_shared(
	    &l->config->credentials, CREDENTIALS_PREVIOUS, value);
}

const char *
load_auth(struct loading *l, struct slice value)
{
	l->config->remote_user = slice_equal(value, SLICE("remote-user"));
	if (!l->config->remote_user && !slice_equal(value, SLICE("self")))
		return "must be self or remote-user";
	return NULL;
}

/* If both are set, my-app accepts API_CREDENTIALS_MY-APP only. */
static void
warn_of_sharing(struct buf *warnings, const struct credentials *c)
{
	for (size_t i = 0; i < c->count; i++) {
		struct slice name = application_name(&c->applications[i]);
		const struct application *folded =
		    credentials_folded(c, &c->applications[i]);

		if (folded == NULL)
			continue;
		buf_put(warnings, SLICE("API_CREDENTIALS_"));
		buf_put(warnings, name);
		buf_put(warnings, SLICE(": API_CREDENTIALS_"));
		buf_put(warnings, application_name(folded));
		buf_put(warnings,
		    SLICE(" is also set, for the same name with _; the one "
			  "with - uses only this variable\n"));
	}
}

/* Warnings for where this program checks passwords. */
static void
warn_of_passwords(struct buf *warnings, const struct credentials *c)
{
	bool shared = c->shared[CREDENTIALS_CURRENT].set;

	if (c->count == 0 && !shared)
		loading_note(warnings, SLICE("API_CREDENTIALS_<APP>"),
		    "not set, nor is API_SECRET: every batch is answered 401");
	if (c->shared[CREDENTIALS_PREVIOUS].set && !shared)
		loading_note(warnings, SLICE("API_PREVIOUS_SECRET"),
		    "not accepted while API_SECRET is not set");
	warn_of_sharing(warnings, c);
}

/* Requirements that this program cannot check. */
static void
warn_of_trust(struct buf *warnings, const struct credentials *c)
{
	buf_put(warnings,
	    SLICE("AUTH=remote-user trusts the web server to say who a "
		  "client is: it must check the password of every request, "
		  "and nothing else may reach this program's socket "
		  "(docs/web-servers.md)\n"));
	if (c->shared[CREDENTIALS_CURRENT].set)
		buf_put(warnings,
		    SLICE("API_SECRET has no effect with AUTH=remote-user\n"));
}

void
judge_passwords(struct loading *l)
{
	const struct credentials *c = &l->config->credentials;
	struct buf *warnings = &l->findings->warnings;

	if (l->config->remote_user) {
		warn_of_trust(warnings, c);
	} else {
		buf_put(warnings, buf_slice(&l->passwords));
		warn_of_passwords(warnings, c);
	}
}
