#include "metric/tally.h"

/* R14 and R014 are different codes: three digits come after all of two. */
static size_t
tally_index(const struct heroku_code *code)
{
	size_t family = code->text[0] == 'H' ? 0 : code->text[0] == 'R' ? 1 : 2;
	size_t number = code->len == 4 ? 100 : 0, digits = 0;

	for (size_t i = 1; i < code->len; i++)
		digits = digits * 10 + (size_t)(code->text[i] - '0');
	return family * 1100 + number + digits;
}

void
tally_reset(struct tally *tally)
{
	for (size_t i = 0; i < tally->distinct; i++)
		tally->counts[tally_index(&tally->codes[i])] = 0;
	tally->messages = 0;
	tally->skipped = 0;
	tally->errors = 0;
	tally->distinct = 0;
}

void
tally_add(struct tally *tally, const struct heroku_code *code)
{
	size_t index = tally_index(code);

	if (tally->counts[index]++ == 0)
		tally->codes[tally->distinct++] = *code;
	tally->errors++;
}

uint32_t
tally_count(const struct tally *tally, const struct heroku_code *code)
{
	return tally->counts[tally_index(code)];
}
