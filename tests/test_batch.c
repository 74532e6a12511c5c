#include "heroku/batch.h"

#include "support.h"

static const struct heroku_rules defaults = {
    HEROKU_LEVEL_ERROR | HEROKU_LEVEL_WARNING, false};
static const struct heroku_rules platform_only = {
    HEROKU_LEVEL_ERROR | HEROKU_LEVEL_WARNING, true};
static const struct heroku_rules no_levels = {0, false};
static struct tally tally;

static enum frame_result
count(struct slice body, const struct heroku_rules *rules,
    struct batch_message *message)
{
	struct slice in = guarded(body);
	enum frame_result result;

	tally_reset(&tally);
	result = batch_count(in, rules, &tally, message);
	guarded_free(in);
	return result;
}

/* Counts "R14=2,H12=1" as a list of what the tally must hold, no more. */
static void
assert_counts(struct slice list, const char *why)
{
	struct slice entry;
	size_t entries = 0;

	if (slice_equal(list, SLICE("-")))
		list.len = 0;
	while (slice_take_element(&list, ',', &entry)) {
		struct heroku_code code = {{0}, 0};
		struct slice text = {NULL, 0};
		size_t want = 0;

		assert_true(slice_cut(&entry, '=', &text));
		assert_true(slice_take_number(&entry, 5, &want));
		memcpy(code.text, text.ptr, text.len);
		code.len = (uint8_t)text.len;
		if (tally_count(&tally, &code) != want)
			fail_msg("%s: %.*s is %u", why, SLICE_ARG(text),
			    tally_count(&tally, &code));
		entries++;
	}
	if (tally.distinct != entries)
		fail_msg("%s: %zu codes", why, tally.distinct);
}

static struct slice
column(struct slice *line)
{
	struct slice value = *line;

	slice_take_element(line, '\t', &value);
	return value;
}

static void
rows_of(const char *table, void (*each)(struct slice row))
{
	struct slice file = fixture(table), rest = file, row;
	size_t rows = 0;

	slice_cut(&rest, '\n', &row); /* the heading */
	while (slice_take_element(&rest, '\n', &row)) {
		each(row);
		rows++;
	}
	assert_true(rows >= 10);
	free((void *)(uintptr_t)file.ptr);
}

static struct slice
fixture_in(const char *folder, struct slice name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s%.*s", folder, SLICE_ARG(name));
	return fixture(path);
}

static void
count_whole_body(struct slice row)
{
	struct slice name = column(&row), messages = column(&row);
	struct slice body = fixture_in("", name), codes, both;
	struct batch_message m;
	char list[256];
	size_t want;

	column(&row); /* bytes */
	codes = column(&row);
	both = column(&row);
	snprintf(list, sizeof(list), "%.*s%s%.*s", SLICE_ARG(codes),
	    both.ptr[0] == '-' ? "" : ",",
	    (int)(both.ptr[0] == '-' ? 0 : both.len), both.ptr);
	assert_true(slice_take_number(&messages, 5, &want));
	assert_int_equal(count(body, &defaults, &m), FRAME_END);
	assert_int_equal(tally.messages, want);
	assert_int_equal(tally.skipped, 0);
	/* What applications only pretend counts unless PLATFORM_ONLY is set. */
	if (slice_equal(name, SLICE("spoof-app.logplex"))) {
		assert_counts(
		    SLICE("R14=1,H12=1,H10=1,L10=1,L12=1,R13=1"), "spoofed");
		count(body, &platform_only, &m);
	}
	assert_counts(slice_of(list), "by default");
	if (both.ptr[0] != '-') {
		count(body, &no_levels, &m);
		assert_int_equal(tally.errors, 0);
	}
	free((void *)(uintptr_t)body.ptr);
}

static void
counts_what_whole_bodies_hold(void **state)
{
	(void)state;
	rows_of("expected.tsv", count_whole_body);
}

static void
judge_odd_body(struct slice row)
{
	struct slice name = column(&row), status = column(&row);
	struct slice messages = column(&row), skipped = column(&row);
	struct slice counts = column(&row), place = column(&row);
	struct slice body = fixture_in("malformed/", name);
	struct batch_message m;
	size_t number;
	bool fault = count(body, &defaults, &m) != FRAME_END;

	assert_int_equal(fault, slice_equal(status, SLICE("422")));
	if (fault) {
		assert_true(slice_take_number(&place, 5, &number));
		assert_int_equal(m.offset, number);
		assert_true(slice_take(&place, SLICE(" ")));
		assert_true(slice_take_number(&place, 5, &number));
		assert_int_equal(m.number, number);
	} else {
		assert_true(slice_take_number(&messages, 5, &number));
		assert_int_equal(tally.messages, number);
		assert_true(slice_take_number(&skipped, 5, &number));
		assert_int_equal(tally.skipped, number);
		assert_counts(counts, "an odd body");
	}
	free((void *)(uintptr_t)body.ptr);
}

static void
judges_malformed_and_odd_bodies(void **state)
{
	(void)state;
	rows_of("malformed/expected.tsv", judge_odd_body);
}

static void
says_where_each_message_starts(void **state)
{
	struct slice body =
	    SLICE("5 <1>1 \r\n27 <1>1 t h a p - Error R14 x\n9 odd\n");
	struct batch batch = batch_of(body);
	struct batch_message m = {0};

	(void)state;
	assert_int_equal(batch_next(&batch, &defaults, &m), FRAME_OK);
	assert_int_equal(m.number, 1);
	assert_int_equal(m.offset, 0);
	assert_true(m.skipped);
	assert_text(m.text, "<1>1 ", "the whole of a skipped message");
	assert_int_equal(batch_next(&batch, &defaults, &m), FRAME_OK);
	assert_int_equal(m.number, 2);
	assert_int_equal(m.offset, 9);
	assert_false(m.skipped);
	assert_text(m.text, "Error R14 x\n", "MSG");
	assert_text(heroku_code_slice(&m.code), "R14", "code");
	assert_int_equal(batch_next(&batch, &defaults, &m), FRAME_PARTIAL);
	assert_int_equal(m.number, 3);
	assert_int_equal(m.offset, 39);
}

/* Cut anywhere, a body is a fault, unless it is cut between two messages. */
static void
every_prefix_of_a_body_is_judged(void **state)
{
	struct slice body = fixture("reference.logplex");
	size_t whole = 0;

	(void)state;
	for (size_t n = 0; n <= body.len; n++) {
		struct batch_message m;

		if (count(slice_head(body, n), &defaults, &m) != FRAME_END)
			continue;
		assert_int_equal(tally.messages, whole);
		whole++;
	}
	assert_int_equal(whole, 6); /* after none to five messages */
	free((void *)(uintptr_t)body.ptr);
}

static struct heroku_code
code_of(const char *text)
{
	struct heroku_code code = {{0}, (uint8_t)strlen(text)};

	memcpy(code.text, text, code.len);
	return code;
}

static void
every_code_has_a_count_of_its_own(void **state)
{
	static const char letters[] = "HRL";
	static struct heroku_code codes[TALLY_CODES];
	size_t n = 0;
	char text[16];

	(void)state;
	tally_reset(&tally);
	for (size_t l = 0; l < 3; l++)
		for (unsigned i = 0; i < 1100; i++) {
			if (i < 100)
				snprintf(text, sizeof(text), "%c%02u",
				    letters[l], i);
			else
				snprintf(text, sizeof(text), "%c%03u",
				    letters[l], i - 100);
			codes[n] = code_of(text);
			for (size_t k = 0; k <= n % 3; k++)
				tally_add(&tally, &codes[n]);
			n++;
		}
	assert_int_equal(tally.distinct, TALLY_CODES);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(tally_count(&tally, &codes[i]), i % 3 + 1);
		assert_slice(heroku_code_slice(&tally.codes[i]),
		    heroku_code_slice(&codes[i]), "order of appearance");
	}
	tally_reset(&tally);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(tally_count(&tally, &codes[i]), 0);
	assert_int_equal(tally.errors, 0);
	assert_int_equal(tally.distinct, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(counts_what_whole_bodies_hold),
	    cmocka_unit_test(judges_malformed_and_odd_bodies),
	    cmocka_unit_test(says_where_each_message_starts),
	    cmocka_unit_test(every_prefix_of_a_body_is_judged),
	    cmocka_unit_test(every_code_has_a_count_of_its_own),
	};

	return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
