/*
 * Whole requests in process, between a transport made of memory and collectors
 * that are sockets of this program's own: what they allocate, and how their
 * cost grows with the numbers of collectors and of configured applications.
 *
 *	requests [seconds of a round]
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "corpus.h"
#include "serve/exchange.h"
#include "measure.h"

enum { MESSAGES = 100, SINKS_MAX = 64, APPS_MAX = 1000 };

/* glibc's own names of what the counting ones below stand in for. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *pointer, size_t size);

static size_t allocations;

void *
malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
	allocations++;
	return __libc_calloc(count, size);
}

void *
realloc(void *pointer, size_t size)
{
	allocations++;
	return __libc_realloc(pointer, size);
}

static struct service service;
static struct config config;
static char body_bytes[MESSAGES * CORPUS_FRAME_MAX];
static struct slice body;
static size_t body_errors;

/* What has not been read, and the answer. */
struct memory {
	struct slice in;
	char answer[512];
};

static ssize_t
read_memory(void *context, char *buf, size_t len)
{
	struct memory *m = context;
	size_t n = len < m->in.len ? len : m->in.len;

	memcpy(buf, m->in.ptr, n);
	m->in = slice_after(m->in, n);
	return (ssize_t)n;
}

static bool
memory_hung_up(void *context)
{
	(void)context;
	return false;
}

static void
write_memory(void *context, struct slice answer)
{
	struct memory *m = context;

	snprintf(m->answer, sizeof(m->answer), "%.*s", SLICE_ARG(answer));
}

static void
run_request(const void *ignored)
{
	static char length[64];
	static char *variables[] = {length, NULL, NULL, NULL, NULL, NULL};
	static char method[] = "REQUEST_METHOD=POST",
		    path[] = "PATH_INFO=/app-1/logs",
		    type[] = "CONTENT_TYPE=application/logplex-1",
		    authorization[] = "HTTP_AUTHORIZATION=Basic dXNlcjpwdw==";
	struct memory m = {body, ""};
	struct transport t = {&m, read_memory, memory_hung_up, write_memory};
	char want[64];

	(void)ignored;
	variables[1] = method;
	variables[2] = path;
	variables[3] = type;
	variables[4] = authorization;
	snprintf(length, sizeof(length), "CONTENT_LENGTH=%zu", body.len);
	exchange_run(&service, variables, &t);
	snprintf(want, sizeof(want), "{\"messages\":%d,\"errors\":%zu,",
	    MESSAGES, body_errors);
	if (strstr(m.answer, want) == NULL)
		measure_fail("answered %s instead of %s", m.answer, want);
}

/* A collector's socket; nobody reads it, which the sender never notices. */
static unsigned
open_sink(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		measure_fail("no socket for a collector");
	return ntohs(address.sin_port);
}

/* Starts anew, with so many collectors and applications. */
static void
configure(size_t collectors, size_t apps)
{
	static unsigned ports[SINKS_MAX];
	static char cluster[64 * SINKS_MAX], app[APPS_MAX][64];
	static char *environment[APPS_MAX + 2];
	static char faults_buf[4096];
	struct findings findings = {.faults = BUF_IN(faults_buf)};
	struct buf value = BUF_IN(cluster);

	buf_put(&value, SLICE("METRICS_CLUSTER="));
	for (size_t i = 0; i < collectors; i++) {
		if (ports[i] == 0)
			ports[i] = open_sink();
		buf_put_string(&value, i > 0 ? "," : "");
		buf_put(&value, SLICE("statsd://127.0.0.1:"));
		buf_put_number(&value, ports[i]);
	}
	buf_put(&value, (struct slice){"", 1});
	environment[0] = cluster;
	for (size_t i = 0; i < apps; i++) {
		snprintf(app[i], sizeof(app[i]),
		    "API_CREDENTIALS_APP_%zu=user:pw", i + 1);
		environment[i + 1] = app[i];
	}
	environment[apps + 1] = NULL;
	exchange_close(&service);
	memset(&config, 0, sizeof(config));
	memset(&service.cluster, 0, sizeof(service.cluster));
	config_load(&config, environment, &findings);
	if (findings.faults.len > 0)
		measure_fail("%.*s", SLICE_ARG(buf_slice(&findings.faults)));
	exchange_open(&service, &config);
}

static void
print_allocations(void)
{
	static void *volatile probe;
	size_t count, requests = 1000;

	allocations = 0;
	probe = malloc(1);
	free(probe);
	if (allocations != 1)
		measure_fail("allocations are not counted");
	configure(2, 1);
	run_request(NULL);
	allocations = 0;
	for (size_t i = 0; i < requests; i++)
		run_request(NULL);
	count = allocations;
	if (count > 0)
		measure_fail("%zu allocations, there should be none", count);
	printf("Allocations in %zu requests, from the body to the answer: 0.\n",
	    requests);
}

static void
print_growth(const char *what, size_t collectors, size_t apps, double seconds)
{
	struct measured m = {what, run_request, NULL, {0}};

	configure(collectors, apps);
	measure_in_turns(&m, 1, seconds);
	printf("| %zu | %.2f |\n",
	    strcmp(what, "collectors") ? apps : collectors,
	    measure_median(&m) * 1e6);
}

int
main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 0.02;
	struct corpus corpus = corpus_new(CORPUS_ERRORS);
	struct buf text = BUF_IN(body_bytes);

	if (sodium_init() < 0)
		measure_fail("libsodium does not work here");
	corpus_put(&corpus, &text, MESSAGES, SIZE_MAX);
	body = buf_slice(&text);
	body_errors = corpus.errors;
	print_allocations();
	puts("\nA request of 100 messages, with so many collectors.\n\n"
	     "| collectors | us |\n|-|-|");
	for (size_t n = 1; n <= SINKS_MAX; n *= 4)
		print_growth("collectors", n, 1, seconds);
	puts("\nThe same, with so many applications configured.\n\n"
	     "| applications | us |\n|-|-|");
	for (size_t n = 1; n <= APPS_MAX; n *= 10)
		print_growth("applications", 2, n, seconds);
}
