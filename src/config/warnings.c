#include "config/warnings.h"

#include "base/ascii.h"

/* A shorter shared secret may be guessed: it opens every application. */
enum { SECRET_WISE_MIN = 16 };

/* The value of a variable, or an empty slice if it is not set. */
static struct slice
value_of(char *const *environment, struct slice wanted)
{
	for (; *environment != NULL; environment++) {
		struct slice value = slice_of(*environment), name;

		if (slice_cut(&value, '=', &name) && slice_equal(name, wanted))
			return value;
	}
	return (struct slice){NULL, 0};
}

static void
warn(FILE *err, struct slice variable, const char *sentence)
{
	fprintf(err, "warning: %.*s: %s\n", SLICE_ARG(variable), sentence);
}

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

/* Logplex neither decodes %XX nor delivers anything with a second colon. */
static void
warn_of_url(FILE *err, struct slice variable, struct slice s)
{
	if (!is_plain_in_url(s))
		warn(err, variable,
		    "a drain URL carries letters, digits and -._~!$&'()*+,;= "
		    "only, and Logplex does not decode %XX; choose another "
		    "password");
}

static void
warn_of_secret(const struct config *config, char *const *environment, FILE *err)
{
	struct slice secret = value_of(environment, SLICE("API_SECRET"));

	if (!config->credentials.shared[CREDENTIALS_CURRENT].set) {
		if (config->credentials.shared[CREDENTIALS_PREVIOUS].set)
			warn(err, SLICE("API_PREVIOUS_SECRET"),
			    "not accepted while API_SECRET is not set");
		return;
	}
	if (secret.len < SECRET_WISE_MIN)
		warn(err, SLICE("API_SECRET"),
		    "shorter than 16 characters; it opens every application "
		    "without credentials of its own");
	warn_of_url(err, SLICE("API_SECRET"), secret);
}

static void
warn_of_credentials(FILE *err, struct slice variable, struct slice password)
{
	struct slice user;

	if (!slice_cut(&password, ':', &user))
		return;
	if (user.len == 0)
		warn(err, variable,
		    "the user is empty: Logplex leaves it out and sends the "
		    "password as the user; write user:password");
	if (!is_plain_in_url(user))
		warn_of_url(err, variable, user);
	else
		warn_of_url(err, variable, password);
}

/* my-app takes API_CREDENTIALS_MY-APP alone, once both are set. */
static void
warn_of_sharing(char *const *environment, struct slice variable, FILE *err)
{
	char folded[sizeof("API_CREDENTIALS_") + APP_MAX];
	struct buf name = BUF_IN(folded);

	for (size_t i = 0; i < variable.len; i++)
		buf_put(&name,
		    variable.ptr[i] == '-'
			? SLICE("_")
			: slice_after(slice_head(variable, i + 1), i));
	if (slice_equal(buf_slice(&name), variable) ||
	    value_of(environment, buf_slice(&name)).len == 0)
		return;
	fprintf(err,
	    "warning: %.*s: %.*s is set too, for the same name with _; the "
	    "one with - takes this variable alone\n",
	    SLICE_ARG(variable), SLICE_ARG(buf_slice(&name)));
}

static void
warn_of_applications(char *const *environment, FILE *err)
{
	for (char *const *e = environment; *e != NULL; e++) {
		struct slice value = slice_of(*e), name;

		if (!slice_cut(&value, '=', &name) ||
		    !slice_starts_with(name, SLICE("API_CREDENTIALS_")))
			continue;
		warn_of_credentials(err, name, value);
		warn_of_sharing(environment, name, err);
	}
}

/* What has to hold outside this program, where it cannot look. */
static void
warn_of_trust(const struct config *config, FILE *err)
{
	fputs("warning: AUTH=remote-user takes the web server's word for who "
	      "a client is: it must check the password of every request, and "
	      "nothing else may reach this program's socket "
	      "(docs/web-servers.md)\n",
	    err);
	if (config->credentials.shared[CREDENTIALS_CURRENT].set)
		fputs("warning: API_SECRET has no effect with "
		      "AUTH=remote-user\n",
		    err);
}

static void
warn_of_passwords(
    const struct config *config, char *const *environment, FILE *err)
{
	const struct credentials *c = &config->credentials;

	if (c->count == 0 && !c->shared[CREDENTIALS_CURRENT].set)
		warn(err, SLICE("API_CREDENTIALS_<APP>"),
		    "not set, nor is API_SECRET: every batch is answered 401");
	warn_of_secret(config, environment, err);
	warn_of_applications(environment, err);
}

void
warnings_print(const struct config *config, char *const *environment, FILE *err)
{
	if (config->default_cluster &&
	    value_of(environment, SLICE("DYNO")).len > 0)
		warn(err, SLICE("METRICS_CLUSTER"),
		    "not set, and this is a dyno: nobody listens on its "
		    "127.0.0.1, so every counter is lost");
	if (config->remote_user)
		warn_of_trust(config, err);
	else
		warn_of_passwords(config, environment, err);
}
