#include "config/config.h"

#include "base/ascii.h"
#include "statsd/redact.h"

#define DEFAULT_CLUSTER "statsd://127.0.0.1:8126,statsd://127.0.0.1:8127"

static void
put_fault(struct buf *faults, struct slice variable, const char *sentence)
{
	buf_put_visible(faults, variable);
	buf_put(faults, SLICE(": "));
	buf_put_string(faults, sentence);
	buf_put(faults, SLICE("\n"));
}

static void
put_collector_fault(
    struct buf *faults, size_t number, struct slice uri, const char *sentence)
{
	buf_put(faults, SLICE("METRICS_CLUSTER: collector "));
	buf_put_number(faults, number);
	buf_put(faults, SLICE(", "));
	redact_uri(faults, uri);
	buf_put(faults, SLICE(": "));
	buf_put_string(faults, sentence);
	buf_put(faults, SLICE("\n"));
}

static void
load_collector(
    struct config *config, size_t number, struct slice uri, struct buf *faults)
{
	const char *fault;

	if (config->collector_count == COLLECTORS_MAX) {
		put_collector_fault(
		    faults, number, uri, "there may be 256 collectors at most");
		return;
	}
	fault = uri_parse(uri, &config->collectors[config->collector_count]);
	if (fault == NULL)
		config->collector_count++;
	else
		put_collector_fault(faults, number, uri, fault);
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
load_cluster(struct config *config, struct slice list, struct buf *faults)
{
	struct slice uri;
	size_t number = 1;

	config->collector_count = 0;
	for (; slice_cut(&list, ',', &uri); number++)
		if (is_cut_in_key(list))
			put_collector_fault(faults, number, SLICE("***"),
			    "a comma inside a key is written %2C");
		else
			load_collector(config, number, slice_trim(uri), faults);
	load_collector(config, number, slice_trim(list), faults);
}

static const char *
load_secret(struct config *config, struct slice value)
{
	return credentials_set_shared(
	    &config->credentials, CREDENTIALS_CURRENT, value);
}

static const char *
load_previous_secret(struct config *config, struct slice value)
{
	return credentials_set_shared(
	    &config->credentials, CREDENTIALS_PREVIOUS, value);
}

static const char *
load_auth(struct config *config, struct slice value)
{
	config->remote_user = slice_equal(value, SLICE("remote-user"));
	if (!config->remote_user && !slice_equal(value, SLICE("self")))
		return "must be self or remote-user";
	return NULL;
}

static const char *
load_levels(struct config *config, struct slice value)
{
	struct slice name;
	bool more = true;

	config->rules.levels = 0;
	while (more) {
		unsigned level;

		more = slice_cut(&value, ',', &name);
		level = heroku_level(slice_trim(more ? name : value));
		if (level == 0)
			return "must be any of error, warning and info, "
			       "separated by commas";
		config->rules.levels |= level;
	}
	return NULL;
}

static const char *
load_platform_only(struct config *config, struct slice value)
{
	config->rules.platform_only = slice_equal(value, SLICE("1"));
	if (!config->rules.platform_only && !slice_equal(value, SLICE("0")))
		return "must be 0 or 1";
	return NULL;
}

static const char *
load_log_level(struct config *config, struct slice value)
{
	static const struct {
		const char *name;
		enum log_level level;
	} names[] = {{"debug", LOG_DEBUG}, {"info", LOG_INFO},
	    {"warning", LOG_WARNING}, {"error", LOG_ERROR}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_equal(value, slice_of(names[i].name))) {
			config->log_level = names[i].level;
			return NULL;
		}
	return "must be debug, info, warning or error";
}

static const char *
load_base_path(struct config *config, struct slice value)
{
	while (value.len > 0 && value.ptr[value.len - 1] == '/')
		value = slice_head(value, value.len - 1);
	if (value.len > 0 && value.ptr[0] != '/')
		return "must start with a slash";
	if (value.len > BASE_PATH_MAX)
		return "must have at most 256 bytes";
	config->base_path = value;
	return NULL;
}

static const struct {
	const char *name;
	const char *(*load)(struct config *, struct slice);
} variables[] = {
    {"API_SECRET", load_secret},
    {"API_PREVIOUS_SECRET", load_previous_secret},
    {"AUTH", load_auth},
    {"LEVELS", load_levels},
    {"PLATFORM_ONLY", load_platform_only},
    {"LOG_LEVEL", load_log_level},
    {"BASE_PATH", load_base_path},
};

static const char *
load_variable(struct config *config, struct slice name, struct slice value,
    struct buf *faults)
{
	struct slice app = name;

	if (slice_equal(name, SLICE("METRICS_CLUSTER"))) {
		config->default_cluster = false;
		load_cluster(config, value, faults);
		return NULL;
	}
	if (slice_take(&app, SLICE("API_CREDENTIALS_")))
		return credentials_add(
		    &config->credentials, app, CREDENTIALS_CURRENT, value);
	if (slice_take(&app, SLICE("API_PREVIOUS_CREDENTIALS_")))
		return credentials_add(
		    &config->credentials, app, CREDENTIALS_PREVIOUS, value);
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		if (slice_equal(name, slice_of(variables[i].name)))
			return variables[i].load(config, value);
	return NULL;
}

void
config_load(struct config *config, char *const *environment, struct buf *faults)
{
	credentials_init(&config->credentials);
	config->default_cluster = true;
	load_cluster(config, SLICE(DEFAULT_CLUSTER), faults);
	config->rules.levels = HEROKU_LEVEL_ERROR | HEROKU_LEVEL_WARNING;
	config->log_level = LOG_INFO;
	for (; *environment != NULL; environment++) {
		struct slice value = slice_of(*environment), name;
		const char *fault;

		if (!slice_cut(&value, '=', &name))
			continue;
		fault = load_variable(config, name, value, faults);
		if (fault != NULL)
			put_fault(faults, name, fault);
	}
}
