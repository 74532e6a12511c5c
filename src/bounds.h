/*
 * Every ceiling of the program, each with its reason.
 */
#ifndef BOUNDS_H
#define BOUNDS_H

/*
 * The longest request body, in bytes.  Logplex stops adding messages to a
 * batch at 102,400 bytes; Private Space Logging sends up to 5,000 KB.
 */
#define BODY_MAX ((size_t)8 * 1024 * 1024)

/* Digits of a MSG-LEN: enough for BODY_MAX, too few to overflow anything. */
#define MSG_LEN_DIGITS 7

/*
 * The id of a batch, Logplex-Frame-Id: Logplex's has 32 or 36 bytes.  A batch
 * with a longer one is counted each time it comes.
 */
#define FRAME_ID_MAX 128

/* FRAMES_FILE and CAPTURE: a path. */
#define FILE_PATH_MAX 1024

/*
 * How long a batch waits while another process, which may be stopped, holds the
 * same one.  With the web server's 4 s for the first try, and the other two
 * tries right after it, a batch survives a stop of 6 s.
 */
#define FRAMES_WAIT_MS 1000

/* An application's name: one path segment and one part of a bucket. */
#define APP_MAX 64

/* A path as the web server gives it: BASE_PATH, an application, "/logs". */
#define PATH_MAX_BYTES 512
#define BASE_PATH_MAX 256

/*
 * "user:password" of an application, or API_SECRET.  Every comparison reads
 * this many bytes whatever it compares, so that its time reveals nothing.
 */
#define CREDENTIALS_MAX 256

/* API_CREDENTIALS_<APP> variables; Heroku's config vars hold 32 kB in all. */
#define APPLICATIONS_MAX 4096

/* Elements of METRICS_CLUSTER; a URI repeated as a weight counts each time. */
#define COLLECTORS_MAX 256

/* A DNS name is at most 253 characters; an IPv6 literal with scope fits. */
#define HOST_MAX 255

/* The bucket prefix of one collector: keeps a whole name below 200 bytes. */
#define PREFIX_MAX 100

/*
 * A part of a name that comes from the stream, and a number as it is sent: at
 * most 20 bytes as read, plus three digits where seconds become ms.
 */
#define PART_MAX 64
#define NUMBER_MAX 24

/*
 * For one request: distinct names, timer values, and names that an application
 * makes up itself.
 */
#define BUCKETS_MAX 8192
#define TIMERS_MAX 65536
#define CUSTOM_NAMES_MAX 100

/* TAGS, and the codes of ZEROS. */
#define TAGS_MAX 200
#define ZEROS_MAX 100

/* Applications whose last zeros are remembered, and for how long. */
#define ZEROS_APPS_MAX 4096
#define ZEROS_INTERVAL_MS 60000

/*
 * A line: prefix, name, value, and its tags; line_max gives the length that it
 * can actually reach.
 */
#define LINE_BYTES_MAX 1024

/* A signing key; HMAC-SHA256 hashes anything above 64 bytes down to 32. */
#define KEY_MAX 256

/* Addresses kept for one collector's name. */
#define ADDRESSES_MAX 8

/* Payload of a UDP datagram over IPv4: 65,535 minus both headers. */
#define DATAGRAM_MAX 65507

/*
 * brubeck, which verifies signatures, reads at most 1,024 bytes: a longer
 * datagram is cut, and fails its HMAC.
 */
#define SIGNED_DATAGRAM_MAX 1023

/* Seconds that a signed datagram's time may be set back. */
#define BACKDATE_MAX 60

/* An answer's header and body; the longest has about 300 bytes. */
#define ANSWER_MAX 1024

/* One line of the log, written by a single write(2). */
#define LOG_LINE_MAX 4096

/*
 * How long lines wait for a full log before they are dropped: all of them
 * together, within the interval.
 */
#define LOG_WAIT_MS 100
#define LOG_WAIT_INTERVAL_MS 10000

/* Skipped messages of one body shown in the log at LOG_LEVEL=debug. */
#define LOG_SKIPPED_MAX 20

/* Bytes of a body shown in the log at LOG_LEVEL=debug. */
#define LOG_BODY_MAX 1500

/* The text of all configuration faults together, and of all warnings. */
#define FAULTS_MAX ((size_t)32 * 1024)

/*
 * The time after which a collector's name is looked up again, and the time
 * after which a failed look-up is repeated while the collector has no address
 * at all.
 */
#define LOOKUP_INTERVAL_MS 60000
#define LOOKUP_RETRY_MS 5000

/*
 * How long to wait for the name server at start, and in a CGI request: Logplex
 * stops waiting for an answer after five seconds.
 */
#define LOOKUP_WAIT_MS 2000

/* Connections that may wait for the responder, in lighttpd.conf and the systemd
 * unit; the system may allow fewer. */
#define BACKLOG 1024

/*
 * How long --check waits for collectors to refuse its probe: bin/web starts the
 * web server only after that.
 */
#define PROBE_WAIT_MS 200

/*
 * How often to check whether the machine's own address has changed, while there
 * is something to send: the check takes four system calls per collector.
 */
#define REFRESH_INTERVAL_MS 1000

/*
 * The time between two log lines about one collector's failed sends, or about
 * samples beyond the ceilings.
 */
#define SEND_LOG_INTERVAL_MS 60000

/*
 * How long a web server may take over a whole request, from its connection to
 * the end of its answer: Logplex gives up after five seconds.
 */
#define REQUEST_TIMEOUT_MS 10000

/*
 * The beginning of a request over FastCGI, with all its parameters.  Web
 * servers take 8 KB of header fields (lighttpd, Apache's request line) to 32 KB
 * (nginx), and a pipe holds as much.
 */
#define OPENING_MAX ((size_t)64 * 1024)

/*
 * How long a web server may take to send it: web servers do so as they connect.
 */
#define OPENING_WAIT_MS 2000

#endif
