#include "config/config.h"

#include "base/ascii.h"
#include "statsd/line.h"
#include "statsd/redact.h"
#include "statsd/signature.h"

#define DEFAULT_CLUSTER "statsd://127.0.0.1:8126,statsd://127.0.0.1:8127"

/* A shorter shared secret may be guessed: it opens every application. */
enum { SECRET_WISE_MIN = 16 };

/* What is being loaded, and the variable that is being read. */
struct loading {
	struct config *config;
	struct findings *findings;
	struct buf passwords; /* warnings for where this program checks them */
	struct slice variable;
	struct slice app; /* the end of a name such as API_CREDENTIALS_<APP> */
	bool on_dyno;
};

static void
put_finding(struct buf *t, struct slice variable, const char *sentence)
{
	buf_put_visible(t, variable);
	buf_put(t, SLICE(": "));
	buf_put_string(t, sentence);
	buf_put(t, SLICE("\n"));
}

static void
put_collector_finding(
    struct buf *t, size_t number, struct slice uri, const char *sentence)
{
	buf_put(t, SLICE("METRICS_CLUSTER: collector "));
	buf_put_number(t, number);
	buf_put(t, SLICE(", "));
	redact_uri(t, uri);
	buf_put(t, SLICE(": "));
	buf_put_string(t, sentence);
	buf_put(t, SLICE("\n"));
}

static void
put_address_fault(struct loading *l, size_t number, const struct uri *uri,
    const char *sentence)
{
	char buf[HOST_MAX + sizeof("statsd://[]:65535")];
	struct buf address = BUF_IN(buf);

	uri_put_address(&address, uri);
	put_collector_finding(
	    &l->findings->faults, number, buf_slice(&address), sentence);
}

static void
read_collector(struct loading *l, size_t number, struct slice uri)
{
	struct config *config = l->config;
	struct uri *collector = &config->collectors[config->collector_count];
	const char *fault = config->collector_count == COLLECTORS_MAX
	    ? "there may be 256 collectors at most"
	    : uri_parse(uri, collector);

	if (fault != NULL) {
		put_collector_finding(&l->findings->faults, number, uri, fault);
		return;
	}
	if (!collector->has_port)
		put_collector_finding(&l->findings->warnings, number, uri,
		    "no port given: 8126 is used, but statsd itself listens "
		    "on 8125 by default");
	config->collector_count++;
}

/* An "@" ahead and no "://" before it: that comma stands inside a key. */
static bool
is_cut_in_key(struct slice rest)
{
	struct slice before, scheme;

	if (!slice_cut(&rest, '@', &before))
		return false;
	while (slice_cut(&before, ':', &scheme))
		if (slice_starts_with(before, SLICE("//")))
			return false;
	return true;
}

static void
read_cluster(struct loading *l, struct slice list)
{
	struct slice uri;
	size_t number = 1;

	l->config->collector_count = 0;
	for (; slice_cut(&list, ',', &uri); number++)
		if (is_cut_in_key(list))
			put_collector_finding(&l->findings->faults, number,
			    SLICE("***"),
			    "a comma inside a key is written %2C");
		else
			read_collector(l, number, slice_trim(uri));
	read_collector(l, number, slice_trim(list));
}

static const char *
load_cluster(struct loading *l, struct slice value)
{
	l->config->default_cluster = false;
	read_cluster(l, value);
	return NULL;
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
warn_of_url(struct loading *l, struct slice user, struct slice password)
{
	if (!is_plain_in_url(user) || !is_plain_in_url(password))
		put_finding(&l->passwords, l->variable,
		    "a drain URL carries letters, digits and -._~!$&'()*+,;= "
		    "only, and Logplex does not decode %XX; choose another "
		    "password");
}

static const char *
load_credentials(struct loading *l, struct slice value)
{
	struct slice user = {0}, password = value;
	const char *fault = credentials_add(
	    &l->config->credentials, l->app, CREDENTIALS_CURRENT, value);

	if (fault != NULL)
		return fault;
	slice_cut(&password, ':', &user);
	if (user.len == 0)
		put_finding(&l->passwords, l->variable,
		    "the user is empty: Logplex leaves it out and sends the "
		    "password as the user; write user:password");
	warn_of_url(l, user, password);
	return NULL;
}

static const char *
load_previous_credentials(struct loading *l, struct slice value)
{
	return credentials_add(
	    &l->config->credentials, l->app, CREDENTIALS_PREVIOUS, value);
}

static const char *
load_secret(struct loading *l, struct slice value)
{
	if (value.len < SECRET_WISE_MIN)
		put_finding(&l->passwords, l->variable,
		    "shorter than 16 characters; it opens every application "
		    "without credentials of its own");
	warn_of_url(l, value, value);
	return credentials_set_shared(
	    &l->config->credentials, CREDENTIALS_CURRENT, value);
}

static const char *
load_previous_secret(struct loading *l, struct slice value)
{
	return credentials_set_shared(
	    &l->config->credentials, CREDENTIALS_PREVIOUS, value);
}

static const char *
load_auth(struct loading *l, struct slice value)
{
	l->config->remote_user = slice_equal(value, SLICE("remote-user"));
	if (!l->config->remote_user && !slice_equal(value, SLICE("self")))
		return "must be self or remote-user";
	return NULL;
}

static const char *
load_levels(struct loading *l, struct slice value)
{
	struct slice name;
	bool more = true;

	l->config->rules.errors.levels = 0;
	while (more) {
		unsigned level;

		more = slice_cut(&value, ',', &name);
		level = error_level(slice_trim(more ? name : value));
		if (level == 0)
			return "must be any of error, warning and info, "
			       "separated by commas";
		l->config->rules.errors.levels |= level;
	}
	return NULL;
}

static const char *
load_platform_only(struct loading *l, struct slice value)
{
	l->config->rules.errors.platform_only = slice_equal(value, SLICE("1"));
	if (!l->config->rules.errors.platform_only &&
	    !slice_equal(value, SLICE("0")))
		return "must be 0 or 1";
	return NULL;
}

static const char *
load_duplicates(struct loading *l, struct slice value)
{
	l->config->count_duplicates = slice_equal(value, SLICE("count"));
	if (!l->config->count_duplicates && !slice_equal(value, SLICE("drop")))
		return "must be drop or count";
	return NULL;
}

static const char *
load_frames_file(struct loading *l, struct slice value)
{
	if (!slice_starts_with(value, SLICE("/")))
		return "must be a path that starts with a slash";
	if (value.len > FRAMES_FILE_MAX)
		return "must have at most 1024 bytes";
	l->config->frames_file = value;
	return NULL;
}

static const char *
load_metrics(struct loading *l, struct slice value)
{
	return counting_parse_metrics(&l->config->counting, value);
}

static const char *
load_tags(struct loading *l, struct slice value)
{
	return counting_parse_tags(&l->config->counting, value);
}

static const char *
load_zeros(struct loading *l, struct slice value)
{
	return counting_parse_zeros(&l->config->counting, value);
}

static const char *
load_prefix(struct loading *l, struct slice value)
{
	return counting_parse_prefix(&l->config->counting, l->app, value);
}

static const char *
load_log_level(struct loading *l, struct slice value)
{
	static const struct {
		const char *name;
		enum log_level level;
	} names[] = {{"debug", LOG_DEBUG}, {"info", LOG_INFO},
	    {"warning", LOG_WARNING}, {"error", LOG_ERROR}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_equal(value, slice_of(names[i].name))) {
			l->config->log_level = names[i].level;
			return NULL;
		}
	return "must be debug, info, warning or error";
}

static const char *
load_base_path(struct loading *l, struct slice value)
{
	while (value.len > 0 && value.ptr[value.len - 1] == '/')
		value = slice_head(value, value.len - 1);
	if (value.len > 0 && value.ptr[0] != '/')
		return "must start with a slash";
	if (value.len > BASE_PATH_MAX)
		return "must have at most 256 bytes";
	l->config->base_path = value;
	return NULL;
}

static const char *
note_dyno(struct loading *l, struct slice value)
{
	l->on_dyno = value.len > 0;
	return NULL;
}

/* A misspelt variable does nothing, and says nothing of it. */
static const char *
warn_of_unknown(struct loading *l, struct slice value)
{
	(void)value;
	put_finding(&l->findings->warnings, l->variable,
	    "not a variable of this program; is it misspelt?");
	return NULL;
}

enum match { WHOLE, FRONT };

/* The first row that fits a variable's name, whole or in front, reads it. */
static const struct {
	const char *name;
	enum match match;
	const char *(*load)(struct loading *, struct slice value);
} variables[] = {
    {"METRICS_CLUSTER", WHOLE, load_cluster},
    {"API_CREDENTIALS_", FRONT, load_credentials},
    {"API_PREVIOUS_CREDENTIALS_", FRONT, load_previous_credentials},
    {"API_SECRET", WHOLE, load_secret},
    {"API_PREVIOUS_SECRET", WHOLE, load_previous_secret},
    {"AUTH", WHOLE, load_auth},
    {"LEVELS", WHOLE, load_levels},
    {"PLATFORM_ONLY", WHOLE, load_platform_only},
    {"DUPLICATES", WHOLE, load_duplicates},
    {"FRAMES_FILE", WHOLE, load_frames_file},
    {"LOG_LEVEL", WHOLE, load_log_level},
    {"BASE_PATH", WHOLE, load_base_path},
    {"METRICS", WHOLE, load_metrics},
    {"PREFIX_", FRONT, load_prefix},
    {"TAGS", WHOLE, load_tags},
    {"ZEROS", WHOLE, load_zeros},
    {"DYNO", WHOLE, note_dyno},
    {"API_", FRONT, warn_of_unknown},
    {"METRIC", FRONT, warn_of_unknown},
    {"LEVEL", FRONT, warn_of_unknown},
    {"DUPLICATE", FRONT, warn_of_unknown},
    {"ZERO", FRONT, warn_of_unknown},
    {"TAG", FRONT, warn_of_unknown},
};

static void
load_variable(struct loading *l, struct slice value)
{
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *fault;

		l->app = l->variable;
		if (!slice_take(&l->app, slice_of(variables[i].name)) ||
		    (variables[i].match == WHOLE && l->app.len > 0))
			continue;
		fault = variables[i].load(l, value);
		if (fault != NULL)
			put_finding(&l->findings->faults, l->variable, fault);
		return;
	}
}

/* my-app takes API_CREDENTIALS_MY-APP alone, once both are set. */
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
		    SLICE(" is set too, for the same name with _; the one "
			  "with - takes this variable alone\n"));
	}
}

/* What one variable means for another where this program checks passwords. */
static void
warn_of_passwords(struct buf *warnings, const struct credentials *c)
{
	bool shared = c->shared[CREDENTIALS_CURRENT].set;

	if (c->count == 0 && !shared)
		put_finding(warnings, SLICE("API_CREDENTIALS_<APP>"),
		    "not set, nor is API_SECRET: every batch is answered 401");
	if (c->shared[CREDENTIALS_PREVIOUS].set && !shared)
		put_finding(warnings, SLICE("API_PREVIOUS_SECRET"),
		    "not accepted while API_SECRET is not set");
	warn_of_sharing(warnings, c);
}

/* What has to hold outside this program, where it cannot look. */
static void
warn_of_trust(struct buf *warnings, const struct credentials *c)
{
	buf_put(warnings,
	    SLICE("AUTH=remote-user takes the web server's word for who a "
		  "client is: it must check the password of every request, "
		  "and nothing else may reach this program's socket "
		  "(docs/web-servers.md)\n"));
	if (c->shared[CREDENTIALS_CURRENT].set)
		buf_put(warnings,
		    SLICE("API_SECRET has no effect with AUTH=remote-user\n"));
}

/* Whether the longest line fits depends on what is counted. */
static void
check_datagrams(struct loading *l)
{
	const struct counting *c = &l->config->counting;
	size_t app_max = c->prefix_count > 0 ? PREFIX_MAX : APP_MAX;

	for (size_t i = 0; i < l->config->collector_count; i++) {
		const struct uri *uri = &l->config->collectors[i];
		struct line_style style = uri_line_style(uri, c->tags);
		size_t signature = uri->key_len > 0 ? SIGNATURE_LEN : 0;

		if (uri->datagram > 0 &&
		    uri->datagram <
			signature + line_max(&style, app_max, c->families))
			put_address_fault(l, i + 1, uri,
			    "datagram= is too small for the longest line");
	}
}

/* Many lines a request, each in a datagram of its own, are costly. */
static void
warn_of_datagrams(struct loading *l)
{
	const struct config *config = l->config;

	if (config->counting.families == FAMILY_BIT(FAMILY_ERRORS))
		return;
	for (size_t i = 0; i < config->collector_count; i++) {
		if (config->collectors[i].datagram > 0)
			continue;
		put_finding(&l->findings->warnings, SLICE("METRICS"),
		    "with families other than errors, each line is a datagram "
		    "of its own at a collector without ?datagram=1432");
		return;
	}
}

static void
warn_of_the_whole(struct loading *l)
{
	const struct config *config = l->config;
	struct buf *warnings = &l->findings->warnings;

	if (config->default_cluster && l->on_dyno)
		put_finding(warnings, SLICE("METRICS_CLUSTER"),
		    "not set, and this is a dyno: nobody listens on its "
		    "127.0.0.1, so every counter is lost");
	warn_of_datagrams(l);
	if (config->remote_user) {
		warn_of_trust(warnings, &config->credentials);
	} else {
		buf_put(warnings, buf_slice(&l->passwords));
		warn_of_passwords(warnings, &config->credentials);
	}
}

void
config_load(
    struct config *config, char *const *environment, struct findings *findings)
{
	char passwords[FAULTS_MAX];
	struct loading l = {config, findings, .passwords = BUF_IN(passwords)};

	credentials_init(&config->credentials);
	config->default_cluster = true;
	read_cluster(&l, SLICE(DEFAULT_CLUSTER));
	config->rules.errors.levels = ERROR_LEVEL_ERROR | ERROR_LEVEL_WARNING;
	config->counting.families = FAMILY_BIT(FAMILY_ERRORS);
	config->log_level = LOG_INFO;
	for (; *environment != NULL; environment++) {
		struct slice value = slice_of(*environment);

		if (slice_cut(&value, '=', &l.variable))
			load_variable(&l, value);
	}
	counting_sort(&config->counting);
	config->rules.families = config->counting.families;
	check_datagrams(&l);
	warn_of_the_whole(&l);
}
