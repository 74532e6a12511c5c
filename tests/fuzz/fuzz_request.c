/*
 * A whole request, decided and answered: lines of CGI variables, an empty line,
 * and the body.  "X-CUT", "X-TOO-LONG" and "X-REMOTE-USER" as a variable's name
 * choose the state of the body, and a configuration with AUTH=remote-user.
 *
 * Asserted: the answer is well formed, printable, and as long as it states; the
 * order of the checks; a 201 is authorised, has a name fit for a bucket, and
 * its body's counts.
 */
#include <sodium.h>

#include "http/answer.h"
#include "fuzz.h"
#include "http/handler.h"

static struct config self, remote;

static void
load(struct config *config, char *auth)
{
	static char heaven[] = "API_CREDENTIALS_HEAVEN=Aladdin:open sesame",
		    my_app[] = "API_CREDENTIALS_MY-APP=me:mine",
		    secret[] = "API_SECRET=hush", base[] = "BASE_PATH=/drain";
	static char faults_buf[1000];
	struct findings findings = {.faults = BUF_IN(faults_buf)};
	char *environment[] = {auth, heaven, my_app, secret, base, NULL};

	config_load(config, environment, &findings);
	assert(findings.faults.len == 0);
}

static void
take_header(struct slice *rest, const char *name, struct slice *value)
{
	struct slice line, field;

	assert(slice_cut(rest, '\n', &line));
	assert(line.len > 0 && line.ptr[line.len - 1] == '\r');
	line = slice_head(line, line.len - 1);
	assert(slice_cut(&line, ':', &field));
	assert(slice_equal(field, slice_of(name)));
	assert(slice_take(&line, SLICE(" ")));
	*value = line;
}

/* The answer, byte for byte, but for its reason. */
static void
check_answer(struct slice answer, int status, bool head)
{
	struct slice value;
	size_t number, length;

	assert(fuzz_is_lines(answer) == false); /* it has CR */
	take_header(&answer, "Status", &value);
	assert(slice_take_number(&value, 3, &number) && (int)number == status);
	assert(value.len > 1 && !slice_equal(value, SLICE(" Unknown")));
	take_header(&answer, "Content-Type", &value);
	assert(slice_equal(value, SLICE("application/json")));
	if (status == 401)
		take_header(&answer, "WWW-Authenticate", &value);
	if (status == 405)
		take_header(&answer, "Allow", &value);
	take_header(&answer, "Content-Length", &value);
	assert(slice_take_number(&value, 4, &length) && value.len == 0);
	assert(slice_take(&answer, SLICE("\r\n")));
	assert(answer.len == (head ? 0 : length) && length > 0);
	assert(fuzz_is_lines(answer));
	if (!head)
		assert(answer.ptr[0] == '{' && answer.ptr[length - 1] == '}');
}

/* Nothing past a check was reached without passing it. */
static void
check_order(const struct config *config, const struct request *r,
    const struct outcome *out)
{
	bool posted = slice_equal(r->method, SLICE("POST"));

	if (out->status == 200 || out->status == 404 || out->status == 405) {
		assert(out->status != 404 || out->app.len == 0);
		return;
	}
	assert(posted && fuzz_is_app(out->app));
	if (out->status == 401)
		return;
	if (config->remote_user)
		assert(r->remote_user.len > 0 && r->auth_type.len == 5 &&
		    credentials_accept_user(
			&config->credentials, out->app, r->remote_user));
	else
		assert(credentials_accept(
		    &config->credentials, out->app, r->authorization));
	if (out->status == 415)
		return;
	assert(r->content_type.len >= sizeof("application/logplex-1") - 1);
	if (out->status == 503)
		assert(r->body_state == BODY_CUT);
	else if (out->status == 413)
		assert(r->body_state == BODY_TOO_LONG);
	else
		assert(r->body_state == BODY_WHOLE);
}

static void
check_counts(const struct request *r, const struct config *config,
    const struct outcome *out, const struct tally *tally)
{
	static struct tally again;
	struct batch_message message;
	enum frame_result result;

	if (out->status != 201 && out->status != 422)
		return;
	tally_reset(&again);
	result = batch_count(r->body, &config->rules, &again, &message);
	assert((result == FRAME_END) == (out->status == 201));
	if (out->status == 422) {
		assert(out->fault.offset < r->body.len);
		return;
	}
	fuzz_check_tally(tally);
	assert(
	    tally->errors == again.errors && tally->messages == again.messages);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char auth_self[] = "AUTH=self",
		    auth_remote[] = "AUTH=remote-user";
	static struct tally tally;
	struct slice rest = {(const char *)data, size};
	char *const *variables = fuzz_variables(&rest);
	struct request request;
	struct outcome outcome;
	const struct config *config;
	char buf[ANSWER_MAX];
	struct buf answer = BUF_IN(buf);

	if (self.collector_count == 0) {
		assert(sodium_init() >= 0);
		load(&self, auth_self);
		load(&remote, auth_remote);
	}
	config = fuzz_has(variables, "X-REMOTE-USER") ? &remote : &self;
	request_read(&request, variables);
	if (fuzz_has(variables, "X-CUT"))
		request.body_state = BODY_CUT;
	else if (fuzz_has(variables, "X-TOO-LONG"))
		request.body_state = BODY_TOO_LONG;
	else
		request.body = fuzz_copy(rest);
	tally_reset(&tally);
	handler_decide(config, &request, &tally, &outcome);
	answer_put(&answer, &request, &tally, &outcome,
	    (struct timespec){1449144737, 590861000});
	assert(!answer.truncated);
	check_answer(buf_slice(&answer), outcome.status,
	    slice_equal(request.method, SLICE("HEAD")));
	check_order(config, &request, &outcome);
	check_counts(&request, config, &outcome, &tally);
	fuzz_release();
	return 0;
}
