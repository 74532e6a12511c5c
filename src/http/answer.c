#include "http/answer.h"

static const struct {
	int status;
	const char *phrase;
} phrases[] = {
    {200, "OK"},
    {201, "Created"},
    {401, "Unauthorized"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
};

static const char *
phrase_of(int status)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Unknown"; /* GCOVR_EXCL_LINE: handler.c decides on no other */
}

static void
put_member(struct buf *t, const char *name, uint64_t number)
{
	buf_put_string(t, name);
	buf_put_number(t, number);
}

static void
put_ping(struct buf *t, struct timespec now)
{
	put_member(t, "{\"now\":\"", (uint64_t)now.tv_sec);
	buf_put(t, SLICE("."));
	buf_put_padded(t, (uint64_t)now.tv_nsec / 1000, 6);
	buf_put(t, SLICE("s\",\"status\":\"ok\"}"));
}

static void
put_counts(
    struct buf *t, const struct tally *tally, const struct outcome *outcome)
{
	/* What is refused has no tally; cppcheck does not see that far. */
	/* cppcheck-suppress ctunullpointer */
	put_member(t, "{\"messages\":", tally->messages);
	put_member(t, ",\"errors\":", tally->errors);
	put_member(t, ",\"skipped\":", tally->skipped);
	if (outcome->duplicate)
		buf_put(t, SLICE(",\"duplicate\":true"));
	buf_put(t, SLICE("}"));
}

/* The reasons are fixed sentences: nothing in them needs escaping. */
static void
put_error(struct buf *t, const struct outcome *outcome)
{
	buf_put(t, SLICE("{\"error\":\""));
	buf_put_string(t, outcome->reason);
	buf_put(t, SLICE("\""));
	if (outcome->status == 422) {
		put_member(t, ",\"offset\":", outcome->fault.offset);
		put_member(t, ",\"message\":", outcome->fault.number);
	}
	buf_put(t, SLICE("}"));
}

static void
put_field(struct buf *t, const char *name, const char *value)
{
	buf_put_string(t, name);
	buf_put(t, SLICE(": "));
	buf_put_string(t, value);
	buf_put(t, SLICE("\r\n"));
}

static void
put_header(struct buf *t, const struct outcome *outcome, size_t length)
{
	buf_put(t, SLICE("Status: "));
	buf_put_number(t, (uint64_t)outcome->status);
	buf_put(t, SLICE(" "));
	buf_put_string(t, phrase_of(outcome->status));
	buf_put(t, SLICE("\r\n"));
	put_field(t, "Content-Type", "application/json");
	if (outcome->status == 401)
		put_field(
		    t, "WWW-Authenticate", "Basic realm=\"logplex-statsd\"");
	if (outcome->allow != NULL)
		put_field(t, "Allow", outcome->allow);
	buf_put(t, SLICE("Content-Length: "));
	buf_put_number(t, length);
	buf_put(t, SLICE("\r\n\r\n"));
}

void
answer_put(struct buf *answer, const struct request *request,
    const struct tally *tally, const struct outcome *outcome,
    struct timespec now)
{
	char buf[ANSWER_MAX];
	struct buf body = BUF_IN(buf);

	if (outcome->status == 200)
		put_ping(&body, now);
	else if (outcome->status == 201)
		put_counts(&body, tally, outcome);
	else
		put_error(&body, outcome);
	put_header(answer, outcome, body.len);
	if (!slice_equal(request->method, SLICE("HEAD")))
		buf_put(answer, buf_slice(&body));
}
