/*
 * Whole requests in process, between a transport made of memory and collectors
 * that nobody reads: what they allocate, and how their cost grows with
 * everything that may grow.
 *
 *	requests [seconds of a round]
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "corpus.h"
#include "measure.h"
#include "serve/exchange.h"
#include "set.h"
#include "sink.h"

enum { USUAL = 100, TABLE_IDS = 4096, FULL_TABLE = 100000, NAMES = 8000 };

/* glibc's own names of the functions that the counting ones below replace. */
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

/* A program that serves, and the request that it gets again and again. */
struct setup {
	struct service service;
	struct config config;
	char bytes[BODY_MAX];
	struct slice body;
	size_t messages, errors;
	bool has_id;   /* a new one each time */
	size_t ids;    /* so far */
	size_t forget; /* ids after which the table is emptied; 0: never */
	double units;  /* by which the time is divided */
};

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

/* Writes NAME=number or, without an id, leaves the variable out. */
static void
put_id(struct setup *s, char *variable, size_t size)
{
	if (!s->has_id)
		return;
	if (s->forget > 0 && s->ids % s->forget == 0)
		memset(s->service.frames.table, 0,
		    sizeof(*s->service.frames.table));
	snprintf(variable, size, "HTTP_LOGPLEX_FRAME_ID=%032zu", ++s->ids);
}

static void
run_request(const void *setup)
{
	struct setup *s = (struct setup *)(uintptr_t)setup;
	char length[64], id[64] = "X=", want[64];
	char method[] = "REQUEST_METHOD=POST", path[] = "PATH_INFO=/app-1/logs",
	     type[] = "CONTENT_TYPE=application/logplex-1",
	     authorization[] = "HTTP_AUTHORIZATION=Basic dXNlcjpwdw==";
	char *variables[] = {
	    length, method, path, type, authorization, id, NULL};
	struct memory m = {s->body, ""};
	struct transport t = {&m, read_memory, memory_hung_up, write_memory};

	put_id(s, id, sizeof(id));
	snprintf(length, sizeof(length), "CONTENT_LENGTH=%zu", s->body.len);
	exchange_run(&s->service, variables, &t);
	snprintf(want, sizeof(want),
	    "{\"messages\":%zu,\"errors\":%zu,\"skipped\":0}", s->messages,
	    s->errors);
	if (strstr(m.answer, want) == NULL)
		measure_fail("answered %s instead of %s", m.answer, want);
}

/* As many URIs as there are collectors. */
static void
put_cluster(struct buf *t, size_t collectors)
{
	static unsigned ports[COLLECTORS_MAX];

	buf_put(t, SLICE("METRICS_CLUSTER="));
	for (size_t i = 0; i < collectors; i++) {
		if (ports[i] == 0)
			ports[i] = sink_open();
		buf_put_string(t, i > 0 ? "," : "");
		buf_put(t, SLICE("statsd://127.0.0.1:"));
		buf_put_number(t, ports[i]);
	}
	buf_put(t, (struct slice){"", 1});
}

/* Starts with so many collectors and applications. */
static void
configure(struct setup *s, size_t collectors, size_t apps)
{
	static char cluster[64 * COLLECTORS_MAX], app[APPLICATIONS_MAX][64];
	static char *environment[APPLICATIONS_MAX + 2];
	static char faults_buf[4096];
	struct findings findings = {.faults = BUF_IN(faults_buf)};
	struct buf value = BUF_IN(cluster);

	put_cluster(&value, collectors);
	environment[0] = cluster;
	for (size_t i = 0; i < apps; i++) {
		snprintf(app[i], sizeof(app[i]),
		    "API_CREDENTIALS_APP_%zu=user:pw", i + 1);
		environment[i + 1] = app[i];
	}
	environment[apps + 1] = NULL;
	config_load(&s->config, environment, &findings);
	if (findings.faults.len > 0)
		measure_fail("%.*s", SLICE_ARG(buf_slice(&findings.faults)));
	exchange_open(&s->service, &s->config);
}

static void
fill_body(struct setup *s, size_t messages, unsigned share)
{
	struct corpus corpus = corpus_new(share);
	struct buf text = BUF_IN(s->bytes);

	corpus_put(&corpus, &text, messages, SIZE_MAX);
	if (text.truncated)
		measure_fail("no body of %zu messages", messages);
	s->body = buf_slice(&text);
	s->messages = messages;
	s->errors = corpus.errors;
	s->units = 1;
}

static struct setup *
new_setup(size_t collectors, size_t apps, size_t messages)
{
	struct setup *s = __libc_calloc(1, sizeof(*s));

	if (s == NULL)
		measure_fail("no memory for a service");
	configure(s, collectors, apps);
	fill_body(s, messages, CORPUS_ERRORS);
	return s;
}

static struct setup *
of_collectors(size_t n)
{
	return new_setup(n, 1, USUAL);
}

static struct setup *
of_applications(size_t n)
{
	return new_setup(2, n, USUAL);
}

static struct setup *
of_messages(size_t n)
{
	struct setup *s = new_setup(2, 1, n);

	s->units = (double)n / 1000;
	return s;
}

static struct setup *
of_errors(size_t percent)
{
	struct setup *s = new_setup(2, 1, USUAL);

	fill_body(s, USUAL, (unsigned)percent * 10);
	return s;
}

/* A table with at most so many ids. */
static struct setup *
of_ids(size_t n)
{
	struct setup *s = new_setup(2, 1, 1);

	s->has_id = true;
	s->forget = n < TABLE_IDS ? TABLE_IDS : 0;
	for (size_t i = 0; i < n; i++)
		run_request(s);
	return s;
}

/* Messages of as many dynos: each is new in the table of varying names. */
static struct setup *
of_names(size_t n)
{
	struct setup *s = new_setup(2, 1, 1);
	struct buf text = BUF_IN(s->bytes);

	for (size_t i = 0; i < n; i++) {
		char message[64];
		int len = snprintf(message, sizeof(message),
		    "<1>1 a b heroku web.%zu - sample#memory_rss=1", i);

		buf_put_number(&text, (size_t)len);
		buf_put(&text, SLICE(" "));
		buf_put_string(&text, message);
	}
	s->body = buf_slice(&text);
	s->units = (double)n / 1000;
	return s;
}

static void
run_count(const void *setup)
{
	struct setup *s = (struct setup *)(uintptr_t)setup;

	set_count(s->body, &all_counters, &s->service.tally);
}

static const struct growth {
	const char *what, *unit;
	struct setup *(*make)(size_t n);
	void (*run)(const void *setup);
	size_t from, to;
} growths[] = {
    {"messages in a body", "1,000 messages", of_messages, run_request, 1000,
	30000},
    {"applications configured", "request of 100", of_applications, run_request,
	1, APPLICATIONS_MAX},
    {"collectors", "request of 100", of_collectors, run_request, 1,
	COLLECTORS_MAX},
    {"ids remembered", "request of 1", of_ids, run_request, 0, FULL_TABLE},
    {"errors, of 100 messages", "request of 100", of_errors, run_request, 3,
	100},
    {"new names in a batch", "1,000 names, counted", of_names, run_count, 100,
	NAMES},
};

static void
free_setup(struct setup *s)
{
	exchange_close(&s->service);
	free(s);
}

static void
print_growth(const struct growth *g, double seconds)
{
	struct setup *setups[] = {g->make(g->from), g->make(g->to)};
	struct measured m[] = {
	    {g->run, setups[0], {0}}, {g->run, setups[1], {0}}};
	struct spread ratio;
	double units = setups[0]->units / setups[1]->units;

	measure_in_turns(m, 2, seconds);
	printf("| %s | %zu | %zu | %s |", g->what, g->from, g->to, g->unit);
	for (size_t i = 0; i < 2; i++)
		printf(
		    " %.1f |", measure_median(&m[i]) * 1e6 / setups[i]->units);
	ratio = measure_ratio(&m[1], &m[0]);
	measure_print_spread((struct spread){
	    ratio.low * units, ratio.median * units, ratio.high * units});
	puts("");
	free_setup(setups[0]);
	free_setup(setups[1]);
}

/* glibc's malloc is replaced by one that counts. */
static void
check_allocations(void)
{
	static void *volatile probe;
	struct setup *s = new_setup(2, 1, USUAL);

	allocations = 0;
	probe = malloc(1);
	free(probe);
	if (allocations != 1)
		measure_fail("allocations are not counted");
	run_request(s);
	allocations = 0;
	for (size_t i = 0; i < 1000; i++)
		run_request(s);
	if (allocations > 0)
		measure_fail("%zu allocations in 1,000 requests", allocations);
	free_setup(s);
}

int
main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 0.02;

	if (sodium_init() < 0)
		measure_fail("libsodium does not work here");
	check_allocations();
	measure_table("growth",
	    "| what grows | from | to | us of CPU for a | at first | at last | "
	    "times |");
	for (size_t i = 0; i < sizeof(growths) / sizeof(growths[0]); i++)
		print_growth(&growths[i], seconds);
}
