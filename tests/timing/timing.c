/*
 * How long credentials_accept takes for pairs of requests that a client must
 * not be able to tell apart by it.  Measured in turns, in random order, so that
 * whatever else the machine does falls on both alike.  The last pair is a
 * control: a comparison that stops at the first difference.  A line a pair:
 *
 *	<the pair> <median of the first, ns> <median of the second, ns>
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "auth/credentials.h"

enum { ROUNDS = 4000, CALLS = 8, APPLICATIONS = 200 };

struct side {
	const char *app, *credentials;
	size_t leak; /* bytes that the control has equal; 0: none is run */
};

static const struct {
	const char *name;
	struct side sides[2];
} pairs[] = {
    {"right-and-wrong",
	{{"known", "user:open sesame", 0}, {"known", "user:open sesamf", 0}}},
    {"wrong-at-the-end-and-at-the-start",
	{{"known", "user:open sesamf", 0}, {"known", "vser:open sesame", 0}}},
    {"known-and-unknown-application",
	{{"known", "user:wrong one!!", 0}, {"nknow", "user:wrong one!!", 0}}},
    {"right-for-another-application",
	{{"known", "user:open sesame", 0}, {"nknow", "user:open sesame", 0}}},
    {"right-and-wrong-secret",
	{{"nknow", "u:shared secret!", 0}, {"nknow", "u:shared secreu!", 0}}},
    {"secret-for-known-and-unknown-application",
	{{"known", "u:shared secret!", 0}, {"nknow", "u:shared secret!", 0}}},
    {"control", {{"known", "u:x", 1}, {"known", "u:x", CREDENTIALS_MAX}}},
};

static struct credentials c;

static void
prepare(void)
{
	static char values[APPLICATIONS][32];
	char name[32];

	credentials_init(&c);
	credentials_set_shared(
	    &c, CREDENTIALS_CURRENT, SLICE("shared secret!"));
	credentials_add(
	    &c, SLICE("KNOWN"), CREDENTIALS_CURRENT, SLICE("user:open sesame"));
	for (int i = 0; i < APPLICATIONS; i++) {
		snprintf(name, sizeof(name), "APP%d", i);
		snprintf(values[i], sizeof(values[i]), "user:%d", i);
		credentials_add(&c, slice_of(name), CREDENTIALS_CURRENT,
		    slice_of(values[i]));
	}
}

static double
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static unsigned
leak(size_t equal)
{
	static volatile unsigned char a[CREDENTIALS_MAX], b[CREDENTIALS_MAX];
	unsigned i = 0;

	b[equal - 1] = 1;
	while (a[i] == b[i])
		i++;
	b[equal - 1] = 0;
	return i;
}

static double
measure(const struct side *side)
{
	static volatile unsigned accepted;
	char header[128] = "Basic ";
	struct slice authorization, app = slice_of(side->app);
	double start;

	sodium_bin2base64(header + 6, sizeof(header) - 6,
	    (const unsigned char *)side->credentials, strlen(side->credentials),
	    sodium_base64_VARIANT_ORIGINAL);
	authorization = slice_of(header);
	start = now_ns();
	for (int i = 0; i < CALLS; i++) {
		accepted += credentials_accept(&c, app, authorization);
		if (side->leak > 0)
			accepted += leak(side->leak);
	}
	return (now_ns() - start) / CALLS;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int
main(void)
{
	static double samples[2][ROUNDS];

	if (sodium_init() < 0)
		return 1;
	prepare();
	for (size_t p = 0; p < sizeof(pairs) / sizeof(pairs[0]); p++) {
		for (size_t round = 0; round < ROUNDS; round++) {
			size_t first = randombytes_random() & 1;

			for (size_t turn = 0; turn < 2; turn++) {
				size_t i = first ^ turn;

				samples[i][round] = measure(&pairs[p].sides[i]);
			}
		}
		for (size_t i = 0; i < 2; i++)
			qsort(samples[i], ROUNDS, sizeof(double), compare);
		printf("%s %.1f %.1f\n", pairs[p].name, samples[0][ROUNDS / 2],
		    samples[1][ROUNDS / 2]);
	}
	return 0;
}
