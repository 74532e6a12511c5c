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

/* The id of a batch, Logplex-Frame-Id: 32 or 36 bytes so far.  A batch with a
 * longer one is counted whenever it comes. */
#define FRAME_ID_MAX 128

/* FRAMES_FILE: a path. */
#define FRAMES_FILE_MAX 1024

/* How long a batch waits while another process has the same one, perhaps
 * stopped: with the web server's 4 s for the first try and both other tries at
 * once, a batch outlives a stop of 6 s. */
#define FRAMES_WAIT_MS 1000

/* An application's name: one path segment and one part of a bucket. */
#define APP_MAX 64

/* A path as the web server gives it: BASE_PATH, an application, "/logs". */
#define PATH_MAX_BYTES 512
#define BASE_PATH_MAX 256

/*
 * "user:password" of an application, or API_SECRET.  Every comparison costs
 * this many bytes whatever it compares, so that its time tells nothing.
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

/* A part of a name that comes from the stream, and a number as it is sent: at
 * most 20 bytes as read, three digits more where seconds become ms. */
#define PART_MAX 64
#define NUMBER_MAX 24

/*
 * Of one request: different names, values of timers, and names that an
 * application makes up itself.
 */
#define BUCKETS_MAX 8192
#define TIMERS_MAX 65536
#define CUSTOM_NAMES_MAX 100

/* TAGS, and the codes of ZEROS. */
#define TAGS_MAX 200
#define ZEROS_MAX 100

/* Applications whose last zeros are remembered, and how long. */
#define ZEROS_APPS_MAX 4096
#define ZEROS_INTERVAL_MS 60000

/* A line: prefix, name, value, and its tags; line_max says how long it may
 * really get. */
#define LINE_BYTES_MAX 1024

/* A signing key; HMAC-SHA256 hashes anything above 64 bytes down to 32. */
#define KEY_MAX 256

/* Addresses kept of one collector's name. */
#define ADDRESSES_MAX 8

/* Payload of a UDP datagram over IPv4: 65,535 less both headers. */
#define DATAGRAM_MAX 65507

/* Secure collectors read into 1,024 bytes and drop what fills them. */
#define SIGNED_DATAGRAM_MAX 1023

/* Seconds that a signed datagram's time may be set back. */
#define BACKDATE_MAX 60

/* An answer's header and body; the longest has about 300 bytes. */
#define ANSWER_MAX 1024

/* One line of the log, written by a single write(2). */
#define LOG_LINE_MAX 4096

/* How long lines wait for a log that is full before they are dropped: all of
 * them together, within the interval. */
#define LOG_WAIT_MS 100
#define LOG_WAIT_INTERVAL_MS 10000

/* Skipped messages of a body that are shown at LOG_LEVEL=debug. */
#define LOG_SKIPPED_MAX 20

/* Bytes of a body shown in the log at LOG_LEVEL=debug. */
#define LOG_BODY_MAX 1500

/* What all configuration faults together may say, and all warnings. */
#define FAULTS_MAX ((size_t)32 * 1024)

/* After this a collector's name is looked up again; or, while it has no
 * address at all, after a look-up that failed. */
#define LOOKUP_INTERVAL_MS 60000
#define LOOKUP_RETRY_MS 5000

/* How long to wait for the name server at start, and in a CGI request: Logplex
 * gives up on an answer after five seconds. */
#define LOOKUP_WAIT_MS 2000

/* Connections that may wait for the responder, in lighttpd.conf and the systemd
 * unit; the system may allow fewer. */
#define BACKLOG 1024

/* How long --check waits for collectors to refuse its probe: bin/web starts
 * the web server only after it. */
#define PROBE_WAIT_MS 200

/* How often to see whether the machine's own address has changed, while there
 * is something to send: it takes four system calls a collector. */
#define REFRESH_INTERVAL_MS 1000

/* Time between two log lines about one collector's failed sends, or about
 * samples beyond the ceilings. */
#define SEND_LOG_INTERVAL_MS 60000

/*
 * How long a web server may take over a whole request, from its connection to
 * the end of its answer: Logplex gives up after five seconds.
 */
#define REQUEST_TIMEOUT_MS 10000

/*
 * The beginning of a request over FastCGI, with all its parameters.  Web
 * servers take 8 KB of header fields (lighttpd, Apache's request line) to 32 KB
 * (nginx), and it is what a pipe holds.
 */
#define OPENING_MAX ((size_t)64 * 1024)

/* How long a web server may take over that: it sends it as it connects. */
#define OPENING_WAIT_MS 2000

#endif
