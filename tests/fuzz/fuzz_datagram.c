/*
 * Datagrams: the number of collectors and for each a userinfo and a path with
 * options; an application's name; and the counts, three bytes a code: its
 * letter and shape, its number, how often.
 *
 * Asserted, by reading back what arrives as a statsd server would: each line is
 * one of the counters, at its owner, under its prefix; no other line or name;
 * signatures verify; datagrams keep their size; the sum is that of the counts.
 */
#include <sodium.h>

#include "collectors.h"
#include "heroku/error.h"
#include "statsd/send.h"
#include "fuzz.h"

enum { COLLECTORS = 3, CODES = 150 };

static void
add_codes(struct tally *tally, struct slice bytes)
{
	const unsigned char *b = (const unsigned char *)bytes.ptr;

	for (size_t n = 0; bytes.len >= 3 * (n + 1) && n < CODES; n++, b += 3) {
		struct error_code code = {.len = b[0] & 4 ? 4 : 3};

		code.text[0] = "HRLH"[b[0] & 3];
		code.text[1] = (char)('0' + b[1] % 10);
		code.text[2] = (char)('0' + b[1] / 10 % 10);
		code.text[3] = (char)('0' + b[0] / 8 % 10);
		for (int i = 0; i <= b[2]; i++) {
			tally->messages++;
			tally->errors++;
			tally_add_error(tally, error_code_slice(&code), 1);
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config;
	static struct cluster cluster;
	static struct tally tally;
	struct slice rest = {(const char *)data, size};
	struct slice userinfos[COLLECTORS], tails[COLLECTORS], app, number;
	size_t count;

	assert(sodium_init() >= 0);
	number = fuzz_line(&rest);
	count =
	    number.len > 0 ? (unsigned char)number.ptr[0] % COLLECTORS + 1 : 1;
	for (size_t i = 0; i < count; i++) {
		userinfos[i] = fuzz_line(&rest);
		tails[i] = fuzz_line(&rest);
	}
	app = fuzz_copy(fuzz_line(&rest));
	if (fuzz_is_app(app) &&
	    collectors_open(&cluster, &config, userinfos, tails, count)) {
		_Atomic uint32_t none = 0;

		tally_reset(&tally);
		add_codes(&tally, rest);
		fuzz_check_tally(&tally);
		send_tally(&cluster, app, SLICE(""), &tally, &none);
		assert(collectors_read(&config, app) == tally.errors);
		collectors_close(&cluster);
	}
	fuzz_release();
	return 0;
}
