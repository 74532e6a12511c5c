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

void
measure_in_turns(struct measured *m, size_t count, double round_seconds)
{
	for (int round = 0; round < MEASURE_ROUNDS; round++)
		for (size_t i = 0; i < count; i++) {
			/* Once for the caches, and to see how long it takes. */
			double once = time_runs(&m[i], 1);
			size_t runs = (size_t)(round_seconds / once) + 1;

			m[i].seconds[round] = time_runs(&m[i], runs);
		}
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(double values[MEASURE_ROUNDS])
{
	qsort(values, MEASURE_ROUNDS, sizeof(values[0]), compare);
	return values[MEASURE_ROUNDS / 2];
}

double
measure_median(const struct measured *m)
{
	double values[MEASURE_ROUNDS];

	memcpy(values, m->seconds, sizeof(values));
	return median(values);
}

double
measure_ratio(const struct measured *a, const struct measured *b)
{
	double values[MEASURE_ROUNDS];

	for (int i = 0; i < MEASURE_ROUNDS; i++)
		values[i] = a->seconds[i] / b->seconds[i];
	return median(values);
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
