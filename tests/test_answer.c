#include "http/answer.h"

#include "support.h"

static struct tally tally;
static char buf[ANSWER_MAX];

static struct slice
answer(const char *method, const struct outcome *outcome)
{
	struct buf text = BUF_IN(buf);
	struct request request = {.method = slice_of(method)};

	answer_put(&text, &request, &tally, outcome,
	    (struct timespec){1449144737, 1000});
	assert_false(text.truncated);
	return buf_slice(&text);
}

static struct outcome
refusal(int status)
{
	struct outcome outcome = {0};

	outcome.status = status;
	outcome.reason = "no";
	return outcome;
}

static void
every_status_has_its_phrase(void **state)
{
	static const struct {
		int status;
		const char *want;
	} cases[] = {
	    {401, "Status: 401 Unauthorized\r\n"},
	    {404, "Status: 404 Not Found\r\n"},
	    {405, "Status: 405 Method Not Allowed\r\n"},
	    {413, "Status: 413 Content Too Large\r\n"},
	    {415, "Status: 415 Unsupported Media Type\r\n"},
	    {422, "Status: 422 Unprocessable Content\r\n"},
	    {500, "Status: 500 Internal Server Error\r\n"},
	    {503, "Status: 503 Service Unavailable\r\n"},
	    {599, "Status: 599 Unknown\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct outcome outcome = refusal(cases[i].status);
		struct slice got = answer("POST", &outcome);

		assert_text(slice_head(got, strlen(cases[i].want)),
		    cases[i].want, "status line");
	}
}

static void
a_refusal_says_why(void **state)
{
	struct outcome outcome = refusal(404);

	(void)state;
	assert_text(answer("GET", &outcome),
	    "Status: 404 Not Found\r\n"
	    "Content-Type: application/json\r\n"
	    "Content-Length: 14\r\n\r\n"
	    "{\"error\":\"no\"}",
	    "404");
}

static void
a_framing_fault_says_where(void **state)
{
	struct outcome outcome = refusal(422);

	(void)state;
	outcome.fault.offset = 512;
	outcome.fault.number = 6;
	assert_text(answer("POST", &outcome),
	    "Status: 422 Unprocessable Content\r\n"
	    "Content-Type: application/json\r\n"
	    "Content-Length: 39\r\n\r\n"
	    "{\"error\":\"no\",\"offset\":512,\"message\":6}",
	    "422");
}

static void
some_statuses_have_a_header_of_their_own(void **state)
{
	struct outcome outcome = refusal(401);

	(void)state;
	assert_text(answer("POST", &outcome),
	    "Status: 401 Unauthorized\r\n"
	    "Content-Type: application/json\r\n"
	    "WWW-Authenticate: Basic realm=\"logplex-statsd\"\r\n"
	    "Content-Length: 14\r\n\r\n"
	    "{\"error\":\"no\"}",
	    "401");
	outcome = refusal(405);
	outcome.allow = "GET, HEAD";
	assert_text(answer("POST", &outcome),
	    "Status: 405 Method Not Allowed\r\n"
	    "Content-Type: application/json\r\n"
	    "Allow: GET, HEAD\r\n"
	    "Content-Length: 14\r\n\r\n"
	    "{\"error\":\"no\"}",
	    "405");
}

static void
a_batch_that_was_taken_is_told_its_counts(void **state)
{
	struct outcome outcome = {.status = 201};

	(void)state;
	tally.messages = 50;
	tally.errors = 4;
	tally.skipped = 1;
	assert_text(answer("POST", &outcome),
	    "Status: 201 Created\r\n"
	    "Content-Type: application/json\r\n"
	    "Content-Length: 38\r\n\r\n"
	    "{\"messages\":50,\"errors\":4,\"skipped\":1}",
	    "201");
	outcome.duplicate = true;
	assert_text(answer("POST", &outcome),
	    "Status: 201 Created\r\n"
	    "Content-Type: application/json\r\n"
	    "Content-Length: 55\r\n\r\n"
	    "{\"messages\":50,\"errors\":4,\"skipped\":1,"
	    "\"duplicate\":true}",
	    "a duplicate");
}

static void
a_ping_is_told_the_time_and_head_only_its_length(void **state)
{
	static const char header[] = "Status: 200 OK\r\n"
				     "Content-Type: application/json\r\n"
				     "Content-Length: 42\r\n\r\n";
	static const char body[] =
	    "{\"now\":\"1449144737.000001s\",\"status\":\"ok\"}";
	struct outcome outcome = {.status = 200};
	char whole[256];

	(void)state;
	snprintf(whole, sizeof(whole), "%s%s", header, body);
	assert_text(answer("GET", &outcome), whole, "GET");
	assert_text(answer("HEAD", &outcome), header, "HEAD");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_status_has_its_phrase),
	    cmocka_unit_test(a_refusal_says_why),
	    cmocka_unit_test(a_framing_fault_says_where),
	    cmocka_unit_test(some_statuses_have_a_header_of_their_own),
	    cmocka_unit_test(a_batch_that_was_taken_is_told_its_counts),
	    cmocka_unit_test(a_ping_is_told_the_time_and_head_only_its_length),
	};

	return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
