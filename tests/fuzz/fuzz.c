#include "fuzz.h"

#include "base/ascii.h"

enum { COPIES_MAX = 256, VARIABLES_MAX = 64 };

static void *copies[COPIES_MAX];
static size_t copy_count;

static void *
keep(size_t size)
{
	void *copy = malloc(size);

	assert(copy != NULL && copy_count < COPIES_MAX);
	copies[copy_count++] = copy;
	return copy;
}

struct slice
fuzz_copy(struct slice s)
{
	char *copy = keep(s.len);

	if (s.len > 0)
		memcpy(copy, s.ptr, s.len);
	return (struct slice){copy, s.len};
}

char *
fuzz_string(struct slice s)
{
	char *copy = keep(s.len + 1);

	if (s.len > 0)
		memcpy(copy, s.ptr, s.len);
	copy[s.len] = '\0';
	return copy;
}

void
fuzz_release(void)
{
	while (copy_count > 0)
		free(copies[--copy_count]);
}

struct slice
fuzz_line(struct slice *input)
{
	struct slice line;

	if (!slice_take_element(input, '\n', &line))
		return (struct slice){0};
	return line;
}

char **
fuzz_variables(struct slice *input)
{
	static char *variables[VARIABLES_MAX];
	size_t n = 0;
	struct slice line;

	while (n + 1 < VARIABLES_MAX && (line = fuzz_line(input)).len > 0)
		variables[n++] = fuzz_string(line);
	variables[n] = NULL;
	return variables;
}

bool
fuzz_has(char *const *variables, const char *name)
{
	for (; *variables != NULL; variables++)
		if (!strncmp(*variables, name, strlen(name)))
			return true;
	return false;
}

bool
fuzz_contains(struct slice haystack, struct slice needle)
{
	for (; haystack.len >= needle.len; haystack = slice_after(haystack, 1))
		if (slice_starts_with(haystack, needle))
			return true;
	return false;
}

bool
fuzz_is_lines(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] != '\n' && text.ptr[i] != ' ' &&
		    !ascii_is_visible(text.ptr[i]))
			return false;
	return true;
}

void
fuzz_config_reset(struct config *config)
{
	struct credentials *c = &config->credentials;
	size_t collectors = config->collector_count + 1;

	if (collectors > COLLECTORS_MAX)
		collectors = COLLECTORS_MAX;
	memset(
	    config->collectors, 0, collectors * sizeof(config->collectors[0]));
	memset(c->applications, 0, c->count * sizeof(c->applications[0]));
	memset(c->index, 0, c->count * sizeof(c->index[0]));
	memset(c->shared, 0, sizeof(c->shared));
	c->count = 0;
	config->collector_count = 0;
	config->default_cluster = false;
	config->remote_user = false;
	config->rules = (struct heroku_rules){0};
	config->counting.families = 0;
	config->counting.tags = (struct slice){0};
	config->counting.zero_count = config->counting.prefix_count = 0;
	config->log_level = LOG_DEBUG;
	config->base_path = (struct slice){0};
}

static bool
is_code(struct slice s)
{
	if ((s.len != 3 && s.len != 4) ||
	    !slice_contains(SLICE("HRL"), s.ptr[0]))
		return false;
	for (size_t i = 1; i < s.len; i++)
		if (!ascii_is_digit(s.ptr[i]))
			return false;
	return true;
}

static void
add_errors(void *context, const struct sample *sample)
{
	size_t *sum = context;

	if (sample->metric != METRIC_ERROR)
		return;
	assert(is_code(sample->parts[0].text) && sample->count > 0);
	*sum += sample->count;
}

void
fuzz_check_tally(const struct tally *tally)
{
	size_t sum = 0;

	assert(tally->skipped + tally->errors <= tally->messages);
	tally_each(tally, add_errors, &sum);
	assert(sum == tally->errors);
}

bool
fuzz_is_app(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_is_alnum(s.ptr[i]) &&
		    !slice_contains(SLICE("_-"), s.ptr[i]))
			return false;
	return s.len >= 1 && s.len <= 64;
}
