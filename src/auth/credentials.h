/*
 * Who may write to which application.
 *
 * An application that has its own credentials accepts only those; all others
 * accept the shared secret.  Neither the time that a verdict takes nor the code
 * that it runs depends on whether the application exists.
 */
#ifndef AUTH_CREDENTIALS_H
#define AUTH_CREDENTIALS_H

#include <stdint.h>

#include "auth/basic_auth.h"

/* The sets are read from the environment by config.c. */
enum credentials_age { CREDENTIALS_CURRENT, CREDENTIALS_PREVIOUS };

struct application {
	char name[APP_MAX]; /* as in the variable, padded with zeros */
	struct slice user;  /* of the current credentials; borrowed */
	struct secret credentials[2]; /* by age */
};

struct credentials {
	struct secret shared[2]; /* API_SECRET, by age */
	size_t count;
	struct application applications[APPLICATIONS_MAX];
	struct {
		uint64_t hash;
		size_t application;
	} index[APPLICATIONS_MAX]; /* `count` entries, sorted by hash */
	unsigned char hash_key[16];
};

/* The name without its padding. */
struct slice application_name(const struct application *a);

/* Prepares a zeroed struct; libsodium must have been initialised. */
void credentials_init(struct credentials *c);

/*
 * Sets the credentials ("user:password") of the application called name in
 * upper case.  Returns NULL, or a sentence that says what is wrong with the
 * value or the name.  The user part is borrowed from value.
 */
const char *credentials_add(struct credentials *c, struct slice name,
    enum credentials_age age, struct slice value);

/* Sets the shared secret.  Returns NULL, or a sentence. */
const char *credentials_set_shared(
    struct credentials *c, enum credentials_age age, struct slice value);

/*
 * The other application that has credentials and whose name differs only by "_"
 * for each "-", and which is therefore not used for names with "-"; NULL if
 * there is none.
 */
const struct application *credentials_folded(
    const struct credentials *c, const struct application *a);

/* Whether this Authorization header may write to the application. */
bool credentials_accept(
    const struct credentials *c, struct slice app, struct slice authorization);

/*
 * Why a header is not accepted: a sentence for the log only, as it reveals more
 * than a client may know.
 */
const char *credentials_refusal(
    const struct credentials *c, struct slice app, struct slice authorization);

/*
 * Whether a user verified by the web server may write to the application: its
 * name must equal the user part of the application's credentials or, if there
 * are none, the application's name.
 */
bool credentials_accept_user(
    const struct credentials *c, struct slice app, struct slice user);

#endif
