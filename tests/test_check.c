#include "cli/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sodium.h>
#include <unistd.h>

#include "cli/probe.h"
#include "support.h"

static char *out, *err; /* what the last check has printed */

/* Checks an environment of up to eight variables; true if it has no fault. */
#define checks(probes, ...)                                                    \
	check_environment((struct check){.send = probes},                      \
	    (const char *[]){__VA_ARGS__, NULL})

static bool
check_environment(struct check job, const char *const *variables)
{
	static struct config config;
	static char faults[FAULTS_MAX], warnings[FAULTS_MAX];
	struct findings findings = {BUF_IN(faults), BUF_IN(warnings)};
	size_t out_len, err_len;
	bool well;

	job.config = &config;
	free(out);
	free(err);
	job.out = open_memstream(&out, &out_len);
	job.err = open_memstream(&err, &err_len);
	assert_true(job.out != NULL && job.err != NULL);
	memset(&config, 0, sizeof(config));
	config_load(&config, (char *const *)(uintptr_t)variables, &findings);
	well = check(&job, &findings);
	fclose(job.out);
	fclose(job.err);
	assert_int_equal(strlen(out), out_len);
	assert_int_equal(strlen(err), err_len);
	return well;
}

/* A socket on loopback and its port. */
static int
listen_on(int family, uint16_t *port)
{
	struct sockaddr_storage a = {.ss_family = (sa_family_t)family};
	struct sockaddr_in *v4 = (void *)&a;
	struct sockaddr_in6 *v6 = (void *)&a;
	socklen_t len = family == AF_INET ? sizeof(*v4) : sizeof(*v6);
	int fd = socket(family, SOCK_DGRAM, 0);

	if (family == AF_INET)
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		v6->sin6_addr = in6addr_loopback;
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(family == AF_INET ? v4->sin_port : v6->sin6_port);
	return fd;
}

static void
prints_what_would_be_used(void **state)
{
	(void)state;
	assert_true(checks(false,
	    "METRICS_CLUSTER=statsd://u:hush@127.0.0.1:1/p?datagram=500&"
	    "backdate=1,statsd://[::1]:2",
	    "API_CREDENTIALS_MY_APP=user:password",
	    "API_PREVIOUS_CREDENTIALS_MY_APP=user:old",
	    "API_CREDENTIALS_OTHER=user:password",
	    "API_SECRET=0123456789abcdef", "API_PREVIOUS_SECRET=old",
	    "BASE_PATH=/drain", "PLATFORM_ONLY=1", "DUPLICATES=count"));
	assert_string_equal(out,
	    "collector 1: statsd://127.0.0.1:1, prefix p., signed, lines "
	    "packed into 500 bytes, backdated by 1 s\n"
	    "collector 2: statsd://[::1]:2, no prefix, not signed\n"
	    "application MY_APP: has its own credentials, previous ones are "
	    "accepted too\n"
	    "  drain URL: https://USER:PASSWORD@HOST/drain/my-app/logs\n"
	    "  (names that differ only in - and _ or in case share these)\n"
	    "application OTHER: has its own credentials\n"
	    "  drain URL: https://USER:PASSWORD@HOST/drain/other/logs\n"
	    "all other applications: API_SECRET, API_PREVIOUS_SECRET accepted "
	    "too\n"
	    "  drain URL: "
	    "https://drain:API_SECRET@HOST/drain/APPLICATION/logs\n"
	    "passwords: checked by this program (AUTH=self)\n"
	    "router lines that count: at=error at=warning\n"
	    "application lines that look like errors: not counted "
	    "(PLATFORM_ONLY=1)\n"
	    "repeated batches: counted each time "
	    "(DUPLICATES=count)\n"
	    "base path: /drain\n"
	    "metrics: errors: for a batch of 100 requests, a line for each "
	    "code\n"
	    "no warnings\n");
	assert_string_equal(err, "");
}

static void
prints_where_batches_are_remembered(void **state)
{
	(void)state;
	assert_true(checks(false, "METRICS_CLUSTER=statsd://127.0.0.1:1",
	    "API_SECRET=0123456789abcdef"));
	assert_non_null(strstr(out,
	    "repeated batches: counted once within each process "
	    "(FRAMES_FILE is not set)\n"));
	assert_true(checks(false, "METRICS_CLUSTER=statsd://127.0.0.1:1",
	    "API_SECRET=0123456789abcdef", "FRAMES_FILE=/frames"));
	assert_non_null(strstr(
	    out, "repeated batches: counted once, remembered in /frames\n"));
}

static void
prints_users_when_the_web_server_checks(void **state)
{
	(void)state;
	assert_true(checks(false, "METRICS_CLUSTER=statsd://127.0.0.1:1",
	    "AUTH=remote-user", "API_CREDENTIALS_APP=user:password",
	    "API_CREDENTIALS_NOBODY=:password", "LEVELS=info",
	    "FRAMES_FILE=/frames", "CAPTURE=/refused"));
	assert_string_equal(out,
	    "collector 1: statsd://127.0.0.1:1, no prefix, not signed\n"
	    "application APP: the user named in its credentials\n"
	    "  drain URL: https://USER:PASSWORD@HOST/app/logs\n"
	    "all other applications: the user with the application's name\n"
	    "  drain URL: https://APPLICATION:PASSWORD@HOST/APPLICATION/logs\n"
	    "passwords: checked by the web server (AUTH=remote-user)\n"
	    "router lines that count: at=info\n"
	    "application lines that look like errors: counted\n"
	    "repeated batches: counted once, remembered in /frames\n"
	    "refused bodies: the last one is kept in /refused, with all that "
	    "it holds\n"
	    "metrics: errors: for a batch of 100 requests, a line for each "
	    "code\n"
	    "1 warning\n");
}

static void
prints_what_is_counted_under_which_names(void **state)
{
	(void)state;
	assert_true(checks(false,
	    "METRICS_CLUSTER=statsd://127.0.0.1:1?datagram=1432&tags=dogstatsd",
	    "METRICS=errors,latency,drain", "PREFIX_SHOP=shop.live",
	    "TAGS=env:live", "ZEROS=H12,R14", "API_SECRET=0123456789abcdef"));
	assert_non_null(strstr(out, "lines packed into 1432 bytes, tagged\n"));
	assert_non_null(strstr(out,
	    "metrics: errors: for a batch of 100 requests, a line for each "
	    "code\n"
	    "metrics: latency: for a batch of 100 requests, 9 lines\n"
	    "metrics: drain: for a batch of 100 requests, 2 lines\n"
	    "application SHOP: named shop.live in buckets\n"
	    "tags of every tagged line: env:live\n"
	    "zeros of: H12, R14\n"
	    "no warnings\n"));
}

static void
prints_all_faults_and_nothing_else(void **state)
{
	(void)state;
	assert_false(checks(
	    false, "METRICS_CLUSTER=statsd://127.0.0.1,x", "LEVELS=none"));
	assert_string_equal(out, "");
	assert_non_null(strstr(err, "METRICS_CLUSTER: collector 2"));
	assert_non_null(strstr(err, "LEVELS: "));
}

/* Each with a part of the warning, or NULL. */
static void
warns_of_what_is_likely_a_mistake(void **state)
{
	static const struct {
		const char *variables[3], *says;
	} cases[] = {
	    {{"API_CREDENTIALS_A=u:p"}, NULL},
	    {{"novalue", "API_CREDENTIALS_A-B=u:p"}, NULL},
	    {{"HOME=/app"}, "nor is API_SECRET"},
	    {{"DYNO=web.1", "API_CREDENTIALS_A=u:p"}, "this is a dyno"},
	    {{"API_PREVIOUS_SECRET=x", "API_CREDENTIALS_A=u:p"},
		"not accepted while API_SECRET is not set"},
	    {{"API_SECRET=0123456789abcde"}, "shorter than 16"},
	    {{"API_SECRET=0123456789abcdef"}, NULL},
	    {{"API_SECRET=0123456789abcdef/"}, "API_SECRET: a drain URL"},
	    {{"API_CREDENTIALS_A=u:p%20"}, "API_CREDENTIALS_A: a drain URL"},
	    {{"API_CREDENTIALS_A=u:p:q"}, "API_CREDENTIALS_A: a drain URL"},
	    {{"API_CREDENTIALS_A=u@:p"}, "API_CREDENTIALS_A: a drain URL"},
	    {{"API_CREDENTIALS_A=:p"}, "the user is empty"},
	    {{"API_CREDENTIALS_A-B=u:p", "API_CREDENTIALS_A_B=u:p"},
		"API_CREDENTIALS_A-B: API_CREDENTIALS_A_B is also set"},
	    {{"API_CREDENTIALS_A-B=u:p"}, NULL},
	    {{"API_PREVIOUS_CREDENTIALS_A-B=u:p", "API_CREDENTIALS_A_B=u:p"},
		NULL},
	    {{"API_CREDENTIALS_A-B=u:p", "API_PREVIOUS_CREDENTIALS_A_B=u:p"},
		NULL},
	    {{"API_CREDENTIALS_A=u:p", "METRIC_CLUSTER=0123456789"},
		"METRIC_CLUSTER: not a variable"},
	    {{"AUTH=remote-user"}, "trusts the web server"},
	    {{"AUTH=remote-user", "API_SECRET=x"}, "API_SECRET has no effect"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_true(
		    check_environment((struct check){0}, cases[i].variables));
		if (cases[i].says == NULL ? err[0] != '\0'
					  : !strstr(err, cases[i].says))
			fail_msg("%s: %s", cases[i].variables[0], err);
		assert_null(strstr(err, "0123456789"));
	}
}

static void
warns_of_what_is_wrong_with_the_system(void **state)
{
	static const char *const variables[] = {"API_CREDENTIALS_A=u:p", NULL};
	static const struct {
		struct check job;
		const char *err;
	} cases[] = {
	    {{.exposure = "anybody may write"}, "warning: anybody may write\n"},
	    {{.backlog = BACKLOG - 1},
		"warning: net.core.somaxconn is 1023: if more requests than "
		"that arrive at once, the web server answers the rest with "
		"5xx; set it to 1024 or more\n"},
	    {{.backlog = BACKLOG}, ""},
	    {{.backlog = 0}, ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_true(check_environment(cases[i].job, variables));
		assert_string_equal(err, cases[i].err);
	}
}

static void
the_last_line_counts_the_warnings(void **state)
{
	static const struct {
		const char *variables[5], *last;
	} cases[] = {
	    {{"API_CREDENTIALS_A=u:p"}, "\nno warnings\n"},
	    {{"HOME=/"}, "\n1 warning\n"},
	    {{"API_SECRET=0123456789abcdef", "TAG=", "ZERO=", "API_KEY="},
		"\n3 warnings\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *last = cases[i].last;

		assert_true(check_environment(
		    (struct check){.strict = i == 0}, cases[i].variables));
		assert_string_equal(out + strlen(out) - strlen(last), last);
		assert_int_equal(
		    check_environment(
			(struct check){.strict = true}, cases[i].variables),
		    i == 0);
		assert_string_equal(out + strlen(out) - strlen(last), last);
	}
}

static void
a_path_cannot_drive_a_terminal(void **state)
{
	char longest[sizeof("BASE_PATH=") + BASE_PATH_MAX] = "BASE_PATH=/";

	(void)state;
	assert_true(checks(false, "API_SECRET=0123456789abcdef",
	    "BASE_PATH=/\x1b[2J\n\xff", "FRAMES_FILE=/\x1b[2J",
	    "CAPTURE=/\x1b[2J"));
	assert_non_null(strstr(out, " in /\\x1b[2J\n"));
	assert_non_null(strstr(out, "\nbase path: /\\x1b[2J\\n\\xff\n"));
	assert_non_null(strstr(out, "@HOST/\\x1b[2J\\n\\xff/APPLICATION/"));
	memset(longest + strlen(longest), '\1', BASE_PATH_MAX - 1);
	assert_true(checks(false, "API_SECRET=0123456789abcdef", longest));
	assert_non_null(strstr(out, "\\x01\\x01\nmetrics: "));
	assert_null(strchr(out, '\1'));
}

static void
the_longest_name_is_shown_whole(void **state)
{
	char variable[128], want[128];

	(void)state;
	snprintf(variable, sizeof(variable), "API_CREDENTIALS_%.*s=u:p", 64,
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789AB");
	snprintf(want, sizeof(want), "HOST/%.*s/logs\n", 64,
	    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789ab");
	assert_true(
	    checks(false, "METRICS_CLUSTER=statsd://127.0.0.1:1", variable));
	assert_non_null(strstr(out, want));
}

static void
probes_say_who_listens(void **state)
{
	char cluster[256], want[1024];
	uint16_t there, gone, there6;
	int fd = listen_on(AF_INET, &there), fd6 = listen_on(AF_INET6, &there6);

	(void)state;
	close(listen_on(AF_INET, &gone));
	snprintf(cluster, sizeof(cluster),
	    "METRICS_CLUSTER=statsd://127.0.0.1:%u,statsd://127.0.0.1:%u,"
	    "statsd://u:k@[::1]:%u,statsd://[fe80::1]:1",
	    there, gone, there6);
	assert_true(checks(true, cluster, "API_CREDENTIALS_A=u:p"));
	snprintf(want, sizeof(want),
	    "collector 1: statsd://127.0.0.1:%u, no prefix, not signed\n"
	    "  a datagram was sent and not refused: something listens there\n"
	    "collector 2: statsd://127.0.0.1:%u, no prefix, not signed\n"
	    "  a datagram was sent and refused: nothing listens there\n"
	    "collector 3: statsd://[::1]:%u, no prefix, signed\n"
	    "  a datagram was sent and not refused: something listens there\n"
	    "collector 4: statsd://[fe80::1]:1, no prefix, not signed\n"
	    "  a datagram could not be sent: Invalid argument\n"
	    "application A: ",
	    there, gone, there6);
	assert_text(slice_head(slice_of(out), strlen(want)), want, "probes");
	snprintf(want, sizeof(want),
	    "warning: collector 2: nothing listens on port %u\n", gone);
	assert_string_equal(err, want);
	close(fd);
	close(fd6);
}

static void
a_collector_that_nothing_can_be_sent_to_is_a_fault(void **state)
{
	static const char good[] = "METRICS_CLUSTER=statsd://127.0.0.1:1";
	static const struct {
		const char *variables[3];
		const char *says;
		bool starts;
	} cases[] = {
	    {{good, NULL}, "", true},
	    {{"METRICS_CLUSTER=statsd://127.0.0.1:1,statsd://255.255.255.255:1",
		 NULL},
		"METRICS_CLUSTER: statsd://255.255.255.255:1: nothing can be "
		"sent there, as it is a broadcast address\n",
		true},
	    {{"METRICS_CLUSTER=statsd://127.0.0.1:1,statsd://no..name:1", NULL},
		"METRICS_CLUSTER: statsd://no..name:1: the host name cannot be "
		"looked up: ",
		true},
	    {{"METRICS_CLUSTER=statsd://255.255.255.255:1,statsd://no..name:1",
		 NULL},
		"METRICS_CLUSTER: statsd://255.255.255.255:1: ", false},
	    {{good, "LEVELS=loud"}, "LEVELS: ", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *const *v = cases[i].variables;

		for (int start = 0; start < 2; start++) {
			struct check job = {.for_start = start == 1};
			bool want = start == 1 ? cases[i].starts : i == 0;

			assert_case(
			    check_environment(job, v) == want, cases[i].says);
			if (strstr(err, cases[i].says) == NULL)
				fail_msg("%s: %s", cases[i].says, err);
		}
	}
}

/* Nothing that a collector counts: no bytes, or only a signature. */
static void
a_probe_is_empty_but_for_its_signature(void **state)
{
	static const unsigned char keys[] = {'k'};
	unsigned char datagram[128];
	char cluster[256];
	uint16_t plain, with_key;
	int fd = listen_on(AF_INET, &plain),
	    fd2 = listen_on(AF_INET, &with_key);
	struct signature_key key;
	int64_t seconds;

	(void)state;
	signature_key_init(&key, keys, sizeof(keys));
	snprintf(cluster, sizeof(cluster),
	    "METRICS_CLUSTER=statsd://127.0.0.1:%u,statsd://u:k@127.0.0.1:%u",
	    plain, with_key);
	assert_true(checks(true, cluster, "API_CREDENTIALS_A=u:p"));
	assert_int_equal(recv(fd, datagram, sizeof(datagram), MSG_DONTWAIT), 0);
	assert_int_equal(
	    recv(fd2, datagram, sizeof(datagram), MSG_DONTWAIT), SIGNATURE_LEN);
	assert_null(signature_verify(&key, datagram, SIGNATURE_LEN, &seconds));
	close(fd);
	close(fd2);
}

static void
finds_another_port_on_loopback_only(void **state)
{
	static const char *const hosts[] = {"127.0.0.1", "::1"};
	static const int families[] = {AF_INET, AF_INET6};

	(void)state;
	for (size_t i = 0; i < COUNT(hosts); i++) {
		struct collector c = {0};
		struct uri uri = {.port = 1};
		uint16_t port;
		int fd = listen_on(families[i], &port);

		strcpy(uri.host, hosts[i]);
		collector_open(&c, &uri);
		assert_true(probe_other_port(&c, port));
		close(fd);
		assert_false(probe_other_port(&c, port));
		collector_close(&c);
		c = (struct collector){0};
		strcpy(uri.host, "255.255.255.255");
		collector_open(&c, &uri);
		assert_false(probe_other_port(&c, port));
		collector_close(&c);
	}
}

static int
release(void **state)
{
	(void)state;
	free(out);
	free(err);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(prints_what_would_be_used),
	    cmocka_unit_test(prints_where_batches_are_remembered),
	    cmocka_unit_test(prints_users_when_the_web_server_checks),
	    cmocka_unit_test(prints_what_is_counted_under_which_names),
	    cmocka_unit_test(prints_all_faults_and_nothing_else),
	    cmocka_unit_test(warns_of_what_is_likely_a_mistake),
	    cmocka_unit_test(warns_of_what_is_wrong_with_the_system),
	    cmocka_unit_test(the_last_line_counts_the_warnings),
	    cmocka_unit_test(a_path_cannot_drive_a_terminal),
	    cmocka_unit_test(the_longest_name_is_shown_whole),
	    cmocka_unit_test(probes_say_who_listens),
	    cmocka_unit_test(
		a_collector_that_nothing_can_be_sent_to_is_a_fault),
	    cmocka_unit_test(a_probe_is_empty_but_for_its_signature),
	    cmocka_unit_test(finds_another_port_on_loopback_only),
	};

	if (sodium_init() < 0)
		return 1;
	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests_name("check", tests, NULL, release);
}
