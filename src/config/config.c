#include "config/config.h"

#include "config/loading.h"

void
loading_note(struct buf *t, struct slice variable, const char *sentence)
{
	buf_put_visible(t, variable);
	buf_put(t, SLICE(": "));
	buf_put_string(t, sentence);
	buf_put(t, SLICE("\n"));
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
load_path(struct slice *path, struct slice value)
{
	if (!slice_starts_with(value, SLICE("/")))
		return "must be a path that starts with a slash";
	if (value.len > FILE_PATH_MAX)
		return "must have at most 1024 bytes";
	*path = value;
	return NULL;
}

static const char *
load_frames_file(struct loading *l, struct slice value)
{
	return load_path(&l->config->frames_file, value);
}

static const char *
load_capture(struct loading *l, struct slice value)
{
	return load_path(&l->config->capture, value);
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

/* A misspelt variable would otherwise have no effect, silently. */
static const char *
warn_of_unknown(struct loading *l, struct slice value)
{
	(void)value;
	loading_note(&l->findings->warnings, l->variable,
	    "not a variable of this program; is it misspelt?");
	return NULL;
}

enum match { WHOLE, FRONT };

/*
 * The first row that matches a variable's name, in whole or as its prefix,
 * reads it.
 */
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
    {"CAPTURE", WHOLE, load_capture},
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
    {"FRAME", FRONT, warn_of_unknown},
    {"CAPTURE", FRONT, warn_of_unknown},
    {"PLATFORM_ONLY", FRONT, warn_of_unknown},
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
			loading_note(&l->findings->faults, l->variable, fault);
		return;
	}
}

void
config_load(
    struct config *config, char *const *environment, struct findings *findings)
{
	char passwords[FAULTS_MAX];
	struct loading l = {config, findings, .passwords = BUF_IN(passwords)};

	credentials_init(&config->credentials);
	load_default_cluster(&l);
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
	judge_cluster(&l);
	judge_passwords(&l);
}
