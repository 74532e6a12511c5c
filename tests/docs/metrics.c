/*
 * Prints docs/metrics.md: every metric, as the table in src/metric/metric.c
 * has it.
 */
#include <stdio.h>

#include "base/buf.h"
#include "metric/metric.h"

static const char preface[] =
    "# What is counted\n"
    "\n"
    "Written by `make docs/metrics.md` from the table in "
    "`src/metric/metric.c`.\n"
    "\n"
    "`METRICS` names the families to send, separated by commas; the default "
    "is\n"
    "`errors`. Every bucket starts with the application's name, or its\n"
    "`PREFIX_<APP>`, preceded by the prefix of the collector's URI. A "
    "collector\n"
    "with `tags=dogstatsd` gets the name in the second column instead, and "
    "the\n"
    "tags in the third, after `app`.\n"
    "\n"
    "In a bucket, `<...>` is a part that comes from the line: letters, "
    "digits,\n"
    "`_` and `-`, at most 64 bytes; every other character becomes `_`. If a "
    "line\n"
    "has several values of one name, the first counts. A request holds at "
    "most\n"
    "8,192 names and 65,536 timer values; the rest is left out and logged.\n";

/* What %1 and %2 are, by metric. */
static const char *
part_name(enum metric_id id, char part)
{
	static const struct {
		enum metric_id first, last;
		const char *parts[2];
	} names[] = {
	    {METRIC_ERROR, METRIC_ERROR, {"<code>", NULL}},
	    {METRIC_LOAD_1M, METRIC_MEMORY_PERCENT, {"<type>", "<n>"}},
	    {METRIC_DYNO_STARTING, METRIC_DYNO_COMPLETE, {"<type>", NULL}},
	    {METRIC_DYNO_EXIT, METRIC_DYNO_EXIT, {"<type>", "<status>"}},
	    {METRIC_FORMATION, METRIC_FORMATION, {"<type>", NULL}},
	    {METRIC_POSTGRES, METRIC_PGBOUNCER, {"<addon>", "<key>"}},
	    {METRIC_CUSTOM_COUNT, METRIC_CUSTOM_GAUGE, {"<name>", NULL}},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (id >= names[i].first && id <= names[i].last)
			return names[i].parts[part - '1'];
	return NULL;
}

static void
print_pattern(const char *pattern, enum metric_id id)
{
	for (; *pattern != '\0'; pattern++)
		if (*pattern == '%')
			fputs(part_name(id, *++pattern), stdout);
		else
			putchar(*pattern);
}

static void
print_cell(const char *pattern, enum metric_id id)
{
	if (*pattern == '\0') {
		fputs(" |", stdout);
		return;
	}
	fputs(" `", stdout);
	print_pattern(pattern, id);
	fputs("` |", stdout);
}

static void
print_family(enum metric_family family)
{
	const struct metric_family_info *info = &metric_families[family];

	printf("\n## %.*s\n\n%s\n\n"
	       "| bucket, after `<app>.` | name with tags | tags | type | unit "
	       "| meaning | from |\n|---|---|---|---|---|---|---|\n",
	    SLICE_ARG(info->name), info->reading);
	for (int m = 0; m < METRICS; m++) {
		const struct metric *metric = &metrics[m];

		if (metric->family != family)
			continue;
		putchar('|');
		print_cell(metric->plain, (enum metric_id)m);
		print_cell(metric->tagged, (enum metric_id)m);
		print_cell(metric->tags, (enum metric_id)m);
		printf(" %.*s | %s | %s | %s |\n",
		    SLICE_ARG(metric_type_text(metric->type)), metric->unit,
		    metric->meaning, metric->line);
	}
}

int
main(void)
{
	fputs(preface, stdout);
	for (int family = 0; family < METRIC_FAMILIES; family++)
		print_family((enum metric_family)family);
	return 0;
}
