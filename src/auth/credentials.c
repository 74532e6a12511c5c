#include "auth/credentials.h"

#include <sodium.h>

#include "base/ascii.h"

_Static_assert(
    sizeof(((struct credentials *)0)->hash_key) == crypto_shorthash_KEYBYTES,
    "the key of libsodium's short hash");

/* An application's part of a variable's name, padded to a fixed length. */
struct padded_name {
	char bytes[APP_MAX];
};

_Static_assert(APP_MAX == crypto_verify_64_BYTES, "names are compared whole");

struct slice
application_name(const struct application *a)
{
	struct slice padded = {a->name, sizeof(a->name)};

	return slice_take_until(&padded, (struct slice){"", 1});
}

void
credentials_init(struct credentials *c)
{
	randombytes_buf(c->hash_key, sizeof(c->hash_key));
}

static uint64_t
hash_of(const struct credentials *c, const struct padded_name *name)
{
	uint64_t hash;

	crypto_shorthash((unsigned char *)&hash,
	    (const unsigned char *)name->bytes, sizeof(name->bytes),
	    c->hash_key);
	return hash;
}

/* The place in the index of the last hash that is not above this one, or 0. */
static size_t
index_search(const struct credentials *c, uint64_t hash)
{
	size_t base = 0, n = c->count;

	while (n > 1) {
		size_t half = n / 2;

		base = c->index[base + half].hash <= hash ? base + half : base;
		n -= half;
	}
	return base;
}

/* The application's entry, or one in which nothing is set. */
static const struct application *
find(const struct credentials *c, const struct padded_name *name)
{
	static const struct application nobody;
	const struct application *found =
	    &c->applications[c->index[index_search(c, hash_of(c, name))]
				 .application];
	bool equal = crypto_verify_64((const unsigned char *)found->name,
			 (const unsigned char *)name->bytes) == 0;

	return equal && c->count > 0 ? found : &nobody;
}

static void
index_insert(struct credentials *c, uint64_t hash, size_t application)
{
	size_t place = index_search(c, hash);

	if (application > 0 && c->index[place].hash <= hash)
		place++;
	memmove(&c->index[place + 1], &c->index[place],
	    (application - place) * sizeof(c->index[0]));
	c->index[place].hash = hash;
	c->index[place].application = application;
}

/* The entry of this name, created if missing; NULL if there is no room. */
static struct application *
find_or_add(struct credentials *c, const struct padded_name *name)
{
	const struct application *found = find(c, name);
	struct application *added;

	if (found->name[0] != '\0')
		return &c->applications[found - c->applications];
	if (c->count == APPLICATIONS_MAX)
		return NULL;
	index_insert(c, hash_of(c, name), c->count);
	added = &c->applications[c->count++];
	memcpy(added->name, name->bytes, sizeof(added->name));
	return added;
}

static bool
is_variable_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!ascii_is_upper(name.ptr[i]) &&
		    !ascii_is_digit(name.ptr[i]) && name.ptr[i] != '_' &&
		    name.ptr[i] != '-')
			return false;
	return name.len > 0 && name.len <= APP_MAX;
}

const char *
credentials_add(struct credentials *c, struct slice name,
    enum credentials_age age, struct slice value)
{
	struct padded_name padded = {{0}};
	struct application *application;
	struct slice user, password = value;

	if (!is_variable_name(name))
		return "the part that names the application must be 1 to 64 "
		       "upper case letters, digits, _ or -";
	if (!slice_cut(&password, ':', &user))
		return "must be user:password";
	if (user.len + password.len == 0)
		return "must not be empty on both sides of the colon";
	if (value.len > CREDENTIALS_MAX)
		return "must have at most 256 bytes";
	memcpy(padded.bytes, name.ptr, name.len);
	application = find_or_add(c, &padded);
	if (application == NULL)
		return "there are more applications than this program can hold";
	secret_set(&application->credentials[age], value);
	if (age == CREDENTIALS_CURRENT)
		application->user = user;
	return NULL;
}

const char *
credentials_set_shared(
    struct credentials *c, enum credentials_age age, struct slice value)
{
	if (value.len == 0)
		return "must not be empty; unset it instead";
	if (!secret_set(&c->shared[age], value))
		return "must have at most 256 bytes";
	return NULL;
}

/*
 * The two possible names of the variable: in upper case, without and with "-"
 * replaced by "_".
 */
static void
names_of(
    struct slice app, struct padded_name *plain, struct padded_name *folded)
{
	*plain = *folded = (struct padded_name){{0}};
	for (size_t i = 0; i < app.len && i < APP_MAX; i++) {
		char c = ascii_to_upper(app.ptr[i]);

		plain->bytes[i] = c;
		folded->bytes[i] = c == '-' ? '_' : c;
	}
}

const struct application *
credentials_folded(const struct credentials *c, const struct application *a)
{
	struct padded_name plain, folded;
	const struct application *other;

	names_of(application_name(a), &plain, &folded);
	other = find(c, &folded);
	return other != a && other->credentials[CREDENTIALS_CURRENT].set &&
		a->credentials[CREDENTIALS_CURRENT].set
	    ? other
	    : NULL;
}

/*
 * The credentials set for an application, all under one of its two names: the
 * one with "-" if it has current credentials, or if neither name has current
 * ones and it has previous ones; otherwise the other.
 */
static const struct application *
find_own(const struct credentials *c, struct slice app)
{
	struct padded_name plain_name, folded_name;
	const struct application *plain, *folded;
	enum credentials_age age;
	bool current;

	names_of(app, &plain_name, &folded_name);
	plain = find(c, &plain_name);
	folded = slice_contains(app, '-') ? find(c, &folded_name) : plain;
	current = plain->credentials[CREDENTIALS_CURRENT].set |
	    folded->credentials[CREDENTIALS_CURRENT].set;
	age = current ? CREDENTIALS_CURRENT : CREDENTIALS_PREVIOUS;
	return plain->credentials[age].set ? plain : folded;
}

bool
credentials_accept(
    const struct credentials *c, struct slice app, struct slice authorization)
{
	struct basic_auth presented;
	const struct application *own = find_own(c, app);
	const struct secret *current = &own->credentials[CREDENTIALS_CURRENT];
	const struct secret *previous = &own->credentials[CREDENTIALS_PREVIOUS];

	basic_auth_parse(authorization, &presented);

	/* All four are always compared; only then is one chosen. */
	bool by_current = secret_equal(&presented.credentials, current);
	bool by_previous = secret_equal(&presented.credentials, previous);
	bool by_shared =
	    secret_equal(&presented.shared, &c->shared[CREDENTIALS_CURRENT]);
	bool by_previous_shared =
	    secret_equal(&presented.shared, &c->shared[CREDENTIALS_PREVIOUS]);

	if (current->set)
		return by_current | by_previous;
	return by_previous | by_shared |
	    (by_previous_shared & c->shared[CREDENTIALS_CURRENT].set);
}

const char *
credentials_refusal(
    const struct credentials *c, struct slice app, struct slice authorization)
{
	const struct application *own = find_own(c, app);

	if (!own->credentials[CREDENTIALS_CURRENT].set &&
	    !own->credentials[CREDENTIALS_PREVIOUS].set &&
	    !c->shared[CREDENTIALS_CURRENT].set)
		return "no credentials are configured for this application";
	if (authorization.len == 0)
		return "no Authorization header; does the web server pass it "
		       "on?";
	return "wrong credentials";
}

bool
credentials_accept_user(
    const struct credentials *c, struct slice app, struct slice user)
{
	const struct application *own = find_own(c, app);

	return slice_equal(
	    user, own->credentials[CREDENTIALS_CURRENT].set ? own->user : app);
}
