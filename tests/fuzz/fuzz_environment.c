/*
 * A whole environment, a variable a line.
 *
 * Asserted: the faults and the warnings are lines of printable text and hold no
 * secret; without faults, everything in the configuration is in its range; the
 * same environment gives the same faults and warnings again.
 */
#include <sodium.h>

#include "fuzz.h"

#define CANARY "Tr0ub4dor"

static bool
is_secret(struct slice name)
{
	return slice_starts_with(name, SLICE("API_"));
}

/* Whether the canary stands in values of API_* variables alone. */
static bool
canary_is_secret(char *const *variables)
{
	for (; *variables != NULL; variables++) {
		struct slice value = slice_of(*variables), name;

		if (!slice_cut(&value, '=', &name))
			name = slice_of(*variables);
		if (fuzz_contains(name, SLICE(CANARY)) ||
		    (!is_secret(name) && fuzz_contains(value, SLICE(CANARY))))
			return false;
	}
	return true;
}

static void
check_config(const struct config *c)
{
	assert(c->collector_count >= 1 && c->collector_count <= COLLECTORS_MAX);
	assert(c->rules.errors.levels >= 1 && c->rules.errors.levels <= 7);
	assert(c->log_level <= LOG_ERROR);
	assert(c->credentials.count <= APPLICATIONS_MAX);
	assert(c->base_path.len <= BASE_PATH_MAX);
	assert(c->base_path.len == 0 || c->base_path.ptr[0] == '/');
	for (size_t i = 0; i < c->collector_count; i++) {
		assert(c->collectors[i].host[0] != '\0');
		assert(c->collectors[i].port > 0);
	}
	for (size_t i = 1; i < c->credentials.count; i++)
		assert(c->credentials.index[i - 1].hash <=
		    c->credentials.index[i].hash);
}

/* Faults and warnings, in separate memory. */
struct found {
	struct findings findings;
	char faults[FAULTS_MAX], warnings[FAULTS_MAX];
};

static void
load(struct config *config, char *const *variables, struct found *found)
{
	fuzz_config_reset(config);
	found->findings =
	    (struct findings){BUF_IN(found->faults), BUF_IN(found->warnings)};
	config_load(config, variables, &found->findings);
}

static void
check_lines(const struct buf *lines, bool canary_is_secret)
{
	assert(fuzz_is_lines(buf_slice(lines)));
	if (canary_is_secret)
		assert(!fuzz_contains(buf_slice(lines), SLICE(CANARY)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config;
	static struct found first, second;
	struct slice rest = {(const char *)data, size};
	char *const *variables = fuzz_variables(&rest);
	bool secret = canary_is_secret(variables);

	assert(sodium_init() >= 0);
	load(&config, variables, &first);
	check_lines(&first.findings.faults, secret);
	check_lines(&first.findings.warnings, secret);
	if (first.findings.faults.len == 0)
		check_config(&config);
	load(&config, variables, &second);
	assert(slice_equal(buf_slice(&first.findings.faults),
	    buf_slice(&second.findings.faults)));
	assert(slice_equal(buf_slice(&first.findings.warnings),
	    buf_slice(&second.findings.warnings)));
	fuzz_release();
	return 0;
}
