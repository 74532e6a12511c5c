#include "cli/check.h"

#include "base/ascii.h"
#include "cli/probe.h"

/* statsd's own default, and that of this program. */
enum { STATSD_PORT = 8125, OUR_PORT = 8126 };

static void
print_collector(size_t number, const struct uri *uri, FILE *out)
{
	char buf[HOST_MAX + 32];
	struct buf address = BUF_IN(buf);

	uri_put_address(&address, uri);
	fprintf(out, "collector %zu: %.*s, %s%.*s, %s", number,
	    SLICE_ARG(buf_slice(&address)),
	    uri->prefix_len > 0 ? "prefix " : "no prefix",
	    SLICE_ARG(uri_prefix(uri)),
	    uri->key_len > 0 ? "signed" : "not signed");
	if (uri->datagram > 0)
		fprintf(out, ", lines packed into %zu bytes", uri->datagram);
	if (uri->backdate > 0)
		fprintf(out, ", backdated by %u s", uri->backdate);
	if (uri->dogstatsd)
		fputs(", tagged", out);
	fputc('\n', out);
}

/* A path may hold any byte, including terminal control codes. */
static void
print_path(struct slice path, FILE *out)
{
	for (; path.len > 0; path = slice_after(path, 1)) {
		char buf[sizeof("\\xHH")];
		struct buf visible = BUF_IN(buf);

		buf_put_visible(&visible, slice_head(path, 1));
		fwrite(visible.ptr, 1, visible.len, out);
	}
}

static void
print_probe(const struct probe *p, FILE *out)
{
	switch (p->result) {
	case PROBE_NOT_SENT:
		fprintf(out, "  a datagram could not be sent: %s\n", p->reason);
		break;
	case PROBE_REFUSED:
		fputs("  a datagram was sent and refused: nothing listens "
		      "there\n",
		    out);
		break;
	case PROBE_LISTENS:
		fputs("  a datagram was sent and not refused: something "
		      "listens there\n",
		    out);
		break;
	case PROBE_UNKNOWN:
		fputs("  a datagram was sent; there is no way to know whether "
		      "it arrived\n",
		    out);
		break;
	}
}

static void
print_collectors(const struct check *job, const struct cluster *cluster,
    const struct probe *probes)
{
	for (size_t i = 0; i < cluster->count; i++) {
		print_collector(i + 1, &job->config->collectors[i], job->out);
		if (job->send)
			print_probe(&probes[i], job->out);
	}
}

/* "MY_APP" as it probably appears in a drain's path: "my-app". */
static void
put_path_name(struct buf *t, struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i] == '_' ? '-' : name.ptr[i];

		if (ascii_is_upper(c))
			c = (char)(c - 'A' + 'a');
		buf_put(t, (struct slice){&c, 1});
	}
}

static void
print_url(const struct config *config, const char *credentials,
    struct slice name, FILE *out)
{
	fprintf(out, "  drain URL: https://%s@HOST", credentials);
	print_path(config->base_path, out);
	fprintf(out, "/%.*s/logs\n", SLICE_ARG(name));
}

static void
print_application_url(
    const struct config *config, const struct application *a, FILE *out)
{
	char buf[APP_MAX];
	struct buf name = BUF_IN(buf);

	put_path_name(&name, application_name(a));
	print_url(config, "USER:PASSWORD", buf_slice(&name), out);
	if (slice_contains(application_name(a), '_'))
		fputs("  (names that differ only in - and _ or in case "
		      "share these)\n",
		    out);
}

static void
print_application(
    const struct config *config, const struct application *a, FILE *out)
{
	fprintf(out, "application %.*s: has its own credentials%s\n",
	    SLICE_ARG(application_name(a)),
	    a->credentials[CREDENTIALS_PREVIOUS].set
		? ", previous ones are accepted too"
		: "");
	print_application_url(config, a, out);
}

static void
print_applications(const struct config *config, FILE *out)
{
	const struct credentials *c = &config->credentials;

	for (size_t i = 0; i < c->count; i++)
		print_application(config, &c->applications[i], out);
	fprintf(out, "all %sapplications: %s%s\n", c->count > 0 ? "other " : "",
	    c->shared[CREDENTIALS_CURRENT].set ? "API_SECRET"
					       : "refused, no API_SECRET",
	    c->shared[CREDENTIALS_PREVIOUS].set
		? ", API_PREVIOUS_SECRET accepted too"
		: "");
	if (c->shared[CREDENTIALS_CURRENT].set)
		print_url(
		    config, "drain:API_SECRET", SLICE("APPLICATION"), out);
}

static void
print_users(const struct config *config, FILE *out)
{
	const struct credentials *c = &config->credentials;

	for (size_t i = 0; i < c->count; i++) {
		const struct application *a = &c->applications[i];

		if (a->user.len == 0)
			continue;
		fprintf(out,
		    "application %.*s: the user named in its credentials\n",
		    SLICE_ARG(application_name(a)));
		print_application_url(config, a, out);
	}
	fputs("all other applications: the user with the application's name\n",
	    out);
	print_url(config, "APPLICATION:PASSWORD", SLICE("APPLICATION"), out);
}

static void
print_duplicates(const struct config *config, FILE *out)
{
	fputs("repeated batches: ", out);
	if (config->count_duplicates) {
		fputs("counted each time (DUPLICATES=count)\n", out);
	} else if (config->frames_file.len > 0) {
		fputs("counted once, remembered in ", out);
		print_path(config->frames_file, out);
		fputc('\n', out);
	} else {
		fputs("counted once within each process "
		      "(FRAMES_FILE is not set)\n",
		    out);
	}
}

static void
print_capture(const struct config *config, FILE *out)
{
	if (config->capture.len == 0)
		return;
	fputs("refused bodies: the last one is kept in ", out);
	print_path(config->capture, out);
	fputs(", with all that it holds\n", out);
}

static void
print_families(const struct config *config, FILE *out)
{
	for (int i = 0; i < METRIC_FAMILIES; i++)
		if (config->counting.families & FAMILY_BIT(i))
			fprintf(out,
			    "metrics: %.*s: for a batch of 100 requests, %s\n",
			    SLICE_ARG(metric_families[i].name),
			    metric_families[i].cost);
}

static void
print_naming(const struct config *config, FILE *out)
{
	const struct counting *c = &config->counting;

	for (size_t i = 0; i < c->prefix_count; i++)
		fprintf(out, "application %.*s: named %.*s in buckets\n",
		    SLICE_ARG(c->prefixes[i].variable),
		    SLICE_ARG(c->prefixes[i].prefix));
	if (c->tags.len > 0)
		fprintf(out, "tags of every tagged line: %.*s\n",
		    SLICE_ARG(c->tags));
	for (size_t i = 0; i < c->zero_count; i++)
		fprintf(out, "%s%.*s%s", i == 0 ? "zeros of: " : ", ",
		    SLICE_ARG(c->zeros[i]), i + 1 == c->zero_count ? "\n" : "");
}

static void
print_rules(const struct config *config, FILE *out)
{
	fprintf(out, "passwords: checked by %s\n",
	    config->remote_user ? "the web server (AUTH=remote-user)"
				: "this program (AUTH=self)");
	fprintf(out, "router lines that count:%s%s%s\n",
	    config->rules.errors.levels & ERROR_LEVEL_ERROR ? " at=error" : "",
	    config->rules.errors.levels & ERROR_LEVEL_WARNING ? " at=warning"
							      : "",
	    config->rules.errors.levels & ERROR_LEVEL_INFO ? " at=info" : "");
	fprintf(out, "application lines that look like errors: %s\n",
	    config->rules.errors.platform_only ? "not counted (PLATFORM_ONLY=1)"
					       : "counted");
	print_duplicates(config, out);
	print_capture(config, out);
	if (config->base_path.len > 0) {
		fputs("base path: ", out);
		print_path(config->base_path, out);
		fputc('\n', out);
	}
}

static void
put_port_warning(struct buf *t, size_t number, uint16_t port)
{
	buf_put(t, SLICE("collector "));
	buf_put_number(t, number);
	buf_put(t, SLICE(": nothing listens on port "));
	buf_put_number(t, port);
}

/* If the port is 8125 or 8126, the other one may be meant. */
static void
warn_of_port(struct buf *t, const struct collector *c, size_t number)
{
	uint16_t port = c->uri->port;
	uint16_t other = port == OUR_PORT ? STATSD_PORT : OUR_PORT;

	put_port_warning(t, number, port);
	if ((port == OUR_PORT || port == STATSD_PORT) &&
	    probe_other_port(c, other)) {
		buf_put(t, SLICE(", but something does on "));
		buf_put_number(t, other);
	} else if (port == OUR_PORT) {
		buf_put(t, SLICE("; is it 8125, statsd's default?"));
	}
	buf_put(t, SLICE("\n"));
}

static void
warn_of_backlog(struct buf *t, size_t limit)
{
	if (limit == 0 || limit >= BACKLOG)
		return;
	buf_put(t, SLICE("net.core.somaxconn is "));
	buf_put_number(t, limit);
	buf_put(t,
	    SLICE(": if more requests than that arrive at once, the web server "
		  "answers the rest with 5xx; set it to 1024 or more\n"));
}

static void
warn_of_system(const struct check *job, const struct cluster *cluster,
    const struct probe *probes, struct buf *t)
{
	if (job->exposure != NULL) {
		buf_put_string(t, job->exposure);
		buf_put(t, SLICE("\n"));
	}
	warn_of_backlog(t, job->backlog);
	for (size_t i = 0; job->send && i < cluster->count; i++)
		if (probes[i].result == PROBE_REFUSED)
			warn_of_port(t, &cluster->collectors[i], i + 1);
}

/* Returns their number. */
static size_t
print_warnings(const struct check *job, struct slice warnings)
{
	struct slice line;
	size_t n = 0;

	fflush(job->out);
	for (; slice_take_element(&warnings, '\n', &line); n++)
		fprintf(job->err, "warning: %.*s\n", SLICE_ARG(line));
	if (n == 0)
		fputs("no warnings\n", job->out);
	else
		fprintf(job->out, n == 1 ? "1 warning\n" : "%zu warnings\n", n);
	return n;
}

bool
check(const struct check *job, struct findings *findings)
{
	static struct cluster cluster;
	static struct probe probes[COLLECTORS_MAX];
	bool usable = findings->faults.len == 0;

	cluster_open(
	    &cluster, job->config->collectors, job->config->collector_count);
	usable &= cluster_look_up(&cluster, &findings->faults);
	if (!job->for_start)
		usable = findings->faults.len == 0;
	fwrite(findings->faults.ptr, 1, findings->faults.len, job->err);
	if (!usable)
		return false;
	if (job->send)
		probe_cluster(&cluster, probes);
	if (job->config->default_cluster)
		fputs("METRICS_CLUSTER is not set; using its default\n",
		    job->out);
	print_collectors(job, &cluster, probes);
	if (job->config->remote_user)
		print_users(job->config, job->out);
	else
		print_applications(job->config, job->out);
	print_rules(job->config, job->out);
	print_families(job->config, job->out);
	print_naming(job->config, job->out);
	warn_of_system(job, &cluster, probes, &findings->warnings);
	return print_warnings(job, buf_slice(&findings->warnings)) == 0 ||
	    !job->strict;
}
