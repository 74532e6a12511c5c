/*
 * bin/listener: prints the datagrams that arrive on a UDP port.
 */
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bounds.h"
#include "base/buf.h"
#include "statsd/signature.h"
#include "statsd/uri.h"

enum { EXIT_OK, EXIT_FAULT, EXIT_USAGE };

/* Collectors refuse a time that is more than this many seconds old. */
enum { MAX_DRIFT = 3 };

static const char usage[] =
    "usage: %s PORT [--key KEY] [--bind ADDRESS]\n"
    "\n"
    "Prints a line for each datagram: time, sender, text.  With a key, "
    "verifies\n"
    "their signatures.  Listens on 127.0.0.1 if no other address is given.\n";

struct options {
	const char *port;
	const char *key; /* NULL: datagrams are not signed */
	const char *address;
	bool help;
};

static bool
read_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
	    {"key", required_argument, NULL, 'k'},
	    {"bind", required_argument, NULL, 'b'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1)
		switch (c) {
		case 'k':
			options->key = optarg;
			break;
		case 'b':
			options->address = optarg;
			break;
		case 'h':
			options->help = true;
			return true;
		default:
			return false;
		}
	if (optind != argc - 1)
		return false;
	options->port = argv[optind];
	return true;
}

/* Returns a socket, or -1 after printing the reason. */
static int
listen_at(const struct options *options)
{
	struct addrinfo hints = {0}, *a;
	uint16_t port;
	int fd, error;

	if (!uri_read_port(slice_of(options->port), &port)) {
		fprintf(stderr,
		    "listener: PORT is \"%s\"; a port is a number from 1 to "
		    "65535.\n",
		    options->port);
		return -1;
	}
	hints.ai_socktype = SOCK_DGRAM;
	hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	error = getaddrinfo(options->address, options->port, &hints, &a);
	if (error != 0) {
		fprintf(stderr, "listener: address %s, port %s: %s\n",
		    options->address, options->port, gai_strerror(error));
		return -1;
	}
	fd = socket(a->ai_family, a->ai_socktype, 0);
	if (fd < 0 || bind(fd, a->ai_addr, a->ai_addrlen) != 0) {
		fprintf(stderr, "listener: cannot listen on UDP port %s: %s\n",
		    options->port, strerror(errno));
		fd = -1;
	}
	freeaddrinfo(a);
	return fd;
}

static void
put_time(struct buf *line)
{
	char buf[sizeof("2015-12-03T23:12:17")];
	time_t now = time(NULL);
	struct tm tm;

	strftime(buf, sizeof(buf), "%Y-%m-%dT%H:%M:%S", gmtime_r(&now, &tm));
	buf_put_string(line, buf);
	buf_put(line, SLICE("Z "));
}

static void
put_sender(struct buf *line, const struct sockaddr_storage *from, socklen_t len)
{
	char host[64], port[8];

	if (getnameinfo((const struct sockaddr *)from, len, host, sizeof(host),
		port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return; /* GCOVR_EXCL_LINE: numbers can always be written */
	buf_put_string(line, host);
	buf_put(line, SLICE(":"));
	buf_put_string(line, port);
	buf_put(line, SLICE(" "));
}

static const char *
judge_time(int64_t seconds)
{
	struct timespec now;
	int64_t age;

	/* Not time(2), which may be a tick later than a sender's clock. */
	clock_gettime(CLOCK_REALTIME, &now);
	age = (int64_t)now.tv_sec - seconds;
	if (age < 0)
		return "signed with a time in the future: collectors drop it "
		       "(see backdate=)";
	return age > MAX_DRIFT ? "signed too long ago: collectors drop it"
			       : NULL;
}

/*
 * Writes the text of a datagram, or why it is not acceptable and all of its
 * bytes.
 */
static void
put_datagram(
    struct buf *line, const struct signature_key *key, struct slice datagram)
{
	const char *fault = NULL;
	int64_t seconds;

	if (key != NULL) {
		fault =
		    signature_verify(key, (const unsigned char *)datagram.ptr,
			datagram.len, &seconds);
		if (fault == NULL) {
			fault = judge_time(seconds);
			datagram = slice_after(datagram, SIGNATURE_LEN);
		}
	}
	if (fault != NULL) {
		buf_put_string(line, "REJECTED, ");
		buf_put_string(line, fault);
		buf_put_string(line, ": ");
	}
	buf_put_visible(line, datagram);
}

static void
print_datagrams(int fd, const struct signature_key *key)
{
	static char datagram[65536], buf[sizeof(datagram) * 4 + 512];

	for (;;) {
		struct sockaddr_storage from;
		socklen_t from_len = sizeof(from);
		struct buf line = BUF_IN(buf);
		ssize_t n = recvfrom(fd, datagram, sizeof(datagram), 0,
		    (struct sockaddr *)&from, &from_len);

		if (n < 0)
			continue; /* GCOVR_EXCL_LINE: no test interrupts it */
		put_time(&line);
		put_sender(&line, &from, from_len);
		put_datagram(&line, key, (struct slice){datagram, (size_t)n});
		printf("%.*s\n", SLICE_ARG(buf_slice(&line)));
	}
}

int
main(int argc, char **argv)
{
	struct options options = {NULL, NULL, "127.0.0.1", false};
	struct signature_key key;
	int fd;

	if (!read_options(argc, argv, &options)) {
		fprintf(stderr, usage, argv[0]);
		return EXIT_USAGE;
	}
	if (options.help) {
		printf(usage, argv[0]);
		return EXIT_OK;
	}
	if (sodium_init() < 0 || (fd = listen_at(&options)) < 0)
		return EXIT_FAULT;
	if (options.key != NULL)
		signature_key_init(&key, (const unsigned char *)options.key,
		    strlen(options.key));
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("Listening on port %s...\n", options.port);
	print_datagrams(fd, options.key != NULL ? &key : NULL);
}
