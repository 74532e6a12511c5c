#include "config/config.h"

#include <sodium.h>

#include "support.h"

static struct config config;
static char faults_buf[FAULTS_MAX], warnings_buf[FAULTS_MAX];
static struct findings findings;

/* Loads up to six variables; NULL ends them. */
#define load(...) load_environment((const char *[]){__VA_ARGS__, NULL})

static void
load_environment(const char *const *variables)
{
	memset(&config, 0, sizeof(config));
	findings = (struct findings){BUF_IN(faults_buf), BUF_IN(warnings_buf)};
	config_load(&config, (char *const *)(uintptr_t)variables, &findings);
}

static void
assert_no_fault(void)
{
	if (findings.faults.len > 0)
		fail_msg("%.*s", SLICE_ARG(buf_slice(&findings.faults)));
}

static size_t
fault_count(void)
{
	size_t lines = 0;

	for (size_t i = 0; i < findings.faults.len; i++)
		lines += findings.faults.ptr[i] == '\n';
	return lines;
}

static bool
faults_say(const char *words)
{
	size_t len = findings.faults.len;

	faults_buf[len < FAULTS_MAX ? len : FAULTS_MAX - 1] = '\0';
	return strstr(faults_buf, words) != NULL;
}

static void
has_defaults(void **state)
{
	(void)state;
	load("HOME=/app", "PATH=/bin", "novalue");
	assert_no_fault();
	assert_true(config.default_cluster);
	assert_int_equal(config.collector_count, 2);
	assert_string_equal(config.collectors[0].host, "127.0.0.1");
	assert_int_equal(config.collectors[0].port, 8126);
	assert_int_equal(config.collectors[1].port, 8127);
	assert_false(config.remote_user);
	assert_false(config.rules.errors.platform_only);
	assert_int_equal(config.rules.errors.levels,
	    ERROR_LEVEL_ERROR | ERROR_LEVEL_WARNING);
	assert_int_equal(config.log_level, LOG_INFO);
	assert_int_equal(config.base_path.len, 0);
	assert_int_equal(config.credentials.count, 0);
}

static void
keeps_the_order_of_the_cluster(void **state)
{
	(void)state;
	load("METRICS_CLUSTER= statsd://b:1/x ,statsd://a , statsd://b:1/x");
	assert_no_fault();
	assert_false(config.default_cluster);
	assert_int_equal(config.collector_count, 3);
	assert_string_equal(config.collectors[0].host, "b");
	assert_string_equal(config.collectors[1].host, "a");
	assert_string_equal(config.collectors[2].host, "b");
	assert_text(uri_prefix(&config.collectors[2]), "x.", "prefix");
}

static void
reads_every_variable(void **state)
{
	(void)state;
	load("API_SECRET=s", "API_PREVIOUS_SECRET=t",
	    "API_CREDENTIALS_MY_APP=u:p=q",
	    "API_PREVIOUS_CREDENTIALS_MY_APP=u:o", "AUTH=remote-user",
	    "LEVELS=error, info", "PLATFORM_ONLY=1", "LOG_LEVEL=debug",
	    "BASE_PATH=/drain/", "DUPLICATES=count", "FRAMES_FILE=/run/frames",
	    "CAPTURE=/run/refused");
	assert_no_fault();
	assert_true(config.credentials.shared[CREDENTIALS_CURRENT].set);
	assert_true(config.credentials.shared[CREDENTIALS_PREVIOUS].set);
	assert_int_equal(config.credentials.count, 1);
	assert_text(config.credentials.applications[0].user, "u", "user");
	assert_true(config.remote_user);
	assert_int_equal(
	    config.rules.errors.levels, ERROR_LEVEL_ERROR | ERROR_LEVEL_INFO);
	assert_true(config.rules.errors.platform_only);
	assert_int_equal(config.log_level, LOG_DEBUG);
	assert_text(config.base_path, "/drain", "base path");
	assert_true(config.count_duplicates);
	assert_text(config.frames_file, "/run/frames", "frames file");
	assert_text(config.capture, "/run/refused", "capture");
}

static void
accepts_every_value_there_is(void **state)
{
	static const char *const variables[] = {"AUTH=self", "LEVELS=error",
	    "LEVELS=warning", "LEVELS=info", "LEVELS=info,warning,error",
	    "PLATFORM_ONLY=0", "LOG_LEVEL=info", "LOG_LEVEL=warning",
	    "LOG_LEVEL=error", "BASE_PATH=", "BASE_PATH=/", "BASE_PATH=/a/b",
	    "DUPLICATES=drop", "DUPLICATES=count", "FRAMES_FILE=/f"};

	(void)state;
	for (size_t i = 0; i < COUNT(variables); i++) {
		load(variables[i]);
		assert_no_fault();
	}
}

static void
names_the_variable_of_each_fault(void **state)
{
	static const char *const cases[][2] = {
	    {"METRICS_CLUSTER=", "METRICS_CLUSTER: collector 1, : empty"},
	    {"METRICS_CLUSTER=statsd://a,", "collector 2, : empty"},
	    {"METRICS_CLUSTER=,statsd://a", "collector 1, : empty"},
	    {"METRICS_CLUSTER=statsd://u:k@h:0",
		"collector 1, statsd://***@h:0: the port"},
	    {"API_SECRET=", "API_SECRET: must not be empty"},
	    {"API_PREVIOUS_SECRET=", "API_PREVIOUS_SECRET: must not"},
	    {"API_CREDENTIALS_X=nocolon",
		"API_CREDENTIALS_X: must be user:password"},
	    {"API_CREDENTIALS_=a:b", "API_CREDENTIALS_: the part"},
	    {"API_CREDENTIALS_x=a:b", "API_CREDENTIALS_x: the part"},
	    {"API_PREVIOUS_CREDENTIALS_X=", "API_PREVIOUS_CREDENTIALS_X: must"},
	    {"AUTH=", "AUTH: must be self or remote-user"},
	    {"AUTH=Self", "AUTH: must be self or remote-user"},
	    {"LEVELS=", "LEVELS: must be any of"},
	    {"LEVELS=error,", "LEVELS: must be any of"},
	    {"LEVELS=errors", "LEVELS: must be any of"},
	    {"PLATFORM_ONLY=yes", "PLATFORM_ONLY: must be 0 or 1"},
	    {"PLATFORM_ONLY=", "PLATFORM_ONLY: must be 0 or 1"},
	    {"LOG_LEVEL=DEBUG", "LOG_LEVEL: must be debug"},
	    {"DUPLICATES=", "DUPLICATES: must be drop or count"},
	    {"DUPLICATES=Drop", "DUPLICATES: must be drop or count"},
	    {"FRAMES_FILE=", "FRAMES_FILE: must be a path"},
	    {"FRAMES_FILE=frames", "FRAMES_FILE: must be a path"},
	    {"CAPTURE=", "CAPTURE: must be a path"},
	    {"CAPTURE=refused", "CAPTURE: must be a path"},
	    {"BASE_PATH=drain", "BASE_PATH: must start"},
	    {"BASE_PATH=d", "BASE_PATH: must start"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		load(cases[i][0]);
		if (!faults_say(cases[i][1]) || fault_count() != 1)
			fail_msg("%s: %s", cases[i][0], faults_buf);
	}
}

static void
says_how_a_comma_inside_a_key_is_written(void **state)
{
	(void)state;
	load("METRICS_CLUSTER=statsd://u:ke,y@h");
	assert_true(faults_say(
	    "collector 1, ***: a comma inside a key is written %2C"));
	assert_int_equal(fault_count(), 2);
}

static void
reports_every_fault_not_only_the_first(void **state)
{
	(void)state;
	load("METRICS_CLUSTER=udp://a,statsd://b,statsd://c:0", "AUTH=x",
	    "LEVELS=x", "API_CREDENTIALS_X=x");
	assert_int_equal(fault_count(), 5);
	assert_int_equal(config.collector_count, 1);
	assert_string_equal(config.collectors[0].host, "b");
}

static void
never_shows_a_secret(void **state)
{
	static const char *const cases[] = {
	    "METRICS_CLUSTER=statsd://u:hush@h:0",
	    "METRICS_CLUSTER=statsd://hush@h",
	    "METRICS_CLUSTER=statsd://u:hush,x@h",
	    "METRICS_CLUSTER=statsd://u:hush/x@h",
	    "METRICS_CLUSTER=statsd://u:x,hush@h",
	    "METRICS_CLUSTER=statsd://u:1/hush!,x@h",
	    "METRICS_CLUSTER=statsd://u:x,b://hush,c@h",
	    "METRICS_CLUSTER=statsd://u:7hush",
	    "METRICS_CLUSTER=u:hush@h",
	    "METRICS_CLUSTER=statsd://u:8hush,x@h",
	    "METRICS_CLUSTER=statsd://u:8/hush,x@h",
	    "METRICS_CLUSTER=statsd://u:x@hush,x@h",
	    "METRICS_CLUSTER=statsd://u:x,hush,x@h",
	    "METRICS_CLUSTER=statsd://u:x,hu:hush,x@h,statsd://h",
	    "METRICS_CLUSTER=statsd://hush,x@h",
	    "API_CREDENTIALS_X=hush",
	    "API_PREVIOUS_CREDENTIALS_X=hush",
	    "API_CREDENTIALS_x=u:hush",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		load(cases[i]);
		assert_true(fault_count() >= 1);
		if (faults_say("hush"))
			fail_msg("%s: %s", cases[i], faults_buf);
	}
}

static void
looks_nothing_up_that_may_be_part_of_a_key(void **state)
{
	(void)state;
	load("METRICS_CLUSTER=statsd://u:x@hush,x@h");
	assert_int_equal(config.collector_count, 0);
}

static void
takes_only_so_many_collectors(void **state)
{
	static char list[COLLECTORS_MAX * 16 + 64] =
	    "METRICS_CLUSTER=statsd://h";

	(void)state;
	for (size_t i = 1; i < COLLECTORS_MAX; i++)
		strcat(list, ",statsd://h");
	load(list);
	assert_no_fault();
	assert_int_equal(config.collector_count, COLLECTORS_MAX);
	strcat(list, ",statsd://h");
	load(list);
	assert_true(
	    faults_say("collector 257, statsd://h: there may be at most 256"));
	assert_int_equal(fault_count(), 1);
}

static void
a_base_path_has_a_greatest_length(void **state)
{
	char path[BASE_PATH_MAX + 16];

	(void)state;
	snprintf(path, sizeof(path), "BASE_PATH=/%0*d", BASE_PATH_MAX - 1, 0);
	load(path);
	assert_no_fault();
	snprintf(path, sizeof(path), "BASE_PATH=/%0*d", BASE_PATH_MAX, 0);
	load(path);
	assert_true(faults_say("BASE_PATH: must have at most 256 bytes"));
}

static void
a_frames_file_has_a_greatest_length(void **state)
{
	char path[FILE_PATH_MAX + 16];

	(void)state;
	snprintf(path, sizeof(path), "FRAMES_FILE=/%0*d", FILE_PATH_MAX - 1, 0);
	load(path);
	assert_no_fault();
	snprintf(path, sizeof(path), "FRAMES_FILE=/%0*d", FILE_PATH_MAX, 0);
	load(path);
	assert_true(faults_say("FRAMES_FILE: must have at most 1024 bytes"));
}

static void
slashes_at_the_end_of_a_base_path_are_dropped(void **state)
{
	static const char *const cases[][2] = {{"BASE_PATH=", ""},
	    {"BASE_PATH=/", ""}, {"BASE_PATH=//", ""}, {"BASE_PATH=/a", "/a"},
	    {"BASE_PATH=/a/b//", "/a/b"}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		load(cases[i][0]);
		assert_no_fault();
		assert_text(config.base_path, cases[i][1], cases[i][0]);
	}
}

static void
applications_are_hashed_by_a_random_key(void **state)
{
	static const unsigned char zeros[sizeof(config.credentials.hash_key)];

	(void)state;
	load("HOME=/app");
	assert_memory_not_equal(
	    config.credentials.hash_key, zeros, sizeof(zeros));
}

/* The number of warnings. */
static size_t
warning_count(void)
{
	struct slice rest = buf_slice(&findings.warnings), line;
	size_t n = 0;

	while (slice_take_element(&rest, '\n', &line))
		n++;
	return n;
}

static void
the_order_of_variables_matters_to_no_warning(void **state)
{
	static const char *const variables[][2] = {
	    {"AUTH=remote-user", "API_CREDENTIALS_A=:pass word"},
	    {"API_SECRET=0123456789abcdef", "API_PREVIOUS_SECRET=x"},
	    {"API_CREDENTIALS_A-B=u:p", "API_CREDENTIALS_A_B=u:p"},
	    {"METRICS_CLUSTER=statsd://h:1", "DYNO=web.1"},
	};
	static const size_t want[] = {1, 0, 1, 1};

	(void)state;
	for (size_t i = 0; i < COUNT(variables); i++) {
		load(variables[i][0], variables[i][1]);
		assert_int_equal(warning_count(), want[i]);
		load(variables[i][1], variables[i][0]);
		assert_int_equal(warning_count(), want[i]);
	}
}

static bool
warnings_say(const char *words)
{
	size_t len = findings.warnings.len;

	assert_true(len < FAULTS_MAX);
	warnings_buf[len] = '\0';
	return strstr(warnings_buf, words) != NULL;
}

static void
warns_of_each_variable_that_looks_like_one_of_its_own(void **state)
{
	static const char *const unknown[] = {"API_SECRETS=hush",
	    "API_CREDENTIALS=hush", "API_=hush", "API_KEY=hush", "METRIC=hush",
	    "METRICSCLUSTER=hush", "METRICS_CLUSTERS=hush", "LEVEL=hush",
	    "LEVELS_=hush", "DUPLICATE=hush", "ZERO=hush", "TAG=hush",
	    "FRAME_FILE=hush", "FRAMES=hush", "CAPTURE_FILE=hush",
	    "PLATFORM_ONLYS=hush", "METRIC\n=hush"};
	static const char *const other[] = {"API=", "APIS=", "METRI=",
	    "PREFIX=/usr", "LEVE=", "LOG_LEVELS=", "TERM=", "MY_API_SECRET=",
	    "api_secrets=", "DUPLICAT=", "FRAM=", "PLATFORM="};

	(void)state;
	for (size_t i = 0; i < COUNT(unknown); i++) {
		load("API_CREDENTIALS_A=u:p", unknown[i]);
		assert_no_fault();
		assert_case(warning_count() == 1, unknown[i]);
		assert_true(warnings_say(
		    ": not a variable of this program; is it misspelt?\n"));
		assert_false(warnings_say("hush"));
	}
	for (size_t i = 0; i < COUNT(other); i++) {
		load("API_CREDENTIALS_A=u:p", other[i]);
		assert_case(warning_count() == 0, other[i]);
	}
}

static void
warns_of_each_port_left_out(void **state)
{
	(void)state;
	load("API_CREDENTIALS_A=u:p",
	    "METRICS_CLUSTER=statsd://u:hush@a,statsd://b:8126,statsd://[::1]/"
	    "x");
	assert_no_fault();
	assert_int_equal(warning_count(), 2);
	assert_true(warnings_say("METRICS_CLUSTER: collector 1, "
				 "statsd://***@a: no port given: 8126 is"));
	assert_true(warnings_say("collector 3, statsd://[::1]/x: no port"));
}

static void
an_empty_dyno_variable_is_no_dyno(void **state)
{
	(void)state;
	load("API_CREDENTIALS_A=u:p", "DYNO=");
	assert_int_equal(warning_count(), 0);
	load("API_CREDENTIALS_A=u:p", "DYNO=x");
	assert_int_equal(warning_count(), 1);
}

static void
the_names_must_be_exact(void **state)
{
	(void)state;
	load("XMETRICS_CLUSTER=x", "METRICS_CLUSTERS=x",
	    "API_SECRETS=", "auth=x", "HTTP_API_SECRET=x");
	assert_no_fault();
	assert_false(config.credentials.shared[CREDENTIALS_CURRENT].set);
}

static void
a_datagram_must_hold_the_longest_line(void **state)
{
	const size_t longest = 96; /* an error of an app of 64 bytes */
	const struct {
		const char *before;
		size_t bytes;
		bool fits;
	} cases[] = {
	    {"h", longest, true},
	    {"h", longest - 1, false},
	    {"h/abc", longest + 4, true},
	    {"h/abc", longest + 3, false},
	    {":k@h", longest + 44, true},
	    {":k@h", longest + 43, false},
	};
	char cluster[128];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(cluster, sizeof(cluster),
		    "METRICS_CLUSTER=statsd://%s?datagram=%zu", cases[i].before,
		    cases[i].bytes);
		load(cluster);
		assert_int_equal(fault_count(), cases[i].fits ? 0 : 1);
		assert_true(cases[i].fits || faults_say("too small"));
	}
	load("METRICS_CLUSTER=statsd://h?datagram=96", "METRICS=addons");
	assert_true(faults_say("too small"));
	load("METRICS_CLUSTER=statsd://h?datagram=96", "PREFIX_A=a");
	assert_true(faults_say("too small"));
	load("METRICS_CLUSTER=statsd://h?datagram=96&tags=dogstatsd");
	assert_true(faults_say("too small"));
}

static void
families_are_a_list_of_names(void **state)
{
	static const char *const faulty[] = {"METRICS=", "METRICS=error",
	    "METRICS=errors,", "METRICS=,errors", "METRICS=Errors",
	    "METRICS=errors;router", "METRICS=all"};

	(void)state;
	load("A=b");
	assert_int_equal(config.rules.families, FAMILY_BIT(FAMILY_ERRORS));
	load("METRICS=router, drain");
	assert_no_fault();
	assert_int_equal(config.rules.families,
	    FAMILY_BIT(FAMILY_ROUTER) | FAMILY_BIT(FAMILY_DRAIN));
	for (size_t i = 0; i < COUNT(faulty); i++) {
		load(faulty[i]);
		assert_case(
		    fault_count() == 1 && faults_say("METRICS: "), faulty[i]);
	}
}

static void
tags_are_keys_and_values(void **state)
{
	static const char *const faulty[] = {"TAGS=a", "TAGS=a:", "TAGS=:b",
	    "TAGS=a:b,", "TAGS=a:b:c", "TAGS=a:b|c", "TAGS=a:b c",
	    "TAGS=a:b, c:d", "TAGS=a:\n", "TAGS=a:#"};
	char many[TAGS_MAX + 16];

	(void)state;
	load("TAGS=env:live,team:a/b-c.d_1");
	assert_no_fault();
	assert_text(config.counting.tags, "env:live,team:a/b-c.d_1", "tags");
	load("TAGS=");
	assert_no_fault();
	for (size_t i = 0; i < COUNT(faulty); i++) {
		load(faulty[i]);
		assert_case(
		    fault_count() == 1 && faults_say("TAGS: "), faulty[i]);
	}
	snprintf(many, sizeof(many), "TAGS=k:%0*d", TAGS_MAX - 2, 0);
	load(many);
	assert_no_fault();
	snprintf(many, sizeof(many), "TAGS=k:%0*d", TAGS_MAX - 1, 0);
	load(many);
	assert_true(faults_say("200 bytes"));
}

static void
zeros_are_codes(void **state)
{
	static const char *const faulty[] = {"ZEROS=H1", "ZEROS=H12,",
	    "ZEROS=E12", "ZEROS=H1234", "ZEROS=h12", "ZEROS=H12 R14"};

	(void)state;
	load("ZEROS=H12, R14,L10");
	assert_no_fault();
	assert_int_equal(config.counting.zero_count, 3);
	assert_text(config.counting.zeros[1], "R14", "second");
	load("ZEROS=");
	assert_no_fault();
	for (size_t i = 0; i < COUNT(faulty); i++) {
		load(faulty[i]);
		assert_case(
		    fault_count() == 1 && faults_say("ZEROS: "), faulty[i]);
	}
}

static void
there_are_at_most_a_hundred_zeros(void **state)
{
	char list[8 * ZEROS_MAX] = "ZEROS=H100";

	(void)state;
	for (int i = 1; i < ZEROS_MAX; i++)
		sprintf(list + strlen(list), ",H%d", 100 + i);
	load(list);
	assert_no_fault();
	assert_int_equal(config.counting.zero_count, ZEROS_MAX);
	strcat(list, ",R14");
	load(list);
	assert_true(faults_say("ZEROS: may hold at most 100 codes"));
}

static void
there_are_at_most_4096_prefixes(void **state)
{
	static struct counting counting;
	struct slice variable = SLICE("APP"), prefix = SLICE("shop");

	(void)state;
	for (int i = 0; i < APPLICATIONS_MAX; i++)
		assert_null(counting_parse_prefix(&counting, variable, prefix));
	assert_string_equal(counting_parse_prefix(&counting, variable, prefix),
	    "there are more applications than this program can hold");
}

static void
prefixes_stand_for_applications(void **state)
{
	static const char *const faulty[] = {"PREFIX_A=", "PREFIX_A=a..b",
	    "PREFIX_A=.a", "PREFIX_A=a.", "PREFIX_A=a b", "PREFIX_A=a/b",
	    "PREFIX_=a", "PREFIX_a=a", "PREFIX_A=a:b"};
	const struct counting *c = &config.counting;

	(void)state;
	load("PREFIX_MY_APP=shop.live", "PREFIX_B=x", "PREFIX_MY-APP=other");
	assert_no_fault();
	assert_text(counting_name(c, SLICE("my_app")), "shop.live", "folded");
	assert_text(counting_name(c, SLICE("My-App")), "other", "plain wins");
	assert_text(counting_name(c, SLICE("b")), "x", "short");
	assert_text(counting_name(c, SLICE("none")), "none", "its own");
	load("PREFIX_MY_APP=shop.live");
	assert_text(counting_name(c, SLICE("my-app")), "shop.live", "hyphen");
	for (size_t i = 0; i < COUNT(faulty); i++) {
		load(faulty[i]);
		assert_case(
		    fault_count() == 1 && faults_say("PREFIX_"), faulty[i]);
	}
}

static void
many_datagrams_are_warned_of(void **state)
{
	(void)state;
	load("METRICS=errors,router", "METRICS_CLUSTER=statsd://h");
	assert_no_fault();
	warnings_buf[findings.warnings.len] = '\0';
	assert_non_null(strstr(warnings_buf, "METRICS: "));
	load("METRICS=errors,router",
	    "METRICS_CLUSTER=statsd://h?datagram=1432");
	warnings_buf[findings.warnings.len] = '\0';
	assert_null(strstr(warnings_buf, "METRICS: "));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(has_defaults),
	    cmocka_unit_test(a_datagram_must_hold_the_longest_line),
	    cmocka_unit_test(families_are_a_list_of_names),
	    cmocka_unit_test(tags_are_keys_and_values),
	    cmocka_unit_test(zeros_are_codes),
	    cmocka_unit_test(there_are_at_most_a_hundred_zeros),
	    cmocka_unit_test(there_are_at_most_4096_prefixes),
	    cmocka_unit_test(prefixes_stand_for_applications),
	    cmocka_unit_test(many_datagrams_are_warned_of),
	    cmocka_unit_test(keeps_the_order_of_the_cluster),
	    cmocka_unit_test(reads_every_variable),
	    cmocka_unit_test(accepts_every_value_there_is),
	    cmocka_unit_test(names_the_variable_of_each_fault),
	    cmocka_unit_test(reports_every_fault_not_only_the_first),
	    cmocka_unit_test(says_how_a_comma_inside_a_key_is_written),
	    cmocka_unit_test(never_shows_a_secret),
	    cmocka_unit_test(looks_nothing_up_that_may_be_part_of_a_key),
	    cmocka_unit_test(takes_only_so_many_collectors),
	    cmocka_unit_test(a_base_path_has_a_greatest_length),
	    cmocka_unit_test(a_frames_file_has_a_greatest_length),
	    cmocka_unit_test(slashes_at_the_end_of_a_base_path_are_dropped),
	    cmocka_unit_test(applications_are_hashed_by_a_random_key),
	    cmocka_unit_test(the_names_must_be_exact),
	    cmocka_unit_test(the_order_of_variables_matters_to_no_warning),
	    cmocka_unit_test(
		warns_of_each_variable_that_looks_like_one_of_its_own),
	    cmocka_unit_test(warns_of_each_port_left_out),
	    cmocka_unit_test(an_empty_dyno_variable_is_no_dyno),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
