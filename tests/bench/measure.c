#include "measure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static double
seconds_of(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

/* CPU time of this process and of those that it has waited for. */
static double
now(void)
{
	struct timespec own;
	struct rusage children;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
	getrusage(RUSAGE_CHILDREN, &children);
	return (double)own.tv_sec + (double)own.tv_nsec * 1e-9 +
	    seconds_of(children.ru_utime) + seconds_of(children.ru_stime);
}

static double
time_runs(const struct measured *m, size_t runs)
{
	double start = now();

	for (size_t i = 0; i < runs; i++)
		m->run(m->input);
	return (now() - start) / (double)runs;
}

/* One run warms the caches, and shows how many fill the round. */
static double
time_round(const struct measured *m, double round_seconds)
{
	double once = time_runs(m, 1);

	if (once >= round_seconds)
		return once;
	return time_runs(m, (size_t)(round_seconds / once) + 1);
}

void
measure_in_turns(struct measured *m, size_t count, double round_seconds)
{
	int rounds = round_seconds > 0 ? MEASURE_ROUNDS : 1;

	for (int round = 0; round < MEASURE_ROUNDS; round++)
		for (size_t i = 0; i < count; i++)
			m[i].seconds[round] = round < rounds
			    ? time_round(&m[i], round_seconds)
			    : m[i].seconds[0];
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct spread
spread_of(double values[MEASURE_ROUNDS])
{
	enum { QUARTER = MEASURE_ROUNDS / 4, HALF = MEASURE_ROUNDS / 2 };

	qsort(values, MEASURE_ROUNDS, sizeof(values[0]), compare);
	return (struct spread){values[QUARTER], values[HALF],
	    values[MEASURE_ROUNDS - 1 - QUARTER]};
}

double
measure_median(const struct measured *m)
{
	double values[MEASURE_ROUNDS];

	memcpy(values, m->seconds, sizeof(values));
	return spread_of(values).median;
}

struct spread
measure_ratio(const struct measured *a, const struct measured *b)
{
	double values[MEASURE_ROUNDS];

	for (int i = 0; i < MEASURE_ROUNDS; i++)
		values[i] = a->seconds[i] / b->seconds[i];
	return spread_of(values);
}

void
measure_table(const char *name, const char *head)
{
	printf("\n<!-- table: %s -->\n%s\n", name, head);
	for (const char *c = strchr(head, '|'); c[1] != '\0';
	     c = strchr(c + 1, '|'))
		printf("|-");
	puts("|");
}

void
measure_print_spread(struct spread s)
{
	printf(" %.2f (%.2f to %.2f) |", s.median, s.low, s.high);
}

void
measure_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("cannot measure: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(1);
}
