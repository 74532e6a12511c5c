/*
 * A request from its arrival to the datagrams, the answer and the log: a
 * userinfo and the path and options of the one collector, CGI variables, an
 * empty line, and what comes on the stream.  The variable X-BROKEN stands for
 * a stream that ends in an error, X-HUNG-UP for a client that has disconnected.
 *
 * Asserted: for a 201 exactly the errors it states arrive, for any other
 * answer none; a body that is shorter than announced, or broken, or whose
 * client has disconnected, is never counted; the log is whole lines of
 * printable text without a secret.
 *
 * The log goes to descriptor 2, which this target replaces: run it with
 * -close_fd_mask=2, so that libFuzzer reports by another.
 */
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#include "collectors.h"
#include "serve/exchange.h"
#include "fuzz.h"
#include "http/request.h"

#define CANARY "Tr0ub4dor"

struct stream {
	struct slice rest;
	bool broken, hung_up;
	bool failed; /* broken, and read to its end */
	size_t writes;
	struct slice answer; /* in buf */
	char buf[ANSWER_MAX];
};

static ssize_t
stream_read(void *context, char *buf, size_t len)
{
	struct stream *s = context;
	struct slice head = slice_head(s->rest, len);

	if (head.len > 0)
		memcpy(buf, head.ptr, head.len);
	s->rest = slice_after(s->rest, head.len);
	s->failed = s->broken && s->rest.len == 0;
	return s->failed ? -1 : (ssize_t)head.len;
}

static bool
stream_hung_up(void *context)
{
	return ((struct stream *)context)->hung_up;
}

static void
stream_write(void *context, struct slice answer)
{
	struct stream *s = context;

	assert(answer.len <= sizeof(s->buf));
	memcpy(s->buf, answer.ptr, answer.len);
	s->answer = (struct slice){s->buf, answer.len};
	s->writes++;
}

static struct config config;
static struct service service;

static void
prepare(void)
{
	static char heaven[] = "API_CREDENTIALS_HEAVEN=Aladdin:" CANARY,
		    secret[] = "API_SECRET=" CANARY "2",
		    level[] = "LOG_LEVEL=debug", faults_buf[1000];
	struct findings findings = {.faults = BUF_IN(faults_buf)};
	char *environment[] = {heaven, secret, level, NULL};
	char name[] = "/tmp/fuzz-exchange-XXXXXX";
	int log = mkstemp(name);

	assert(log >= 0 && !unlink(name));
	assert(dup2(log, STDERR_FILENO) == STDERR_FILENO);
	if (log != STDERR_FILENO)
		close(log);
	assert(sodium_init() >= 0);
	config_load(&config, environment, &findings);
	assert(findings.faults.len == 0);
	log_set_level(LOG_DEBUG);
	service.config = &config;
}

/* seen: what may stand in the log anyhow. */
static void
check_log(struct slice key, struct slice seen)
{
	static char buf[1 << 20];
	ssize_t len = pread(STDERR_FILENO, buf, sizeof(buf), 0);
	struct slice log = {buf, len > 0 ? (size_t)len : 0}, line;

	assert(log.len > 0 && log.ptr[log.len - 1] == '\n');
	assert(fuzz_is_lines(log));
	assert(!fuzz_contains(log, SLICE(CANARY)));
	if (slice_starts_with(key, SLICE("secret-")) && key.len > 12 &&
	    !fuzz_contains(seen, key))
		assert(!fuzz_contains(log, key));
	while ((line = fuzz_line(&log)).len > 0)
		assert(slice_starts_with(line, SLICE("event=")) &&
		    line.len < LOG_LINE_MAX);
	assert(!ftruncate(STDERR_FILENO, 0));
	assert(lseek(STDERR_FILENO, 0, SEEK_SET) == 0);
}

/* The number after "errors": in the answer. */
static size_t
errors_of(struct slice answer)
{
	size_t number;

	while (!slice_take(&answer, SLICE("\"errors\":")))
		answer = slice_after(answer, 1);
	assert(slice_take_number(&answer, 10, &number));
	return number;
}

/* The part before the last "/logs" of a path that was accepted. */
static struct slice
app_of(const struct request *request)
{
	struct slice path = request->path_info.len > 0 ? request->path_info
						       : request->script_name;
	struct slice segment, app = {0};

	while (slice_take_element(&path, '/', &segment))
		if (path.len > 0)
			app = segment;
	return app;
}

static void
check(char *const *variables, size_t arrived, struct stream *stream)
{
	struct request request;
	size_t promised = 0, sent;
	bool created;

	request_read(&request, variables);
	assert(stream->writes == 1);
	created = slice_starts_with(stream->answer, SLICE("Status: 201 "));
	sent = collectors_read(
	    &config, created ? app_of(&request) : SLICE("none"));
	assert(sent == (created ? errors_of(stream->answer) : 0));
	if (created)
		assert(!stream->failed && (!stream->hung_up || sent == 0) &&
		    (!request_length(&request, &promised) ||
			arrived >= promised));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = {(const char *)data, size};
	struct slice userinfo, tail, seen;
	struct stream stream = {0};
	struct transport transport = {
	    &stream, stream_read, stream_hung_up, stream_write};
	char *const *variables;

	if (service.config == NULL)
		prepare();
	userinfo = fuzz_line(&rest);
	seen = rest;
	tail = fuzz_line(&rest);
	variables = fuzz_variables(&rest);
	stream.broken = fuzz_has(variables, "X-BROKEN");
	stream.hung_up = fuzz_has(variables, "X-HUNG-UP");
	stream.rest = fuzz_copy(rest);
	service.cluster.looked_up = true;
	if (!fuzz_contains(
		(struct slice){(const char *)data, size}, SLICE(CANARY)) &&
	    collectors_open(&service.cluster, &config, &userinfo, &tail, 1)) {
		exchange_run(&service, variables, &transport);
		check(variables, rest.len, &stream);
		collectors_close(&service.cluster);
		check_log((struct slice){(const char *)config.collectors[0].key,
			      config.collectors[0].key_len},
		    seen);
	}
	fuzz_release();
	return 0;
}
