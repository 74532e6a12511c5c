#include "check.h"

#include "cluster.h"

static void
print_collector(size_t number, const struct statsd_uri *uri, FILE *out)
{
	char buf[HOST_MAX + 32];
	struct text address = TEXT_IN(buf);

	statsd_uri_put_address(&address, uri);
	fprintf(out, "collector %zu: %.*s, %s%.*s, %s", number,
	    SLICE_ARG(text_slice(&address)),
	    uri->prefix_len > 0 ? "prefix " : "no prefix",
	    SLICE_ARG(statsd_uri_prefix(uri)),
	    uri->key_len > 0 ? "signed" : "not signed");
	if (uri->datagram > 0)
		fprintf(out, ", lines packed into %zu bytes", uri->datagram);
	if (uri->backdate > 0)
		fprintf(out, ", backdated by %u s", uri->backdate);
	fputc('\n', out);
}

static void
print_applications(const struct credentials *c, FILE *out)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct application *a = &c->applications[i];

		fprintf(out, "application %.*s: credentials of its own%s\n",
		    APP_MAX, a->name,
		    a->credentials[CREDENTIALS_PREVIOUS].set
			? ", previous ones accepted too"
			: "");
	}
	fprintf(out, "all %sapplications: %s%s\n", c->count > 0 ? "other " : "",
	    c->shared[CREDENTIALS_CURRENT].set ? "API_SECRET"
					       : "refused, no API_SECRET",
	    c->shared[CREDENTIALS_PREVIOUS].set
		? ", API_PREVIOUS_SECRET accepted too"
		: "");
}

static void
print_users(const struct credentials *c, FILE *out)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->applications[i].user.len > 0)
			fprintf(out,
			    "application %.*s: the user of its credentials\n",
			    APP_MAX, c->applications[i].name);
	fputs("all other applications: the user with the application's name\n",
	    out);
}

static void
print_rules(const struct config *config, FILE *out)
{
	fprintf(out, "passwords: checked by %s\n",
	    config->remote_user ? "the web server (AUTH=remote-user)"
				: "this program (AUTH=self)");
	fprintf(out, "router lines that count:%s%s%s\n",
	    config->rules.levels & HEROKU_LEVEL_ERROR ? " at=error" : "",
	    config->rules.levels & HEROKU_LEVEL_WARNING ? " at=warning" : "",
	    config->rules.levels & HEROKU_LEVEL_INFO ? " at=info" : "");
	fprintf(out, "lines of applications that look like errors: %s\n",
	    config->rules.platform_only ? "not counted (PLATFORM_ONLY=1)"
					: "counted");
	if (config->base_path.len > 0)
		fprintf(out, "base path: %.*s\n", SLICE_ARG(config->base_path));
}

/* What has to hold outside this program, where it cannot look. */
static void
warn_of_trust(const struct config *config, FILE *err)
{
	if (!config->remote_user)
		return;
	fputs("warning: AUTH=remote-user takes the web server's word for who "
	      "a client is: it must check the password of every request, and "
	      "nothing else may reach this program's socket "
	      "(docs/web-servers.md)\n",
	    err);
	if (config->credentials.shared[CREDENTIALS_CURRENT].set)
		fputs("warning: API_SECRET has no effect with "
		      "AUTH=remote-user\n",
		    err);
}

bool
check(const struct config *config, struct text *faults, FILE *out, FILE *err)
{
	static struct cluster cluster;

	cluster_open(&cluster, config);
	cluster_look_up(&cluster, faults);
	if (faults->len > 0) {
		fwrite(faults->ptr, 1, faults->len, err);
		return false;
	}
	if (config->default_cluster)
		fputs("METRICS_CLUSTER is not set; using its default\n", out);
	for (size_t i = 0; i < config->collector_count; i++)
		print_collector(i + 1, &config->collectors[i], out);
	if (config->remote_user)
		print_users(&config->credentials, out);
	else
		print_applications(&config->credentials, out);
	print_rules(config, out);
	warn_of_trust(config, err);
	return true;
}
