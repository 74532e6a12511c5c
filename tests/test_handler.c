#include "http/handler.h"

#include <sodium.h>

#include "http/answer.h"
#include "support.h"

/* base64 of "Aladdin:open sesame", RFC 7617 section 2. */
#define ALADDIN "HTTP_AUTHORIZATION=Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="

static struct config config;
static struct tally tally;
static struct request request;
static struct outcome outcome;

static int
configure(void **state)
{
	static const char *const environment[] = {
	    "API_CREDENTIALS_HEAVEN=Aladdin:open sesame",
	    "API_CREDENTIALS_NAMELESS=:open sesame", NULL};
	static char buf[1024];
	struct findings findings = {.faults = BUF_IN(buf)};

	(void)state;
	memset(&config, 0, sizeof(config));
	config_load(&config, (char *const *)(uintptr_t)environment, &findings);
	assert_int_equal(findings.faults.len, 0);
	return 0;
}

static int
status_now(void)
{
	tally_reset(&tally);
	handler_decide(&config, &request, &tally, &outcome);
	return outcome.status;
}

/* The status of a request of these variables, without a body. */
#define status_of(...) status_of_variables((const char *[]){__VA_ARGS__, NULL})

static int
status_of_variables(const char *const *variables)
{
	request_read(&request, (char *const *)(uintptr_t)variables);
	return status_now();
}

/* A valid request with this body. */
static int
status_of_body(struct slice body)
{
	static const char *const variables[] = {"REQUEST_METHOD=POST",
	    "PATH_INFO=/heaven/logs", "CONTENT_TYPE=application/logplex-1",
	    ALADDIN, NULL};

	request_read(&request, (char *const *)(uintptr_t)variables);
	request.body = body;
	return status_now();
}

static void
counts_the_reference_example(void **state)
{
	struct slice body = fixture("reference.logplex");

	(void)state;
	assert_int_equal(status_of_body(body), 201);
	assert_int_equal(tally.messages, 5);
	assert_int_equal(tally.errors, 4);
	assert_int_equal(tally.skipped, 0);
	assert_text(outcome.app, "heaven", "application");
	assert_null(outcome.reason);
	free((void *)(uintptr_t)body.ptr);
}

static void
an_empty_body_is_a_batch_of_no_messages(void **state)
{
	(void)state;
	assert_int_equal(status_of_body(SLICE("")), 201);
	assert_int_equal(tally.messages, 0);
}

static void
a_framing_fault_says_where(void **state)
{
	(void)state;
	assert_int_equal(status_of_body(SLICE("3 abc\nx")), 422);
	assert_int_equal(outcome.fault.offset, 6);
	assert_int_equal(outcome.fault.number, 2);
	assert_non_null(outcome.reason);
}

static void
finds_the_route_however_a_server_splits_it(void **state)
{
	static const struct {
		const char *why, *script_name, *path_info, *base_path;
		int status; /* without credentials: 401 is a found route */
	} cases[] = {
	    {"as it should be", "", "/heaven/logs", "", 401},
	    {"split at the first slash", "/heaven", "/logs", "", 401},
	    {"not split", "/heaven/logs", "", "", 401},
	    {"a CGI script", "/cgi-bin/logplex-statsd", "/heaven/logs", "",
		401},
	    {"a mount taken off", "/drain", "/heaven/logs", "", 401},
	    {"a mount left on", "", "/drain/heaven/logs", "/drain", 401},
	    {"a mount in SCRIPT_NAME", "/drain/heaven/logs", "", "/drain", 401},
	    {"a mount and a split", "/drain/heaven", "/logs", "/drain", 401},
	    {"a mount of two segments", "", "/a/b/heaven/logs", "/a/b", 401},
	    {"a mount unknown", "", "/drain/heaven/logs", "", 404},
	    {"another mount", "", "/other/heaven/logs", "/drain", 404},
	    {"half a mount", "", "/drainage/heaven/logs", "/drain", 404},
	    {"a mount twice", "", "/drain/drain/heaven/logs", "/drain", 404},
	    {"an application called like the mount", "/drain", "/drain/logs",
		"/drain", 401},
	    {"the mount alone", "", "/drain", "/drain", 404},
	    {"a slash at the end", "", "/heaven/logs/", "", 401},
	    {"slashes at the end", "", "/heaven/logs///", "", 401},
	    {"split before the slash", "/heaven/logs", "/", "", 401},
	    {"split, a slash at the end", "/heaven", "/logs/", "", 401},
	    {"a mount, a slash at the end", "", "/drain/heaven/logs/", "/drain",
		401},
	    {"a slash within", "", "/heaven//logs", "", 404},
	    {"an application and a slash", "", "/heaven/", "", 404},
	    {"slashes alone", "", "///", "", 404},
	    {"logs and a slash", "", "/logs/", "", 404},
	    {"two slashes", "", "//heaven/logs", "", 404},
	    {"no application", "", "//logs", "", 404},
	    {"no application either", "", "/logs", "", 404},
	    {"no slash in front", "", "heaven/logs", "", 404},
	    {"another page", "", "/heaven/log", "", 404},
	    {"more path", "", "/heaven/logs/x", "", 404},
	    {"a dot in the name", "", "/hea.ven/logs", "", 404},
	    {"a dot in front of the name", "", "/.heaven/logs", "", 404},
	    {"a dot behind the name", "", "/heaven./logs", "", 404},
	    {"a space in the name", "", "/hea ven/logs", "", 404},
	    {"beyond ASCII", "", "/h\xc3\xa9/logs", "", 404},
	    {"a colon in the name", "", "/a:1|c/logs", "", 404},
	    {"digits, hyphen, underscore", "", "/My-app_1/logs", "", 401},
	    {"case matters", "", "/heaven/Logs", "", 404},
	    {"root", "", "/", "", 404},
	    {"nothing", "", "", "", 404},
	};
	char script_name[128], path_info[128];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		config.base_path = slice_of(cases[i].base_path);
		snprintf(script_name, sizeof(script_name), "SCRIPT_NAME=%s",
		    cases[i].script_name);
		snprintf(path_info, sizeof(path_info), "PATH_INFO=%s",
		    cases[i].path_info);
		if (status_of("REQUEST_METHOD=POST", script_name, path_info) !=
		    cases[i].status)
			fail_msg("%s: %d", cases[i].why, outcome.status);
	}
}

static void
a_name_has_at_most_64_bytes(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "PATH_INFO=/%0*d/logs", 64, 0);
	assert_int_equal(status_of("REQUEST_METHOD=POST", path), 401);
	assert_int_equal(outcome.app.len, 64);
	snprintf(path, sizeof(path), "PATH_INFO=/%0*d/logs", 65, 0);
	assert_int_equal(status_of("REQUEST_METHOD=POST", path), 404);
}

/* Cut to the size of the buffer, this path would be "/heaven/logs". */
static void
a_path_too_long_is_no_route(void **state)
{
	static char base[BASE_PATH_MAX + 1], path[PATH_MAX_BYTES + 64];
	size_t fill = PATH_MAX_BYTES - strlen("/heaven/logs");

	(void)state;
	snprintf(path, sizeof(path), "SCRIPT_NAME=/%0*d/heaven/logs", 240, 0);
	snprintf(base, sizeof(base), "/%0*d", 240, 0);
	config.base_path = slice_of(base);
	assert_int_equal(status_of("REQUEST_METHOD=POST", path), 401);
	snprintf(path, sizeof(path), "SCRIPT_NAME=/%0*d/heaven/logsX",
	    (int)fill - 1, 0);
	assert_int_equal(status_of("REQUEST_METHOD=POST", path), 404);
	snprintf(path, sizeof(path), "PATH_INFO=/%0*d/heaven/logsX",
	    (int)fill - 1, 0);
	assert_int_equal(status_of("REQUEST_METHOD=POST", path), 404);
}

static void
takes_each_path_by_its_methods(void **state)
{
	static const struct {
		const char *method, *path;
		int status;
		const char *allow;
	} cases[] = {
	    {"GET", "/_ping", 200, NULL},
	    {"HEAD", "/_ping", 200, NULL},
	    {"GET", "/_ping/", 200, NULL},
	    {"HEAD", "/_ping///", 200, NULL},
	    {"POST", "/_ping/", 405, "GET, HEAD"},
	    {"GET", "/heaven/logs/", 405, "POST"},
	    {"GET", "//_ping", 404, NULL},
	    {"POST", "/_ping", 405, "GET, HEAD"},
	    {"PUT", "/_ping", 405, "GET, HEAD"},
	    {"get", "/_ping", 405, "GET, HEAD"},
	    {"POST", "/heaven/logs", 401, NULL},
	    {"GET", "/heaven/logs", 405, "POST"},
	    {"HEAD", "/heaven/logs", 405, "POST"},
	    {"POSTS", "/heaven/logs", 405, "POST"},
	    {"", "/heaven/logs", 405, "POST"},
	    {"POST", "/_ping/logs", 401, NULL},
	    {"DELETE", "/nowhere", 404, NULL},
	};
	char method[64], path[64];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(method, sizeof(method), "REQUEST_METHOD=%s",
		    cases[i].method);
		snprintf(path, sizeof(path), "PATH_INFO=%s", cases[i].path);
		assert_int_equal(status_of(method, path), cases[i].status);
		if (cases[i].allow != NULL)
			assert_string_equal(outcome.allow, cases[i].allow);
		else
			assert_null(outcome.allow);
	}
}

/* Everything is wrong at first; correcting one thing shows the next. */
static void
checks_in_the_documented_order(void **state)
{
	(void)state;
	request = (struct request){0};
	request.body_state = BODY_CUT;
	request.body = SLICE("x");
	assert_int_equal(status_now(), 404);
	request.path_info = SLICE("/heaven/logs");
	assert_int_equal(status_now(), 405);
	request.method = SLICE("POST");
	assert_int_equal(status_now(), 401);
	request.authorization = SLICE("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
	assert_int_equal(status_now(), 415);
	request.content_type = SLICE("application/logplex-1");
	assert_int_equal(status_now(), 503);
	request.body_state = BODY_TOO_LONG;
	assert_int_equal(status_now(), 413);
	request.body_state = BODY_WHOLE;
	assert_int_equal(status_now(), 422);
	request.body = SLICE("");
	assert_int_equal(status_now(), 201);
}

static void
knows_its_content_type(void **state)
{
	static const struct {
		const char *type, *encoding;
		int status;
	} cases[] = {
	    {"application/logplex-1", "", 201},
	    {"Application/LOGPLEX-1", "", 201},
	    {"application/logplex-1; charset=utf-8", "", 201},
	    {"application/logplex-1 ;x=y;z", "", 201},
	    {"application/logplex-12", "", 415},
	    {"application/logplex", "", 415},
	    {"text/plain; application/logplex-1", "", 415},
	    {";application/logplex-1", "", 415},
	    {"", "", 415},
	    {"application/logplex-1", "identity", 201},
	    {"application/logplex-1", "Identity", 201},
	    {"application/logplex-1", " identity\t", 201},
	    {"application/logplex-1", " ", 201},
	    {"application/logplex-1", "x", 415},
	    {"application/logplex-1", "gzip", 415},
	    {"application/logplex-1", "identity, gzip", 415},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		status_of_body(SLICE(""));
		request.content_type = slice_of(cases[i].type);
		request.content_encoding = slice_of(cases[i].encoding);
		if (status_now() != cases[i].status)
			fail_msg("%s, %s: %d", cases[i].type, cases[i].encoding,
			    outcome.status);
	}
}

static void
a_refusal_has_a_cause_that_the_answer_does_not_say(void **state)
{
	static const struct {
		const char *variables[5], *cause;
		bool remote_user;
	} cases[] = {
	    {{"PATH_INFO=/heaven/logs", ALADDIN "x"}, "wrong credentials",
		false},
	    {{"PATH_INFO=/heaven/logs"}, "no Authorization header; ", false},
	    {{"PATH_INFO=/hell/logs", ALADDIN},
		"no credentials are configured for ", false},
	    {{"PATH_INFO=/heaven/logs", ALADDIN}, "the web server has verified",
		true},
	    {{"PATH_INFO=/heaven/logs", "REMOTE_USER=x", "AUTH_TYPE=Basic"},
		"this user may not ", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *variables[7] = {"REQUEST_METHOD=POST"};

		memcpy(variables + 1, cases[i].variables,
		    sizeof(cases[i].variables));
		config.remote_user = cases[i].remote_user;
		assert_int_equal(status_of_variables(variables), 401);
		assert_string_equal(outcome.reason,
		    "missing or wrong credentials for this application");
		assert_non_null(outcome.cause);
		assert_int_equal(strncmp(outcome.cause, cases[i].cause,
				     strlen(cases[i].cause)),
		    0);
	}
	config.remote_user = false;
	status_of_body(SLICE(""));
	assert_null(outcome.cause);
}

static void
trusts_remote_user_only_if_told_to(void **state)
{
	static const struct {
		const char *why, *user, *type;
		int status;
	} cases[] = {
	    {"verified", "REMOTE_USER=Aladdin", "AUTH_TYPE=Basic", 415},
	    {"the type in lower case", "REMOTE_USER=Aladdin", "AUTH_TYPE=basic",
		415},
	    {"someone else", "REMOTE_USER=heaven", "AUTH_TYPE=Basic", 401},
	    {"a name cut short", "REMOTE_USER=A", "AUTH_TYPE=Basic", 401},
	    {"no type", "REMOTE_USER=Aladdin", "AUTH_TYPE=", 401},
	    {"another type", "REMOTE_USER=Aladdin", "AUTH_TYPE=Digest", 401},
	    {"nobody", "REMOTE_USER=", "AUTH_TYPE=Basic", 401},
	    {"a client's header", "HTTP_REMOTE_USER=Aladdin", "AUTH_TYPE=Basic",
		401},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		config.remote_user = true;
		if (status_of("REQUEST_METHOD=POST", "PATH_INFO=/heaven/logs",
			cases[i].user, cases[i].type) != cases[i].status)
			fail_msg("%s: %d", cases[i].why, outcome.status);
		config.remote_user = false;
		assert_int_equal(
		    status_of("REQUEST_METHOD=POST", "PATH_INFO=/heaven/logs",
			cases[i].user, cases[i].type),
		    401);
	}
	config.remote_user = true;
	assert_int_equal(
	    status_of("REQUEST_METHOD=POST", "PATH_INFO=/heaven/logs", ALADDIN),
	    401);
	/* Servers set an empty user if there is none. */
	assert_int_equal(
	    status_of("REQUEST_METHOD=POST", "PATH_INFO=/nameless/logs",
		"REMOTE_USER=", "AUTH_TYPE=Basic"),
	    401);
}

static void
the_last_of_a_variable_counts_and_an_empty_one_is_absent(void **state)
{
	(void)state;
	config.remote_user = true;
	assert_int_equal(
	    status_of("REQUEST_METHOD=POST", "PATH_INFO=/x/logs",
		"AUTH_TYPE=Basic", "REMOTE_USER=y", "REMOTE_USER=x"),
	    415);
	assert_int_equal(
	    status_of("REQUEST_METHOD=POST", "PATH_INFO=/heaven/logs",
		"AUTH_TYPE=Basic", "REMOTE_USER=x", "REMOTE_USER=Aladdin"),
	    415);
	assert_int_equal(
	    status_of("REQUEST_METHOD=POST", "PATH_INFO=/heaven/logs",
		"AUTH_TYPE=Basic", "REMOTE_USER=Aladdin", "REMOTE_USER="),
	    401);
	assert_int_equal(status_of("REQUEST_METHOD=GET", "PATH_INFO=/x",
			     "NOVALUE", "PATH_INFO=/_ping"),
	    200);
}

static void
reads_the_content_length(void **state)
{
	static const struct {
		const char *in;
		bool known;
		size_t length;
	} cases[] = {
	    {"", false, 0},
	    {"-1", false, 0},
	    {"0", true, 0},
	    {"536", true, 536},
	    {"999999999999999", true, 999999999999999},
	    {"1000000000000000", true, SIZE_MAX},
	    {"99999999999999999999999", true, SIZE_MAX},
	    {"-2", true, SIZE_MAX},
	    {"+5", true, SIZE_MAX},
	    {"5x", true, SIZE_MAX},
	    {"five", true, SIZE_MAX},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t length = 0;

		request = (struct request){0};
		request.content_length = slice_of(cases[i].in);
		assert_case(request_length(&request, &length) == cases[i].known,
		    cases[i].in);
		if (cases[i].known)
			assert_case(length == cases[i].length, cases[i].in);
	}
}

static void
answers_in_full(void **state)
{
	static const struct timespec now = {1449144737, 590861123};
	static const struct {
		const char *method, *path, *body, *want;
	} cases[] = {
	    {"GET", "/_ping", "",
		"Status: 200 OK\r\nContent-Type: application/json\r\n"
		"Content-Length: 42\r\n\r\n"
		"{\"now\":\"1449144737.590861s\",\"status\":\"ok\"}"},
	    {"HEAD", "/_ping", "",
		"Status: 200 OK\r\nContent-Type: application/json\r\n"
		"Content-Length: 42\r\n\r\n"},
	    {"POST", "/heaven/logs", "26 <1>1 t h a p - Error R14 x2 ab",
		"Status: 201 Created\r\nContent-Type: application/json\r\n"
		"Content-Length: 37\r\n\r\n"
		"{\"messages\":2,\"errors\":1,\"skipped\":1}"},
	    {"POST", "/heaven/logs", "2 ab\nx",
		"Status: 422 Unprocessable Content\r\n"
		"Content-Type: application/json\r\n"
		"Content-Length: 108\r\n\r\n"
		"{\"error\":\"a frame must start with its length in bytes, "
		"without sign or leading zero\",\"offset\":5,\"message\":2}"},
	    {"GET", "/heaven/logs", "",
		"Status: 405 Method Not Allowed\r\n"
		"Content-Type: application/json\r\nAllow: POST\r\n"
		"Content-Length: 48\r\n\r\n"
		"{\"error\":\"this path does not allow that method\"}"},
	    {"POST", "/hell/logs", "",
		"Status: 401 Unauthorized\r\n"
		"Content-Type: application/json\r\n"
		"WWW-Authenticate: Basic realm=\"logplex-statsd\"\r\n"
		"Content-Length: 61\r\n\r\n"
		"{\"error\":\"missing or wrong credentials for this "
		"application\"}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char buf[ANSWER_MAX];
		struct buf answer = BUF_IN(buf);

		status_of_body(slice_of(cases[i].body));
		request.method = slice_of(cases[i].method);
		request.path_info = slice_of(cases[i].path);
		status_now();
		answer_put(&answer, &request, &tally, &outcome, now);
		assert_text(buf_slice(&answer), cases[i].want, cases[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(counts_the_reference_example, configure),
	    cmocka_unit_test_setup(
		an_empty_body_is_a_batch_of_no_messages, configure),
	    cmocka_unit_test_setup(a_framing_fault_says_where, configure),
	    cmocka_unit_test_setup(
		finds_the_route_however_a_server_splits_it, configure),
	    cmocka_unit_test_setup(a_name_has_at_most_64_bytes, configure),
	    cmocka_unit_test_setup(a_path_too_long_is_no_route, configure),
	    cmocka_unit_test_setup(takes_each_path_by_its_methods, configure),
	    cmocka_unit_test_setup(checks_in_the_documented_order, configure),
	    cmocka_unit_test_setup(knows_its_content_type, configure),
	    cmocka_unit_test_setup(
		a_refusal_has_a_cause_that_the_answer_does_not_say, configure),
	    cmocka_unit_test_setup(
		trusts_remote_user_only_if_told_to, configure),
	    cmocka_unit_test_setup(
		the_last_of_a_variable_counts_and_an_empty_one_is_absent,
		configure),
	    cmocka_unit_test_setup(reads_the_content_length, configure),
	    cmocka_unit_test_setup(answers_in_full, configure),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("handler", tests, NULL, NULL);
}
