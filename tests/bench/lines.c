/*
 * The way of a line from its sample to the socket - name, owner, text, datagram
 * - without the kernel's part: a function of this program stands in for
 * send(2).
 *
 *	lines [seconds of a round]
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "corpus.h"
#include "measure.h"
#include "set.h"
#include "sink.h"
#include "statsd/send.h"

/* What was sent, of at most so many bytes a datagram; 0: a line each. */
static struct {
	size_t max;
	size_t datagrams;
	size_t last; /* bytes of the last one */
} sent;

/* A packed datagram begins with a line for which the last had no room. */
ssize_t
send(int fd, const void *datagram, size_t len, int flags)
{
	struct slice rest = {datagram, len}, line = rest;

	(void)fd;
	(void)flags;
	slice_cut(&rest, '\n', &line);
	if (sent.max > 0 && sent.datagrams > 0 &&
	    sent.last + 1 + line.len <= sent.max)
		measure_fail("a datagram of %zu bytes has room for %zu more",
		    sent.last, line.len);
	sent.datagrams++;
	sent.last = len;
	return (ssize_t)len;
}

static struct tally tally;

static void
send_all(const void *cluster)
{
	_Atomic uint32_t handed = 0;

	sent.datagrams = 0;
	send_tally((struct cluster *)(uintptr_t)cluster, SLICE("storefront"),
	    SLICE("env:production"), &tally, &handed);
}

static const struct form {
	const char *name, *key, *query;
	size_t max;
} forms[] = {
    {"a line each", "", "", 0},
    {"packed", "", "?datagram=1432", 1432},
    {"packed, with tags", "", "?datagram=1432&tags=dogstatsd", 1432},
    {"packed, signed", "user:key@", "?datagram=1023", 0},
};

enum { FORMS = sizeof(forms) / sizeof(forms[0]) };

static void
print_forms(const char *families, double seconds)
{
	static struct sink sinks[FORMS];
	struct measured m[FORMS];
	double lines = (double)tally_lines(&tally);

	for (size_t i = 0; i < FORMS; i++) {
		m[i] = (struct measured){send_all, &sinks[i].cluster, {0}};
		if (sinks[i].cluster.count == 0)
			sink_connect(&sinks[i], forms[i].key, forms[i].query);
	}
	measure_in_turns(m, FORMS, seconds);
	for (size_t i = 0; i < FORMS; i++) {
		sent.max = forms[i].max;
		send_all(&sinks[i].cluster);
		printf("| %s | %s | %.0f | %zu | %.0f |\n", families,
		    forms[i].name, lines, sent.datagrams,
		    measure_median(&m[i]) * 1e9 / lines);
		sent.max = 0;
	}
}

int
main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 0.02;
	struct set set;
	struct slice body;

	if (sodium_init() < 0)
		measure_fail("libsodium does not work here");
	set_make(&set, 1000, 1000, CORPUS_ERRORS);
	body = (struct slice){set.bytes, set_len(&set)};
	measure_table(
	    "lines", "| METRICS | collector | lines | datagrams | ns a line |");
	set_count(body, &errors_alone, &tally);
	print_forms("errors", seconds);
	set_count(body, &all_counters, &tally);
	print_forms("all counters", seconds);
	set_free(&set);
}
