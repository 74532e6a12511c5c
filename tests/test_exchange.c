#include "serve/exchange.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sodium.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

#define ALADDIN "HTTP_AUTHORIZATION=Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="

/* Real sockets, like those of collectors, and a transport made of memory. */
static struct config config;
static struct service service;
static int collector;

struct stream {
	struct slice in; /* what has not been read */
	bool broken;     /* once it has been read */
	bool hung_up;
	size_t reads;
	char answer[ANSWER_MAX + 1];
};

static ssize_t
read_memory(void *context, char *buf, size_t len)
{
	struct stream *s = context;
	size_t n = s->in.len < len ? s->in.len : len;

	s->reads++;
	if (n > 0)
		memcpy(buf, s->in.ptr, n);
	s->in = slice_after(s->in, n);
	return s->broken && s->in.len == 0 ? -1 : (ssize_t)n;
}

static bool
memory_hung_up(void *context)
{
	struct stream *s = context;

	return s->hung_up;
}

static void
write_memory(void *context, struct slice answer)
{
	struct stream *s = context;

	memcpy(s->answer, answer.ptr, answer.len);
	s->answer[answer.len] = '\0';
}

static int
open_collector(uint16_t *port)
{
	struct sockaddr_in a = {0};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	a.sin_family = AF_INET;
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a.sin_port = htons(*port);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

/* The next datagram as a string; "" if none is there. */
static const char *
received(void)
{
	static char datagram[2048];
	struct pollfd fd = {collector, POLLIN, 0};
	ssize_t n;

	if (poll(&fd, 1, 0) <= 0)
		return "";
	n = recv(collector, datagram, sizeof(datagram) - 1, 0);
	assert_true(n >= 0);
	datagram[n] = '\0';
	return datagram;
}

/* DUPLICATES=..., or NULL. */
static const char *duplicates;

/* A service whose only collector is `collector`, with a URI's key and path. */
static void
start(const char *key, const char *path_and_options)
{
	static char cluster[256];
	static const char *environment[] = {
	    cluster, "API_CREDENTIALS_HEAVEN=Aladdin:open sesame", NULL, NULL};
	static char buf[1024];
	struct findings findings = {.faults = BUF_IN(buf)};
	uint16_t port = 0;

	collector = open_collector(&port);
	snprintf(cluster, sizeof(cluster),
	    "METRICS_CLUSTER=statsd://%s127.0.0.1:%u%s", key, port,
	    path_and_options);
	environment[2] = duplicates;
	memset(&config, 0, sizeof(config));
	memset(&service, 0, sizeof(service));
	config_load(&config, (char *const *)(uintptr_t)environment, &findings);
	assert_int_equal(findings.faults.len, 0);
	log_set_level(LOG_ERROR);
	exchange_open(&service, &config);
}

static int
stop(void **state)
{
	(void)state;
	exchange_close(&service);
	close(collector);
	duplicates = NULL;
	return 0;
}

static struct stream stream;

/* Posts what `stream` holds with this CONTENT_LENGTH, and one variable more or
 * NULL; the status of the answer. */
static int
post_stream(const char *content_length, const char *more)
{
	const char *variables[] = {"REQUEST_METHOD=POST",
	    "PATH_INFO=/heaven/logs", "CONTENT_TYPE=application/logplex-1",
	    ALADDIN, content_length, more, NULL};
	struct transport transport = {
	    &stream, read_memory, memory_hung_up, write_memory};

	exchange_run(&service, (char *const *)(uintptr_t)variables, &transport);
	return atoi(stream.answer + strlen("Status: "));
}

/* The same for a body; the answer is in `stream`. */
static int
post_with(struct slice body, const char *content_length, bool broken,
    const char *more)
{
	stream = (struct stream){body, broken, false, 0, {0}};
	return post_stream(content_length, more);
}

static int
post(struct slice body, const char *content_length, bool broken)
{
	return post_with(body, content_length, broken, NULL);
}

static void
every_counter_of_a_good_batch_is_sent(void **state)
{
	struct slice body = fixture("reference.logplex");

	(void)state;
	start("", "");
	assert_int_equal(post(body, "CONTENT_LENGTH=536", false), 201);
	assert_string_equal(received(), "heaven.heroku.errors.R99:1|c");
	assert_string_equal(received(), "heaven.heroku.errors.R89:1|c");
	assert_string_equal(received(), "heaven.heroku.errors.L99:1|c");
	assert_string_equal(received(), "heaven.heroku.errors.H12:1|c");
	assert_string_equal(received(), "");
	free((void *)(uintptr_t)body.ptr);
}

static void
counts_are_summed_within_a_request_and_not_beyond(void **state)
{
	struct slice body = fixture("malformed/newline-between.logplex");

	(void)state;
	start("", "");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(post(body, "CONTENT_LENGTH=", false), 201);
		assert_string_equal(received(), "heaven.heroku.errors.R14:2|c");
		assert_string_equal(received(), "");
	}
	free((void *)(uintptr_t)body.ptr);
}

static void
nothing_is_sent_for_a_body_that_is_not_whole(void **state)
{
	static const struct {
		const char *why, *length;
		bool broken;
		int status;
	} cases[] = {
	    {"whole", "CONTENT_LENGTH=88", false, 201},
	    {"no length", "CONTENT_LENGTH=", false, 201},
	    {"chunked", "CONTENT_LENGTH=-1", false, 201},
	    {"a byte short", "CONTENT_LENGTH=89", false, 503},
	    {"absurd", "CONTENT_LENGTH=99999999999999999999", false, 503},
	    {"no number", "CONTENT_LENGTH=many", false, 503},
	    {"broken at its end", "CONTENT_LENGTH=", true, 503},
	    {"broken and short", "CONTENT_LENGTH=100", true, 503},
	    {"longer than it said", "CONTENT_LENGTH=40", false, 422},
	};
	struct slice body = SLICE("85 <45>1 2024-01-01T00:00:00+00:00 host "
				  "heroku web.1 - Error R14 (Memory quota "
				  "exceeded)");

	(void)state;
	start("", "");
	for (size_t i = 0; i < COUNT(cases); i++) {
		int status = post(body, cases[i].length, cases[i].broken);

		if (status != cases[i].status)
			fail_msg("%s: %d", cases[i].why, status);
		assert_string_equal(received(),
		    status == 201 ? "heaven.heroku.errors.R14:1|c" : "");
	}
	assert_string_equal(received(), "");
}

/* Bytes after the announced length are not part of the body, RFC 3875 4.2. */
static void
reads_no_more_than_the_announced_length(void **state)
{
	struct slice two = SLICE("26 <1>1 t h a p - Error R14 x"
				 "26 <1>1 t h a p - Error R15 x");

	(void)state;
	start("", "");
	assert_int_equal(post(two, "CONTENT_LENGTH=29", false), 201);
	assert_string_equal(received(), "heaven.heroku.errors.R14:1|c");
	assert_string_equal(received(), "");
}

static void
a_body_may_have_eight_mebibytes_and_no_more(void **state)
{
	size_t most = BODY_MAX;
	char *newlines = malloc(most + 1), length[64];

	(void)state;
	assert_non_null(newlines);
	memset(newlines, '\n', most + 1);
	start("", "");
	for (size_t extra = 0; extra < 2; extra++) {
		struct slice body = {newlines, most + extra};

		snprintf(
		    length, sizeof(length), "CONTENT_LENGTH=%zu", most + extra);
		assert_int_equal(post(body, length, false), extra ? 413 : 201);
		assert_int_equal(
		    post(body, "CONTENT_LENGTH=", false), extra ? 413 : 201);
	}
	free(newlines);
}

static void
nothing_is_sent_once_the_client_has_hung_up(void **state)
{
	static const char id[] = "HTTP_LOGPLEX_FRAME_ID=1";
	struct slice body = fixture("reference.logplex");

	(void)state;
	start("", "");
	stream = (struct stream){body, false, true, 0, {0}};
	assert_int_equal(post_stream("CONTENT_LENGTH=", id), 503);
	assert_string_equal(received(), "");
	/* A copy of it is no duplicate. */
	assert_int_equal(post_with(body, "CONTENT_LENGTH=", false, id), 201);
	assert_null(strstr(stream.answer, "duplicate"));
	assert_string_not_equal(received(), "");
	free((void *)(uintptr_t)body.ptr);
}

static void
a_refused_body_is_read_to_its_end(void **state)
{
	struct stream unread = {SLICE("whatever"), false, false, 0, {0}};
	const char *variables[] = {
	    "REQUEST_METHOD=POST", "PATH_INFO=/heaven/logs", NULL};
	struct transport transport = {
	    &unread, read_memory, memory_hung_up, write_memory};

	(void)state;
	start("", "");
	exchange_run(&service, (char *const *)(uintptr_t)variables, &transport);
	assert_memory_equal(unread.answer, "Status: 401", 11);
	assert_int_equal(unread.in.len, 0);
}

static void
a_prefix_is_put_in_front_of_the_bucket(void **state)
{
	struct slice body = fixture("reference.logplex");

	(void)state;
	start("", "/pre/fix");
	assert_int_equal(post(body, "CONTENT_LENGTH=536", false), 201);
	assert_string_equal(received(), "pre.fix.heaven.heroku.errors.R99:1|c");
	free((void *)(uintptr_t)body.ptr);
}

static void
lines_are_packed_up_to_the_given_size(void **state)
{
	struct slice body = fixture("reference.logplex");

	(void)state;
	start("", "?datagram=97");
	assert_int_equal(post(body, "CONTENT_LENGTH=536", false), 201);
	assert_string_equal(received(),
	    "heaven.heroku.errors.R99:1|c\nheaven.heroku.errors.R89:1|c\n"
	    "heaven.heroku.errors.L99:1|c");
	assert_string_equal(received(), "heaven.heroku.errors.H12:1|c");
	assert_string_equal(received(), "");
	stop(NULL);
	start("", "?datagram=1432");
	assert_int_equal(post(body, "CONTENT_LENGTH=536", false), 201);
	assert_int_equal(strlen(received()), 4 * 28 + 3);
	assert_string_equal(received(), "");
	free((void *)(uintptr_t)body.ptr);
}

static void
signed_datagrams_verify_and_keep_their_limit(void **state)
{
	static char body[64 * 1024];
	struct buf text = BUF_IN(body);
	unsigned char datagram[2048];
	struct signature_key key;
	size_t lines = 0, datagrams = 0;
	struct pollfd fd;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		buf_put_string(&text, "24 <1>1 t h a p - Error R");
		buf_put_padded(&text, i, 2);
	}
	start("u:open%20sesame@", "?datagram=65507&backdate=60");
	assert_int_equal(post(buf_slice(&text), "CONTENT_LENGTH=", false), 201);
	signature_key_init(&key, (const unsigned char *)"open sesame", 11);
	fd = (struct pollfd){collector, POLLIN, 0};
	while (poll(&fd, 1, 0) > 0) {
		ssize_t n = recv(collector, datagram, sizeof(datagram), 0);
		int64_t seconds, age;

		assert_true(n > 0 && n <= SIGNED_DATAGRAM_MAX);
		assert_null(
		    signature_verify(&key, datagram, (size_t)n, &seconds));
		age = (int64_t)time(NULL) - seconds;
		assert_true(age >= 60 && age <= 62);
		for (ssize_t k = SIGNATURE_LEN; k < n; k++)
			lines += datagram[k] == '|';
		datagrams++;
	}
	assert_int_equal(lines, 100);
	assert_true(datagrams == 4);
}

/* Until the refusal of the last datagram shows, at most half a minute. */
static void
wait_for_refusal(void)
{
	struct pollfd p = {service.cluster.collectors[0].fd, 0, 0};

	assert_int_equal(poll(&p, 1, 30000), 1);
	assert_int_equal(p.revents, POLLERR);
}

static void
a_collector_that_is_away_never_fails_a_request(void **state)
{
	struct slice body = fixture("reference.logplex");
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	uint16_t port;

	(void)state;
	start("", "");
	assert_int_equal(
	    getsockname(collector, (struct sockaddr *)&a, &len), 0);
	port = ntohs(a.sin_port);
	close(collector);
	assert_int_equal(post(body, "CONTENT_LENGTH=536", false), 201);
	wait_for_refusal();
	assert_int_equal(post(body, "CONTENT_LENGTH=536", false), 201);
	assert_true(service.cluster.collectors[0].failed > 0);
	cluster_tend(&service.cluster);
	assert_true(service.cluster.collectors[0].logged > 0);
	/* When it is back, it gets all that is sent from then on. */
	collector = open_collector(&port);
	assert_int_equal(post(body, "CONTENT_LENGTH=536", false), 201);
	assert_string_equal(received(), "heaven.heroku.errors.R99:1|c");
	assert_string_equal(received(), "heaven.heroku.errors.R89:1|c");
	assert_string_equal(received(), "heaven.heroku.errors.L99:1|c");
	assert_string_equal(received(), "heaven.heroku.errors.H12:1|c");
	free((void *)(uintptr_t)body.ptr);
}

static void
failures_are_logged_once_a_minute(void **state)
{
	struct slice body = fixture("reference.logplex");
	struct collector *c = &service.cluster.collectors[0];

	(void)state;
	start("", "");
	close(collector);
	collector = open_collector(&(uint16_t){0});
	assert_int_equal(cluster_idle_ms(&service.cluster), -1);
	for (int i = 0; i < 3; i++) {
		cluster_tend(&service.cluster);
		assert_int_equal(post(body, "CONTENT_LENGTH=536", false), 201);
		wait_for_refusal();
	}
	assert_true(c->failed > 0);
	assert_true(cluster_idle_ms(&service.cluster) > 0);
	cluster_tend(&service.cluster);
	assert_true(c->failed > 0);
	c->logged -= SEND_LOG_INTERVAL_MS;
	cluster_tend(&service.cluster);
	assert_int_equal(c->failed, 0);
	assert_int_equal(cluster_idle_ms(&service.cluster), -1);
	free((void *)(uintptr_t)body.ptr);
}

/* Messages that count, and the bodies made of them. */
#define R14 "24 <1>1 t h a p - Error R14"
#define R15 "24 <1>1 t h a p - Error R15"
#define L10 "24 <1>1 t h a p - Error L10"
#define H12 "32 <1>1 t h a p - at=error code=H12"

static void
assert_posted(const char *body, const char *id, bool duplicate)
{
	assert_int_equal(
	    post_with(slice_of(body), "CONTENT_LENGTH=", false, id), 201);
	assert_int_equal(
	    strstr(stream.answer, ",\"duplicate\":true}") != NULL, duplicate);
}

/* The codes counted since the last call, as "R14 R15 ". */
static const char *
received_codes(void)
{
	static char codes[256];
	const char *line;

	codes[0] = '\0';
	while ((line = received())[0] != '\0') {
		assert_memory_equal(line, "heaven.heroku.errors.", 21);
		strncat(codes, line + 21, strcspn(line + 21, ":"));
		strcat(codes, " ");
	}
	return codes;
}

static void
a_batch_that_comes_again_is_counted_once(void **state)
{
	static const char id[] = "HTTP_LOGPLEX_FRAME_ID=1",
			  other[] = "HTTP_LOGPLEX_FRAME_ID=2";

	(void)state;
	start("", "");
	assert_posted(R14 R15, id, false);
	assert_string_equal(received_codes(), "R14 R15 ");
	assert_posted(R14 R15, id, true);
	assert_non_null(strstr(
	    stream.answer, "{\"messages\":2,\"errors\":2,\"skipped\":0,"));
	assert_posted(R14 R15, id, true);
	assert_string_equal(received_codes(), "");
	assert_posted(R14 R15, other, false);
	assert_string_equal(received_codes(), "R14 R15 ");
	for (int i = 0; i < 2; i++) {
		assert_posted(R14, NULL, false);
		assert_posted(R15, "HTTP_LOGPLEX_FRAME_ID=", false);
		assert_string_equal(received_codes(), "R14 R15 ");
	}
	/* A batch that counts nothing can be a duplicate too. */
	assert_posted("", "HTTP_LOGPLEX_FRAME_ID=3", false);
	assert_posted("", "HTTP_LOGPLEX_FRAME_ID=3", true);
}

static void
a_batch_that_was_refused_is_not_remembered(void **state)
{
	static const char id[] = "HTTP_LOGPLEX_FRAME_ID=1";

	(void)state;
	start("", "");
	assert_int_equal(
	    post_with(SLICE(R14), "CONTENT_LENGTH=99", false, id), 503);
	assert_int_equal(
	    post_with(SLICE("x"), "CONTENT_LENGTH=", false, id), 422);
	assert_posted(R14, id, false);
	assert_string_equal(received_codes(), "R14 ");
}

static void
duplicates_count_if_they_are_to(void **state)
{
	(void)state;
	duplicates = "DUPLICATES=count";
	start("", "");
	for (int i = 0; i < 3; i++) {
		assert_posted(R14, "HTTP_LOGPLEX_FRAME_ID=1", false);
		assert_string_equal(received_codes(), "R14 ");
	}
}

static void
a_new_l10_in_front_of_a_duplicate_counts_once(void **state)
{
	static const struct {
		const char *why, *bodies[4], *codes[4];
	} cases[] = {
	    {"a new L10", {R14, L10 R14, L10 R14, R14},
		{"R14 ", "L10 ", "", ""}},
	    {"an L10 from the beginning", {L10 R14, L10 R14, R14, L10 R14},
		{"L10 R14 ", "", "", ""}},
	    {"an L10 elsewhere", {R14 L10, R14 L10, L10 R14 L10, L10 R14 L10},
		{"R14 L10 ", "", "L10 ", ""}},
	    {"after nothing", {"", L10, L10, ""}, {"", "L10 ", "", ""}},
	    {"another error in front", {R14, R15 R14, H12, L10},
		{"R14 ", "", "", "L10 "}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		start("", "");
		for (int n = 0; n < 4; n++) {
			assert_posted(cases[i].bodies[n],
			    "HTTP_LOGPLEX_FRAME_ID=1", n > 0);
			assert_text(slice_of(received_codes()),
			    cases[i].codes[n], cases[i].why);
		}
		stop(NULL);
	}
	start("", "");
}

/* As if a process had died after it handed over so many datagrams. */
static void
leave_partly_counted(uint32_t handed, bool l10)
{
	struct frames_claim claim;

	start("", "");
	assert_int_equal(
	    frames_claim(&service.frames, SLICE("heaven"), SLICE("1"), &claim),
	    FRAMES_NEW);
	frames_set_l10(&claim, l10);
	atomic_store(&claim.entry->handed, handed);
}

static void
a_batch_is_gone_on_with_where_a_process_died(void **state)
{
	static const struct {
		const char *why;
		uint32_t handed;
		bool l10;
		const char *again, *codes;
	} cases[] = {
	    {"before all", 0, false, R14 R15 H12, "R14 R15 H12 "},
	    {"after one", 1, false, R14 R15 H12, "R15 H12 "},
	    {"after two", 2, false, R14 R15 H12, "H12 "},
	    {"after all", 3, false, R14 R15 H12, ""},
	    {"with a new L10", 1, false, L10 R14 R15 H12, "R15 H12 L10 "},
	    {"with a new L10, before all", 0, false, L10 R14, "L10 R14 "},
	    {"with the L10 it had", 2, true, L10 R14 R15 H12, "R15 H12 "},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		leave_partly_counted(cases[i].handed, cases[i].l10);
		assert_posted(cases[i].again, "HTTP_LOGPLEX_FRAME_ID=1", false);
		assert_text(
		    slice_of(received_codes()), cases[i].codes, cases[i].why);
		assert_posted(cases[i].again, "HTTP_LOGPLEX_FRAME_ID=1", true);
		assert_text(slice_of(received_codes()), "", cases[i].why);
		stop(NULL);
	}
	start("", "");
}

static void
post_a_duplicate(void)
{
	assert_posted(R14, "HTTP_LOGPLEX_FRAME_ID=1", false);
	assert_posted(R14, "HTTP_LOGPLEX_FRAME_ID=1", true);
}

static void
the_log_says_that_a_batch_came_again(void **state)
{
	(void)state;
	start("", "");
	log_set_level(LOG_INFO);
	assert_string_equal(
	    stderr_of(post_a_duplicate), "event=duplicate app=heaven\n");
	log_set_level(LOG_ERROR);
}

static void
post_an_odd_message(void)
{
	assert_int_equal(post(SLICE("3 o\nd17 <1>1 t h a p - hi"),
			     "CONTENT_LENGTH=25", false),
	    201);
}

static void
post_no_batch(void)
{
	assert_int_equal(
	    post(SLICE("3 odd\nx"), "CONTENT_LENGTH=7", false), 422);
}

static void
the_log_says_what_was_refused_and_why(void **state)
{
	(void)state;
	start("", "");
	log_set_level(LOG_INFO);
	assert_string_equal(stderr_of(post_no_batch),
	    "event=refused status=422 app=heaven reason=\"a frame must start "
	    "with its length in bytes, without sign or leading zero\" "
	    "offset=6 message=2\n");
	assert_string_equal(stderr_of(post_an_odd_message), "");
	log_set_level(LOG_ERROR);
}

static void
at_debug_the_log_shows_each_request_and_what_it_skips(void **state)
{
	static const char skipped[] = "event=skipped app=heaven message=1 "
				      "offset=0 text=\"o\\nd\"\n",
			  request[] = "event=request method=\"POST\" "
				      "path=\"/heaven/logs\" status=201 us=",
			  body[] = " bytes=25 body=\"3 o\\nd17 <1>1 t h a p - "
				   "hi\"\n";
	const char *log;

	(void)state;
	start("", "");
	log_set_level(LOG_DEBUG);
	log = stderr_of(post_an_odd_message);
	log_set_level(LOG_ERROR);
	assert_memory_equal(log, skipped, strlen(skipped));
	log += strlen(skipped);
	assert_memory_equal(log, request, strlen(request));
	log += strlen(request);
	/* It took less than a minute. */
	assert_in_range(strspn(log, "0123456789"), 1, 8);
	assert_string_equal(log + strspn(log, "0123456789"), body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(
		every_counter_of_a_good_batch_is_sent, stop),
	    cmocka_unit_test_teardown(
		counts_are_summed_within_a_request_and_not_beyond, stop),
	    cmocka_unit_test_teardown(
		nothing_is_sent_for_a_body_that_is_not_whole, stop),
	    cmocka_unit_test_teardown(
		reads_no_more_than_the_announced_length, stop),
	    cmocka_unit_test_teardown(
		a_body_may_have_eight_mebibytes_and_no_more, stop),
	    cmocka_unit_test_teardown(
		nothing_is_sent_once_the_client_has_hung_up, stop),
	    cmocka_unit_test_teardown(a_refused_body_is_read_to_its_end, stop),
	    cmocka_unit_test_teardown(
		a_prefix_is_put_in_front_of_the_bucket, stop),
	    cmocka_unit_test_teardown(
		lines_are_packed_up_to_the_given_size, stop),
	    cmocka_unit_test_teardown(
		signed_datagrams_verify_and_keep_their_limit, stop),
	    cmocka_unit_test_teardown(
		a_collector_that_is_away_never_fails_a_request, stop),
	    cmocka_unit_test_teardown(failures_are_logged_once_a_minute, stop),
	    cmocka_unit_test_teardown(
		a_batch_that_comes_again_is_counted_once, stop),
	    cmocka_unit_test_teardown(
		a_batch_that_was_refused_is_not_remembered, stop),
	    cmocka_unit_test_teardown(duplicates_count_if_they_are_to, stop),
	    cmocka_unit_test_teardown(
		a_new_l10_in_front_of_a_duplicate_counts_once, stop),
	    cmocka_unit_test_teardown(
		a_batch_is_gone_on_with_where_a_process_died, stop),
	    cmocka_unit_test_teardown(
		the_log_says_that_a_batch_came_again, stop),
	    cmocka_unit_test_teardown(
		the_log_says_what_was_refused_and_why, stop),
	    cmocka_unit_test_teardown(
		at_debug_the_log_shows_each_request_and_what_it_skips, stop),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("exchange", tests, NULL, NULL);
}
