#include "metric/zeros.h"

#include <sodium.h>

enum { WAYS = 8 };

_Static_assert(ZEROS_APPS_MAX % WAYS == 0, "the table is made of sets");

static uint64_t
hash_of(struct slice app)
{
	static const unsigned char key[crypto_shorthash_KEYBYTES];
	uint64_t hash;

	crypto_shorthash((unsigned char *)&hash, (const unsigned char *)app.ptr,
	    app.len, key);
	return hash != 0 ? hash : 1;
}

bool
zeros_take(struct zeros *zeros, struct slice app, int64_t now)
{
	uint64_t hash = hash_of(app);
	size_t set = hash % (ZEROS_APPS_MAX / WAYS) * WAYS, oldest = set;

	for (size_t i = set; i < set + WAYS; i++) {
		if (zeros->slots[i].app == hash) {
			if (now - zeros->slots[i].sent < ZEROS_INTERVAL_MS)
				return false;
			oldest = i;
			break;
		}
		if (zeros->slots[i].sent < zeros->slots[oldest].sent)
			oldest = i;
	}
	zeros->slots[oldest].app = hash;
	zeros->slots[oldest].sent = now;
	return true;
}
