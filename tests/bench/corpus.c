#include "corpus.h"

/* xorshift64*: the same numbers on every machine. */
static uint32_t
below(struct corpus *c, uint32_t limit)
{
	c->random ^= c->random >> 12;
	c->random ^= c->random << 25;
	c->random ^= c->random >> 27;
	return (uint32_t)(c->random * 0x2545f4914f6cdd1dU >> 32) % limit;
}

static const char *
one_of(struct corpus *c, const char *const *strings, uint32_t count)
{
	return strings[below(c, count)];
}

#define ONE_OF(c, strings)                                                     \
	one_of((c), (strings), sizeof(strings) / sizeof((strings)[0]))

static void
put_key(struct buf *t, const char *key, uint64_t number, const char *unit)
{
	buf_put_string(t, key);
	buf_put_number(t, number);
	buf_put_string(t, unit);
}

static void
put_header(struct corpus *c, struct buf *t, unsigned pri, const char *source)
{
	put_key(t, "<", pri, ">1 2026-06-09T16:");
	buf_put_padded(t, c->clock / 60000000 % 60, 2);
	buf_put(t, SLICE(":"));
	buf_put_padded(t, c->clock / 1000000 % 60, 2);
	buf_put(t, SLICE("."));
	buf_put_padded(t, c->clock % 1000000, 6);
	buf_put(t, SLICE("+00:00 host "));
	buf_put_string(t, source);
}

static void
put_uuid(struct corpus *c, struct buf *t)
{
	static const char hex[] = "0123456789abcdef";
	static const char shape[] = "xxxxxxxx-xxxx-4xxx-xxxx-xxxxxxxxxxxx";

	for (const char *s = shape; *s != '\0'; s++)
		buf_put(
		    t, (struct slice){*s == 'x' ? &hex[below(c, 16)] : s, 1});
}

static void
put_address(struct corpus *c, struct buf *t)
{
	put_key(t, "", 1 + below(c, 223), ".");
	put_key(t, "", below(c, 256), ".");
	put_key(t, "", below(c, 256), ".");
	buf_put_number(t, below(c, 256));
}

static const char *const methods[] = {"GET", "GET", "GET", "POST", "PUT"};

static void
put_path(struct corpus *c, struct buf *t)
{
	static const char *const parts[] = {"/api", "/v1", "/users", "/orders",
	    "/assets/application-5f2c.js", "/search?q=shoes&page=", "/items",
	    "/checkout", "/account/settings", "/session"};

	buf_put_string(t, ONE_OF(c, parts));
	if (below(c, 2) == 0)
		buf_put_string(t, ONE_OF(c, parts));
	if (below(c, 2) == 0)
		put_key(t, "/", below(c, 100000), "");
}

static void
put_router_rest(struct corpus *c, struct buf *t, bool served)
{
	buf_put(t, SLICE(" method="));
	buf_put_string(t, ONE_OF(c, methods));
	buf_put(t, SLICE(" path=\""));
	put_path(c, t);
	buf_put(t, SLICE("\" host=storefront-27764.example.com request_id="));
	put_uuid(c, t);
	buf_put(t, SLICE(" fwd=\""));
	put_address(c, t);
	put_key(t, "\" dyno=web.", 1 + below(c, 8), "");
	put_key(t, " connect=", below(c, 4), "ms");
	put_key(t, " service=", served ? below(c, 900) : 30000, "ms");
	put_key(t, " status=", served ? 200 : 503, "");
	put_key(t, " bytes=", served ? below(c, 100000) : 0, " protocol=https");
	if (below(c, 3) == 0)
		buf_put(t, SLICE(" tls=true tls_version=tls1.3"));
}

static void
put_router_line(struct corpus *c, struct buf *t)
{
	put_header(c, t, 158, "heroku router - at=info");
	put_router_rest(c, t, true);
}

static void
put_error(struct corpus *c, struct buf *t)
{
	static const char *const router[] = {
	    "at=error code=H12 desc=\"Request timeout\"",
	    "at=error code=H12 desc=\"Request timeout\"",
	    "at=error code=H13 desc=\"Connection closed without response\"",
	    "at=error code=H10 desc=\"App crashed\"",
	    "sock=backend at=error code=H18 desc=\"Request Interrupted\"",
	    "sock=client at=warning code=H27 desc=\"Request Interrupted\""};
	static const char *const dyno[] = {
	    "heroku worker.3 - Error R14 (Memory quota exceeded)",
	    "heroku web.1 - Error R15 (Memory quota vastly exceeded)",
	    "heroku logplex - Error L10 (output buffer overflow): 37 messages"};

	if (below(c, 3) == 0) {
		put_header(c, t, 134, ONE_OF(c, dyno));
		return;
	}
	put_header(c, t, 158, "heroku router - ");
	buf_put_string(t, ONE_OF(c, router));
	put_router_rest(c, t, false);
}

static void
put_memory(struct corpus *c, struct buf *t, const char *name)
{
	put_key(t, name, below(c, 512), ".");
	buf_put_padded(t, below(c, 100), 2);
	buf_put(t, SLICE("MB"));
}

static void
put_metrics(struct corpus *c, struct buf *t)
{
	buf_put(t, SLICE(" - source=web.1 dyno=heroku.322071457."));
	put_uuid(c, t);
	if (below(c, 2) == 0) {
		put_key(t, " sample#load_avg_1m=0.", 10 + below(c, 90), "");
		put_key(t, " sample#load_avg_5m=0.", 10 + below(c, 90), "");
		put_key(t, " sample#load_avg_15m=0.", 10 + below(c, 90), "");
		return;
	}
	put_memory(c, t, " sample#memory_total=");
	put_memory(c, t, " sample#memory_rss=");
	put_memory(c, t, " sample#memory_cache=");
	put_memory(c, t, " sample#memory_swap=");
	put_key(t, " sample#memory_pgpgin=", below(c, 100000), "pages");
	put_key(t, " sample#memory_pgpgout=", below(c, 100000), "pages");
	buf_put(t, SLICE(" sample#memory_quota=512.00MB"));
}

static void
put_platform_line(struct corpus *c, struct buf *t)
{
	static const char *const words[] = {
	    " - State changed from starting to up",
	    " - Starting process with command `bundle exec puma`",
	    " - Process exited with status 143",
	    " - Stopping all processes with SIGTERM"};

	put_header(c, t, 134, "heroku web.");
	buf_put_number(t, 1 + below(c, 8));
	if (below(c, 10) == 0)
		buf_put_string(t, ONE_OF(c, words));
	else
		put_metrics(c, t);
}

static void
put_plain(struct corpus *c, struct buf *t)
{
	buf_put(t, SLICE("Started "));
	buf_put_string(t, ONE_OF(c, methods));
	buf_put(t, SLICE(" \""));
	put_path(c, t);
	buf_put(t, SLICE("\" for "));
	put_address(c, t);
	buf_put(t, SLICE(" at 2026-06-09 16:14:08 +0000"));
}

static void
put_rails(struct corpus *c, struct buf *t)
{
	buf_put(t, SLICE("["));
	put_uuid(c, t);
	put_key(t, "] Completed 200 OK in ", below(c, 900), "ms (Views: ");
	put_key(t, "", below(c, 99), "ms | ActiveRecord: ");
	put_key(t, "", below(c, 99), "ms | Allocations: ");
	put_key(t, "", below(c, 100000), ")");
}

static void
put_json(struct corpus *c, struct buf *t)
{
	buf_put(t, SLICE("{\"level\":\"info\",\"time\":"));
	buf_put_number(t, c->clock);
	buf_put(t, SLICE(",\"reqId\":\""));
	put_uuid(c, t);
	buf_put(t, SLICE("\",\"req\":{\"method\":\""));
	buf_put_string(t, ONE_OF(c, methods));
	buf_put(t, SLICE("\",\"url\":\""));
	put_path(c, t);
	buf_put(t, SLICE("\",\"remoteAddress\":\""));
	put_address(c, t);
	put_key(t, "\"},\"responseTime\":", below(c, 900), "");
	buf_put(t, SLICE(",\"msg\":\"request completed\"}"));
}

static void
put_logfmt(struct corpus *c, struct buf *t)
{
	buf_put(t, SLICE("method="));
	buf_put_string(t, ONE_OF(c, methods));
	buf_put(t, SLICE(" path=\""));
	put_path(c, t);
	buf_put(t,
	    SLICE("\" format=html controller=OrdersController "
		  "action=show status=200"));
	put_key(t, " duration=", below(c, 900), ".25");
	put_key(t, " view=", below(c, 99), ".11");
	put_key(t, " db=", below(c, 99), ".07");
	put_key(t, " user_id=", below(c, 100000), " request_id=");
	put_uuid(c, t);
}

static void
put_application_line(struct corpus *c, struct buf *t)
{
	static void (*const put[])(struct corpus *, struct buf *) = {
	    put_plain, put_rails, put_json, put_logfmt};

	put_header(c, t, 190, "app web.");
	put_key(t, "", 1 + below(c, 8), " - ");
	put[below(c, sizeof(put) / sizeof(put[0]))](c, t);
}

static void
put_message(struct corpus *c, struct buf *t)
{
	uint32_t kind;

	c->clock += below(c, 2000);
	if (below(c, 1000) < c->share) {
		c->errors++;
		put_error(c, t);
		buf_put(t, SLICE("\n"));
		return;
	}
	kind = below(c, 970);
	if (kind < 600)
		put_router_line(c, t);
	else if (kind < 750)
		put_platform_line(c, t);
	else
		put_application_line(c, t);
	buf_put(t, SLICE("\n"));
}

struct corpus
corpus_new(unsigned share)
{
	return (struct corpus){0x6c6f67706c6578, share, 0, 0};
}

size_t
corpus_put(
    struct corpus *corpus, struct buf *out, size_t messages, size_t bytes)
{
	size_t count = 0;

	while (count < messages && out->len < bytes) {
		char buf[CORPUS_FRAME_MAX];
		struct buf message = BUF_IN(buf);

		put_message(corpus, &message);
		buf_put_number(out, message.len);
		buf_put(out, SLICE(" "));
		buf_put(out, buf_slice(&message));
		count++;
	}
	return count;
}
