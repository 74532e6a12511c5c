#include "statsd/cluster.h"
#include "config/config.h"

#include <sodium.h>

#include "base/clock.h"
#include "support.h"

/* A name in /etc/hosts, and one for which no name server is asked. */
#define KNOWN "statsd://localhost:8126"
#define UNKNOWN "statsd://no..name"

/* What is said of that, and of an address. */
#define NO_SUCH_NAME                                                           \
	"METRICS_CLUSTER: statsd://no..name:8126: the host name cannot be "    \
	"looked up: "
#define BROADCAST                                                              \
	"METRICS_CLUSTER: statsd://255.255.255.255:9: nothing can be sent "    \
	"there, as it is a broadcast address\n"

static struct config config;
static struct cluster cluster;
static char buf[FAULTS_MAX];
static struct buf faults;

static void
start(const char *collectors)
{
	static char variable[512];
	static const char *environment[] = {variable, NULL};
	struct findings findings = {.faults = BUF_IN(buf)};

	snprintf(variable, sizeof(variable), "METRICS_CLUSTER=%s", collectors);
	memset(&config, 0, sizeof(config));
	memset(&cluster, 0, sizeof(cluster));
	config_load(&config, (char *const *)(uintptr_t)environment, &findings);
	assert_int_equal(findings.faults.len, 0);
	faults = findings.faults;
	cluster_open(&cluster, config.collectors, config.collector_count);
}

static int
stop(void **state)
{
	(void)state;
	cluster_close(&cluster);
	return 0;
}

/* Waits for look-ups under way, like the time between requests. */
static void
wait_for_lookups(void)
{
	for (size_t i = 0; i < cluster.count; i++)
		lookup_wait(&cluster.collectors[i].lookup, LOOKUP_WAIT_MS);
}

static void
make_lookups_due(void)
{
	cluster.next_lookup = clock_ms();
	for (size_t i = 0; i < cluster.count; i++)
		cluster.collectors[i].next_lookup = cluster.next_lookup;
}

static void
the_clock_counts_milliseconds(void **state)
{
	struct timespec now;
	int64_t before = clock_ms(), ms;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
	assert_true(before <= ms && ms <= clock_ms());
}

static void
addresses_need_no_tending(void **state)
{
	(void)state;
	start("statsd://127.0.0.1:9,statsd://[::1]:9");
	assert_false(cluster.has_names);
	assert_true(cluster_look_up(&cluster, &faults));
	assert_int_equal(faults.len, 0);
	cluster_tend(&cluster);
	assert_int_equal(cluster.next_lookup, 0);
	assert_int_equal(cluster_idle_ms(&cluster), -1);
}

static void
names_are_looked_up_at_start_and_again_after_a_minute(void **state)
{
	struct collector *c = &cluster.collectors[0];
	int fd;

	(void)state;
	start(KNOWN ",statsd://127.0.0.1:9");
	assert_true(cluster.has_names);
	assert_true(cluster_look_up(&cluster, &faults));
	assert_int_equal(faults.len, 0);
	assert_true(c->address_count > 0 && c->fd >= 0);
	assert_false(cluster.looking_up);
	assert_in_range(cluster_idle_ms(&cluster), LOOKUP_INTERVAL_MS - 5000,
	    LOOKUP_INTERVAL_MS);
	/* Before it is due, nothing happens. */
	cluster_tend(&cluster);
	assert_false(cluster.looking_up);
	/* When it is due, a look-up starts, and the next call uses the result.
	 */
	fd = c->fd;
	make_lookups_due();
	assert_int_equal(cluster_idle_ms(&cluster), 0);
	cluster_tend(&cluster);
	assert_true(cluster.looking_up);
	assert_in_range(cluster_idle_ms(&cluster), 1, 1000);
	wait_for_lookups();
	cluster_tend(&cluster);
	assert_false(cluster.looking_up);
	assert_int_equal(c->fd, fd); /* the same address */
	assert_in_range(cluster_idle_ms(&cluster), LOOKUP_INTERVAL_MS - 5000,
	    LOOKUP_INTERVAL_MS);
}

static void
a_name_that_does_not_exist_is_a_fault_and_the_others_serve(void **state)
{
	(void)state;
	start(KNOWN "," UNKNOWN ",statsd://127.0.0.1:9");
	assert_true(cluster_look_up(&cluster, &faults));
	assert_text(slice_head(buf_slice(&faults), strlen(NO_SUCH_NAME)),
	    NO_SUCH_NAME, "its line");
	assert_int_equal(buf[faults.len - 1], '\n');
	assert_ptr_equal(memchr(buf, '\n', faults.len), buf + faults.len - 1);
	assert_true(cluster.collectors[0].address_count > 0);
	assert_int_equal(cluster.collectors[1].address_count, 0);
	assert_int_equal(cluster.collectors[2].address_count, 1);
	/* It is looked up again, sooner than those that have an address. */
	assert_true(cluster.looking_up == false);
	assert_in_range(
	    cluster_idle_ms(&cluster), LOOKUP_RETRY_MS - 2000, LOOKUP_RETRY_MS);
	cluster.next_lookup = cluster.collectors[1].next_lookup = clock_ms();
	cluster_tend(&cluster);
	assert_false(lookup_pending(&cluster.collectors[0].lookup));
	assert_true(lookup_pending(&cluster.collectors[1].lookup));
	wait_for_lookups();
	cluster_tend(&cluster);
}

static void
without_any_collector_that_can_be_sent_to_there_is_no_start(void **state)
{
	(void)state;
	start(UNKNOWN "," UNKNOWN);
	assert_false(cluster_look_up(&cluster, &faults));
	start("statsd://255.255.255.255:9," UNKNOWN);
	assert_false(cluster_look_up(&cluster, &faults));
	assert_text(slice_head(buf_slice(&faults), strlen(BROADCAST)),
	    BROADCAST, "its line");
	assert_non_null(strstr(buf, "\n" NO_SUCH_NAME));
}

static void
names_are_looked_up_at_start_once(void **state)
{
	(void)state;
	start(UNKNOWN ",statsd://127.0.0.1:9");
	assert_true(cluster_look_up(&cluster, &faults));
	faults.len = 0;
	assert_true(cluster_look_up(&cluster, &faults));
	assert_int_equal(faults.len, 0);
}

static void
tend(void)
{
	cluster_tend(&cluster);
}

static void
later_it_is_logged_and_asked_for_again_soon(void **state)
{
	const char *log;

	(void)state;
	start(UNKNOWN);
	make_lookups_due();
	cluster_tend(&cluster);
	assert_true(cluster.looking_up);
	wait_for_lookups();
	log_set_level(LOG_WARNING);
	log = stderr_of(tend);
	log_set_level(LOG_ERROR);
	assert_non_null(strstr(
	    log, "event=lookup-failed collector=statsd://no..name:8126 "));
	assert_non_null(strstr(log, " reason=\""));
	assert_non_null(strstr(log, "\" using=none\n"));
	assert_false(cluster.looking_up);
	assert_in_range(
	    cluster_idle_ms(&cluster), LOOKUP_RETRY_MS - 2000, LOOKUP_RETRY_MS);
}

static void
an_old_address_outlives_a_look_up_that_fails(void **state)
{
	struct collector *c = &cluster.collectors[0];
	int fd;

	(void)state;
	start(KNOWN);
	cluster_look_up(&cluster, &faults);
	fd = c->fd;
	assert_true(fd >= 0);
	lookup_init(&c->lookup, "no..name", 8126);
	make_lookups_due();
	cluster_tend(&cluster);
	wait_for_lookups();
	cluster_tend(&cluster);
	assert_false(cluster.looking_up);
	assert_int_equal(c->fd, fd);
	assert_true(c->address_count > 0);
	/* This is no reason to ask sooner. */
	assert_true(cluster_idle_ms(&cluster) > LOOKUP_RETRY_MS);
}

static void
failures_are_watched_until_they_are_logged(void **state)
{
	unsigned char datagram[] = "x";
	struct collector *c = &cluster.collectors[0];

	(void)state;
	start("statsd://255.255.255.255:9");
	cluster_send(&cluster, 0, datagram, 1);
	assert_true(cluster.has_failures);
	cluster_tend(&cluster);
	assert_false(cluster.has_failures);
	assert_int_equal(cluster_idle_ms(&cluster), -1);
	cluster_send(&cluster, 0, datagram, 1);
	cluster_tend(&cluster);
	assert_true(cluster.has_failures); /* its minute is not over */
	assert_int_equal(c->failed, 1);
	assert_in_range(cluster_idle_ms(&cluster), 1, 10000);
}

static void
closing_closes_every_socket(void **state)
{
	(void)state;
	start("statsd://127.0.0.1:9,statsd://127.0.0.1:10");
	assert_true(cluster.collectors[0].fd >= 0);
	assert_true(cluster.collectors[1].fd >= 0);
	cluster_close(&cluster);
	assert_int_equal(cluster.collectors[0].fd, -1);
	assert_int_equal(cluster.collectors[1].fd, -1);
}

#define cluster_test(f) cmocka_unit_test_teardown(f, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_clock_counts_milliseconds),
	    cluster_test(addresses_need_no_tending),
	    cluster_test(names_are_looked_up_at_start_and_again_after_a_minute),
	    cluster_test(
		a_name_that_does_not_exist_is_a_fault_and_the_others_serve),
	    cluster_test(
		without_any_collector_that_can_be_sent_to_there_is_no_start),
	    cluster_test(names_are_looked_up_at_start_once),
	    cluster_test(later_it_is_logged_and_asked_for_again_soon),
	    cluster_test(an_old_address_outlives_a_look_up_that_fails),
	    cluster_test(failures_are_watched_until_they_are_logged),
	    cluster_test(closing_closes_every_socket),
	};

	if (sodium_init() < 0)
		return 1;
	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests_name("cluster", tests, NULL, NULL);
}
