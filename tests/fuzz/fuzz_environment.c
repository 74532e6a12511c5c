/*
 * A whole environment, a variable a line.
 *
 * Asserted: the faults are lines of printable text and hold no secret; without
 * faults, everything in the configuration is in its range; the same
 * environment gives the same faults again.
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
	assert(c->rules.levels >= 1 && c->rules.levels <= 7);
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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config;
	static char first_buf[FAULTS_MAX], second_buf[FAULTS_MAX];
	struct buf first = BUF_IN(first_buf), second = BUF_IN(second_buf);
	struct slice rest = {(const char *)data, size};
	char *const *variables = fuzz_variables(&rest);

	assert(sodium_init() >= 0);
	fuzz_config_reset(&config);
	config_load(&config, variables, &first);
	assert(fuzz_is_lines(buf_slice(&first)));
	if (canary_is_secret(variables))
		assert(!fuzz_contains(buf_slice(&first), SLICE(CANARY)));
	if (first.len == 0)
		check_config(&config);
	fuzz_config_reset(&config);
	config_load(&config, variables, &second);
	assert(slice_equal(buf_slice(&first), buf_slice(&second)));
	fuzz_release();
	return 0;
}
