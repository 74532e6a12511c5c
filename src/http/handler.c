#include "http/handler.h"

#include "base/ascii.h"
#include "auth/credentials.h"

enum route { ROUTE_NONE, ROUTE_PING, ROUTE_LOGS };

bool
handler_is_app(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_is_alnum(s.ptr[i]) && s.ptr[i] != '_' &&
		    s.ptr[i] != '-')
			return false;
	return s.len > 0 && s.len <= APP_MAX;
}

/* Slashes at the end are ignored. */
static enum route
route_of(struct slice path, struct slice *app)
{
	while (path.len > 0 && path.ptr[path.len - 1] == '/')
		path = slice_head(path, path.len - 1);
	if (slice_equal(path, SLICE("/_ping")))
		return ROUTE_PING;
	if (slice_take(&path, SLICE("/")) && slice_cut(&path, '/', app) &&
	    handler_is_app(*app) && slice_equal(path, SLICE("logs")))
		return ROUTE_LOGS;
	*app = (struct slice){0};
	return ROUTE_NONE;
}

static struct slice
without_base(struct slice path, struct slice base)
{
	struct slice rest = path;

	if (slice_take(&rest, base) && slice_starts_with(rest, SLICE("/")))
		return rest;
	return path;
}

/*
 * Servers split a path into SCRIPT_NAME and PATH_INFO in several ways:
 * correctly, at the wrong slash, or not at all.  PATH_INFO is used if it is a
 * whole route by itself, otherwise both together.
 */
static enum route
find_route(const struct config *config, const struct request *request,
    struct outcome *out)
{
	struct buf text = BUF_IN(out->path_buf);
	enum route route;

	buf_put(&text, request->path_info);
	out->path = without_base(buf_slice(&text), config->base_path);
	route = text.truncated ? ROUTE_NONE : route_of(out->path, &out->app);
	if (route != ROUTE_NONE)
		return route;
	text = BUF_IN(out->path_buf);
	buf_put(&text, request->script_name);
	buf_put(&text, request->path_info);
	out->path = without_base(buf_slice(&text), config->base_path);
	return text.truncated ? ROUTE_NONE : route_of(out->path, &out->app);
}

static const char *
judge_password(const struct credentials *c, const struct request *request,
    struct slice app)
{
	if (credentials_accept(c, app, request->authorization))
		return NULL;
	return credentials_refusal(c, app, request->authorization);
}

static const char *
judge_user(const struct credentials *c, const struct request *request,
    struct slice app)
{
	if (request->remote_user.len == 0 ||
	    !slice_equal_nocase(request->auth_type, SLICE("Basic")))
		return "the web server has verified no user: it must set "
		       "REMOTE_USER, and AUTH_TYPE to Basic";
	if (!credentials_accept_user(c, app, request->remote_user))
		return "this user may not write to this application";
	return NULL;
}

static bool
is_logplex(struct slice content_type)
{
	struct slice media_type;

	if (!slice_cut(&content_type, ';', &media_type))
		media_type = content_type;
	return slice_equal_nocase(
	    slice_trim(media_type), SLICE("application/logplex-1"));
}

static bool
is_encoded(struct slice content_encoding)
{
	content_encoding = slice_trim(content_encoding);
	return content_encoding.len > 0 &&
	    !slice_equal_nocase(content_encoding, SLICE("identity"));
}

static int
refuse(struct outcome *out, int status, const char *reason)
{
	out->reason = reason;
	return status;
}

static int
refuse_method(struct outcome *out, const char *allow)
{
	out->allow = allow;
	return refuse(out, 405, "this path does not allow that method");
}

static int
decide_ping(const struct request *request, struct outcome *out)
{
	if (slice_equal(request->method, SLICE("GET")) ||
	    slice_equal(request->method, SLICE("HEAD")))
		return 200;
	return refuse_method(out, "GET, HEAD");
}

static int
decide_framing(const struct config *config, const struct request *request,
    struct tally *tally, struct outcome *out)
{
	enum frame_result result =
	    batch_count(request->body, &config->rules, tally, &out->fault);

	return result == FRAME_END ? 201
				   : refuse(out, 422, frame_reason(result));
}

/* For a refused batch, only the refusal counts. */
static void
tally_refusal(const struct config *config, struct tally *tally)
{
	tally_reset(tally);
	if (config->rules.families & FAMILY_BIT(FAMILY_DRAIN))
		tally_count(tally, METRIC_REFUSED, 1);
}

static int
decide_logs(const struct config *config, const struct request *request,
    struct tally *tally, struct outcome *out)
{
	if (!slice_equal(request->method, SLICE("POST")))
		return refuse_method(out, "POST");
	out->cause = (config->remote_user ? judge_user : judge_password)(
	    &config->credentials, request, out->app);
	if (out->cause != NULL)
		return refuse(out, 401,
		    "missing or wrong credentials for this application");
	out->authorised = true;
	if (!is_logplex(request->content_type))
		return refuse(
		    out, 415, "the content type must be application/logplex-1");
	if (is_encoded(request->content_encoding))
		return refuse(
		    out, 415, "the body must not have a content encoding");
	if (request->body_state == BODY_CUT)
		return refuse(out, 503,
		    "the body did not arrive whole; nothing was counted");
	if (request->body_state == BODY_TOO_LONG)
		return refuse(out, 413, "the body is longer than 8 MiB");
	return decide_framing(config, request, tally, out);
}

void
handler_decide(const struct config *config, const struct request *request,
    struct tally *tally, struct outcome *outcome)
{
	memset(outcome, 0, offsetof(struct outcome, path_buf));
	switch (find_route(config, request, outcome)) {
	case ROUTE_PING:
		outcome->status = decide_ping(request, outcome);
		break;
	case ROUTE_LOGS:
		outcome->status = decide_logs(config, request, tally, outcome);
		if (outcome->authorised && outcome->status != 201)
			tally_refusal(config, tally);
		break;
	case ROUTE_NONE:
		outcome->status = refuse(
		    outcome, 404, "the paths are /<app>/logs and /_ping");
		break;
	}
}

void
handler_withdraw(struct outcome *outcome, enum obstacle obstacle)
{
	static const struct {
		int status;
		const char *reason;
	} rows[] = {
	    [OBSTACLE_FAULTS] = {500,
		"the configuration has faults; the log names them"},
	    [OBSTACLE_BUSY] = {503,
		"another process is counting the same batch"},
	    [OBSTACLE_HUNG_UP] = {503,
		"the client has disconnected; nothing was counted"},
	};

	outcome->status =
	    refuse(outcome, rows[obstacle].status, rows[obstacle].reason);
}
