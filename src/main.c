#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "serve/cgi.h"
#include "cli/check.h"
#include "cli/probe.h"
#include "serve/exchange.h"
#include "cli/explain.h"
#include "serve/fcgi.h"
#include "options.h"

/* Called if there are no random numbers, in place of raising SIGABRT. */
static void
end_instead_of_libsodium(void)
{
	log_reason(LOG_ERROR, "fault", SLICE("libsodium does not work here"));
	_exit(EXIT_FAULT);
}

static void
read_config(struct config *config, struct findings *findings)
{
	sodium_set_misuse_handler(end_instead_of_libsodium);
	if (sodium_init() < 0)
		end_instead_of_libsodium(); /* GCOVR_EXCL_LINE: it has ended */
	config_load(config, environ, findings);
	log_set_level(config->log_level);
}

/*
 * A sentence about who else could reach the socket, if that matters, or NULL.
 */
static const char *
exposure(const struct config *config)
{
	return config->remote_user ? fcgi_exposure() : NULL;
}

static int
run_check(const struct options *options, const struct config *config,
    struct findings *findings)
{
	struct check job = {config, !options->no_send, options->for_start,
	    options->strict, exposure(config), probe_backlog(), stdout, stderr};

	return check(&job, findings) ? EXIT_OK : EXIT_FAULT;
}

/* https://no-color.org: set and not empty means no colour. */
static bool
wants_colour(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) &&
	    (no_color == NULL || no_color[0] == '\0') &&
	    (term == NULL || strcmp(term, "dumb") != 0);
}

/* Reads a file, or standard input; false after printing the reason. */
static bool
read_body(const char *file, struct slice *body)
{
	static char bytes[BODY_MAX + 1];
	FILE *in = file != NULL ? fopen(file, "rb") : stdin;
	size_t len = in != NULL ? fread(bytes, 1, sizeof(bytes), in) : 0;

	if (in == NULL || ferror(in)) {
		fprintf(stderr, "logplex-statsd: cannot read %s: %s\n",
		    file != NULL ? file : "standard input", strerror(errno));
		return false;
	}
	if (len > BODY_MAX) {
		fputs(
		    "logplex-statsd: the body is longer than 8 MiB\n", stderr);
		return false;
	}
	*body = (struct slice){bytes, len};
	return true;
}

static int
run_explain(const struct options *options, const struct config *config,
    const struct buf *faults)
{
	struct explain job = {config, slice_of(options->app), stdout, stderr,
	    isatty(STDOUT_FILENO) == 1, wants_colour()};
	struct slice body;

	if (faults->len > 0) {
		fwrite(faults->ptr, 1, faults->len, stderr);
		return EXIT_FAULT;
	}
	if (!read_body(options->file, &body))
		return EXIT_FAULT;
	return explain(&job, body) ? EXIT_OK : EXIT_FAULT;
}

static void
log_default_cluster(void)
{
	log_reason(LOG_WARNING, "default-cluster",
	    SLICE("METRICS_CLUSTER is not set: sending to "
		  "statsd://127.0.0.1:8126 and statsd://127.0.0.1:8127"));
}

/*
 * This process starts no programs, and a core dump would hold secrets: the
 * limit prevents dumps to files, PR_SET_DUMPABLE those that core_pattern(5)
 * pipes to a program, which no limit prevents.
 */
static void
give_up_privileges(void)
{
	static const struct rlimit none = {0, 0};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &none);
}

static int
run_responder(
    struct service *service, const struct config *config, struct buf *faults)
{
	bool usable = faults->len == 0;
	int status;

	if (usable) {
		exchange_open(service, config);
		usable = cluster_look_up(&service->cluster, faults);
	}
	log_reasons(LOG_ERROR, "fault", buf_slice(faults));
	if (!usable)
		return EXIT_FAULT;
	if (config->default_cluster)
		log_default_cluster();
	if (exposure(config) != NULL)
		log_reason(LOG_WARNING, "exposed", slice_of(exposure(config)));
	status = fcgi_serve(service) ? EXIT_OK : EXIT_FAULT;
	exchange_close(service);
	return status;
}

static int
run_cgi(struct service *service, const struct config *config,
    const struct buf *faults)
{
	if (faults->len > 0) {
		log_reasons(LOG_ERROR, "fault", buf_slice(faults));
		cgi_serve(NULL, environ);
		return EXIT_FAULT;
	}
	if (config->default_cluster)
		log_default_cluster();
	exchange_open(service, config);
	cgi_serve(service, environ);
	exchange_close(service);
	return EXIT_OK;
}

/* With stderr closed, a socket could get its number and be sent the log. */
static void
open_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/*
 * Determines, once, how the program was started.  Returns -1 to go on, or the
 * status to exit with.
 */
static int
find_mode(int argc, char **argv, struct options *options)
{
	bool is_cgi = cgi_is_request();
	/* A CGI program's arguments may be the query string: RFC 3875 4.4. */
	int status = is_cgi ? -1 : options_read(argc, argv, options);

	if (status >= 0 || options->mode != MODE_UNKNOWN)
		return status;
	if (fcgi_is_responder())
		options->mode = MODE_RESPONDER;
	else if (is_cgi)
		options->mode = MODE_CGI;
	if (options->mode != MODE_UNKNOWN)
		return -1;
	options_print_usage(stderr);
	return EXIT_USAGE;
}

int
main(int argc, char **argv)
{
	static struct config config;
	static struct service service;
	static char faults[FAULTS_MAX], warnings[FAULTS_MAX];
	struct findings findings = {BUF_IN(faults), BUF_IN(warnings)};
	struct options options = {.app = "app"};
	int status;

	open_standard_descriptors();
	status = find_mode(argc, argv, &options);
	if (status >= 0)
		return status;
	if (options.mode >= MODE_RESPONDER)
		give_up_privileges();
	read_config(&config, &findings);
	switch (options.mode) {
	case MODE_CHECK:
		return run_check(&options, &config, &findings);
	case MODE_EXPLAIN:
		return run_explain(&options, &config, &findings.faults);
	case MODE_RESPONDER:
		return run_responder(&service, &config, &findings.faults);
	case MODE_CGI:
	case MODE_UNKNOWN:
		break;
	}
	return run_cgi(&service, &config, &findings.faults);
}
