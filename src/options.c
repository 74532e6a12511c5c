#include "options.h"

#include <getopt.h>

#include "bounds.h"
#include "http/handler.h"

static const char usage[] =
    "usage: logplex-statsd --check [--no-send | --for-start] [--strict]\n"
    "       logplex-statsd --explain [--app NAME] [FILE]\n"
    "       logplex-statsd --help | --version\n"
    "\n"
    "Counts platform errors, requests and more in Heroku log drains and "
    "sends\n"
    "them to statsd.\n"
    "Without options it is started by a web server, as a FastCGI responder (a\n"
    "listening socket as descriptor 0) or as classic CGI.\n"
    "\n"
    "  --check     print what the configuration amounts to, or its faults\n"
    "  --no-send   with --check: send the collectors nothing, not even a\n"
    "              datagram without counters\n"
    "  --for-start with --check: send nothing, and tolerate collectors that\n"
    "              cannot be sent to if there are others, as a start does\n"
    "  --strict    with --check: exit 1 for warnings as well\n"
    "  --explain   show what FILE or standard input would count: the output\n"
    "              of `heroku logs`, or the body of a drain's request\n"
    "  --app NAME  the application's name for --explain; \"app\" if not given\n"
    "  --help, --version\n"
    "\n"
    "The configuration is the environment: METRICS_CLUSTER, API_SECRET,\n"
    "API_CREDENTIALS_<APP>, API_PREVIOUS_SECRET, "
    "API_PREVIOUS_CREDENTIALS_<APP>,\n"
    "AUTH, METRICS, PREFIX_<APP>, TAGS, ZEROS, LEVELS, PLATFORM_ONLY,\n"
    "DUPLICATES, FRAMES_FILE, CAPTURE, LOG_LEVEL, BASE_PATH.\n"
    "The manual describes all of it: man logplex-statsd.\n";

void
options_print_usage(FILE *out)
{
	fputs(usage, out);
}

static int
read_operands(int argc, char **argv, struct options *options)
{
	if (optind < argc && options->mode == MODE_EXPLAIN)
		options->file = argv[optind++];
	if (optind < argc) {
		fprintf(stderr, "logplex-statsd: \"%s\" is not expected\n%s",
		    argv[optind], usage);
		return EXIT_USAGE;
	}
	if (!handler_is_app(slice_of(options->app))) {
		fprintf(stderr,
		    "logplex-statsd: an application's name is 1 to %d "
		    "letters, digits, _ or -\n%s",
		    APP_MAX, usage);
		return EXIT_USAGE;
	}
	return -1;
}

static int
take_mode(enum options_mode mode, struct options *options)
{
	if (options->mode != MODE_UNKNOWN && options->mode != mode) {
		fprintf(stderr,
		    "logplex-statsd: either --check or --explain\n%s", usage);
		return EXIT_USAGE;
	}
	options->mode = mode;
	return -1;
}

/* Applies one option.  Returns -1 to go on, or the status to exit with. */
static int
take_option(int option, struct options *options)
{
	switch (option) {
	case 'c':
		return take_mode(MODE_CHECK, options);
	case 'n':
		options->no_send = true;
		return -1;
	case 'S':
		options->strict = true;
		return -1;
	case 's':
		options->for_start = options->no_send = true;
		return -1;
	case 'e':
		return take_mode(MODE_EXPLAIN, options);
	case 'a':
		options->app = optarg;
		return -1;
	case 'h':
		fputs(usage, stdout);
		return EXIT_OK;
	case 'v':
		puts("logplex-statsd " VERSION);
		return EXIT_OK;
	default:
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
}

int
options_read(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
	    {"check", no_argument, NULL, 'c'},
	    {"no-send", no_argument, NULL, 'n'},
	    {"strict", no_argument, NULL, 'S'},
	    {"for-start", no_argument, NULL, 's'},
	    {"explain", no_argument, NULL, 'e'},
	    {"app", required_argument, NULL, 'a'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'v'},
	    {NULL, 0, NULL, 0},
	};
	int option, status;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
		if ((status = take_option(option, options)) >= 0)
			return status;
	return read_operands(argc, argv, options);
}
