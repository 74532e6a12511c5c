/*
 * Credentials: an application's name, an Authorization header, a user, and
 * then the variables of an environment, a line each.
 *
 * Asserted: the verdict is that of a second implementation, written from the
 * rules without regard to time.
 */
#include <sodium.h>

#include "base/ascii.h"
#include "fuzz.h"

struct naive {
	char *const *variables;
	struct slice app;
	struct slice user, password, whole; /* presented */
};

/* The last setting of <prefix><app's name>, "-" kept or folded to "_". */
static bool
naive_find(
    const struct naive *n, const char *prefix, bool folded, struct slice *value)
{
	bool found = false;

	for (char *const *v = n->variables; *v != NULL; v++) {
		struct slice s = slice_of(*v), name;
		size_t i = 0;

		if (!slice_cut(&s, '=', &name) ||
		    !slice_take(&name, slice_of(prefix)) ||
		    name.len != n->app.len)
			continue;
		for (; i < name.len; i++) {
			char c = ascii_to_upper(n->app.ptr[i]);

			if (name.ptr[i] != (folded && c == '-' ? '_' : c))
				break;
		}
		if (i == name.len) {
			found = true;
			*value = s;
		}
	}
	return found;
}

/* One spelling decides for both, current and previous. */
static bool
naive_own(const struct naive *n, const char *prefix, struct slice *value)
{
	static const char current[] = "API_CREDENTIALS_";
	static const char previous[] = "API_PREVIOUS_CREDENTIALS_";
	struct slice ignored;
	bool folded = !naive_find(n, current, false, &ignored);

	if (folded && !naive_find(n, current, true, &ignored) &&
	    naive_find(n, previous, false, &ignored))
		folded = false;
	return naive_find(n, prefix, folded, value);
}

static bool
naive_shared(const struct naive *n, const char *name, struct slice *value)
{
	bool found = false;

	for (char *const *v = n->variables; *v != NULL; v++) {
		struct slice s = slice_of(*v), left;

		if (slice_cut(&s, '=', &left) &&
		    slice_equal(left, slice_of(name))) {
			found = true;
			*value = s;
		}
	}
	return found;
}

static bool
naive_decode(struct slice in, char *out, size_t *len)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = 0;
	size_t n = 0, pad = 0;

	if (in.len % 4 != 0)
		return false;
	for (size_t i = 0; i < in.len; i++) {
		const char *at = memchr(alphabet, in.ptr[i], 64);

		if (at == NULL) {
			if (in.ptr[i] != '=' || i + 2 < in.len)
				return false;
			pad++;
		} else if (pad > 0) {
			return false;
		}
		bits = bits << 6 | (at != NULL ? (uint32_t)(at - alphabet) : 0);
		if (i % 4 == 3)
			for (int shift = 16; shift >= 0; shift -= 8)
				out[n++] = (char)(bits >> shift & 0xff);
		if (i % 4 == 3 && i + 1 < in.len)
			bits = 0;
	}
	/* The bits that padding leaves over are zero. */
	if (pad > 0 && (bits & ((1U << (8 * pad)) - 1)) != 0)
		return false;
	*len = n - pad;
	return true;
}

static bool
naive_present(struct naive *n, struct slice authorization, char *buf)
{
	struct slice scheme;
	size_t len;

	if (!slice_cut(&authorization, ' ', &scheme) ||
	    !slice_equal_nocase(scheme, SLICE("basic")))
		return false;
	if (!naive_decode(slice_trim(authorization), buf, &len) || len > 256)
		return false;
	n->whole = n->password = (struct slice){buf, len};
	return slice_cut(&n->password, ':', &n->user);
}

static bool
naive_accept(struct naive *n)
{
	struct slice own, previous, secret;
	struct slice shared = n->password.len > 0 ? n->password : n->user;
	bool has_previous =
	    naive_own(n, "API_PREVIOUS_CREDENTIALS_", &previous);

	if (has_previous && slice_equal(previous, n->whole))
		return true;
	if (naive_own(n, "API_CREDENTIALS_", &own))
		return slice_equal(own, n->whole);
	if (!naive_shared(n, "API_SECRET", &secret))
		return false;
	return slice_equal(secret, shared) ||
	    (naive_shared(n, "API_PREVIOUS_SECRET", &secret) &&
		slice_equal(secret, shared));
}

static bool
naive_accept_user(const struct naive *n, struct slice user)
{
	struct slice own, expected;

	if (!naive_own(n, "API_CREDENTIALS_", &own))
		return slice_equal(user, n->app);
	return slice_cut(&own, ':', &expected) && slice_equal(user, expected);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config;
	static char faults_buf[FAULTS_MAX];
	struct findings findings = {.faults = BUF_IN(faults_buf)};
	struct slice rest = {(const char *)data, size};
	struct slice app = fuzz_copy(fuzz_line(&rest));
	struct slice authorization = fuzz_copy(fuzz_line(&rest));
	struct slice user = fuzz_copy(fuzz_line(&rest));
	struct naive naive = {.variables = fuzz_variables(&rest), .app = app};
	char *buf = malloc(size + 4);
	bool presented, accepted;

	assert(buf != NULL && sodium_init() >= 0);
	fuzz_config_reset(&config);
	config_load(&config, naive.variables, &findings);
	accepted = credentials_accept(&config.credentials, app, authorization);
	presented = naive_present(&naive, authorization, buf);
	if (!presented)
		assert(!accepted);
	else if (findings.faults.len == 0 && fuzz_is_app(app))
		assert(accepted == naive_accept(&naive));
	if (findings.faults.len == 0 && fuzz_is_app(app))
		assert(credentials_accept_user(&config.credentials, app,
			   user) == naive_accept_user(&naive, user));
	free(buf);
	fuzz_release();
	return 0;
}
