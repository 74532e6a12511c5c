#include "heroku/batch.h"

#include "base/buf.h"
#include "support.h"

static const struct heroku_rules defaults = {
    {ERROR_LEVEL_ERROR | ERROR_LEVEL_WARNING, false},
    FAMILY_BIT(FAMILY_ERRORS)};
static const struct heroku_rules platform_only = {
    {ERROR_LEVEL_ERROR | ERROR_LEVEL_WARNING, true}, FAMILY_BIT(FAMILY_ERRORS)};
static const struct heroku_rules no_levels = {
    {0, false}, FAMILY_BIT(FAMILY_ERRORS)};
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

/* What the tally holds, as "R14=2,H12=1". */
static void
put_count(void *context, const struct sample *sample)
{
	struct buf *t = context;

	if (t->len > 0)
		buf_put(t, SLICE(","));
	buf_put(t, sample->parts[0].text);
	buf_put(t, SLICE("="));
	buf_put_number(t, sample->count);
}

/* Whether "R14=2,H12=1", in any order, is what the tally holds. */
static void
assert_counts(struct slice list, const char *why)
{
	char buf[1024];
	struct buf got = BUF_IN(buf);
	struct slice entry;
	size_t len = 0;

	tally_each(&tally, put_count, &got);
	if (slice_equal(list, SLICE("-")))
		list.len = 0;
	while (slice_take_element(&list, ',', &entry)) {
		struct slice rest = buf_slice(&got), other;
		bool found = false;

		while (slice_take_element(&rest, ',', &other))
			found |= slice_equal(entry, other);
		if (!found)
			fail_msg("%s: no %.*s in %.*s", why, SLICE_ARG(entry),
			    SLICE_ARG(buf_slice(&got)));
		len += entry.len + (len > 0);
	}
	if (got.len != len)
		fail_msg("%s: %.*s", why, SLICE_ARG(buf_slice(&got)));
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
	/* What applications imitate counts unless PLATFORM_ONLY is set. */
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
	assert_int_equal(batch_next(&batch, &m), FRAME_OK);
	assert_int_equal(m.number, 1);
	assert_int_equal(m.offset, 0);
	assert_true(m.skipped);
	assert_text(m.syslog_msg, "<1>1 ", "the whole of a skipped message");
	assert_int_equal(batch_next(&batch, &m), FRAME_OK);
	assert_int_equal(m.number, 2);
	assert_int_equal(m.offset, 9);
	assert_false(m.skipped);
	assert_text(m.header.msg, "Error R14 x\n", "MSG");
	assert_int_equal(batch_next(&batch, &m), FRAME_PARTIAL);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(counts_what_whole_bodies_hold),
	    cmocka_unit_test(judges_malformed_and_odd_bodies),
	    cmocka_unit_test(says_where_each_message_starts),
	    cmocka_unit_test(every_prefix_of_a_body_is_judged),
	};

	return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
