#include "serve/exchange.h"

#include "http/answer.h"
#include "http/handler.h"
#include "http/request.h"
#include "serve/capture.h"
#include "serve/deliver.h"

void
exchange_open(struct service *service, const struct config *config)
{
	service->config = config;
	cluster_open(
	    &service->cluster, config->collectors, config->collector_count);
	if (!config->count_duplicates)
		frames_open(&service->frames, config->frames_file);
}

void
exchange_close(struct service *service)
{
	cluster_close(&service->cluster);
}

/* Reads and discards up to limit bytes; returns how many there were, or -1. */
static ssize_t
skip(const struct transport *transport, size_t limit)
{
	char scratch[8192];
	size_t total = 0, want;
	ssize_t got;

	do {
		want = limit - total < sizeof(scratch) ? limit - total
						       : sizeof(scratch);
		got = transport->read(transport->context, scratch, want);
		if (got < 0)
			return -1;
		total += (size_t)got;
	} while ((size_t)got == want && total < limit);
	return (ssize_t)total;
}

/*
 * A refused body is read to its end too: an unread one would reset the
 * connection before the answer arrives.
 */
static void
read_body(struct service *service, struct request *request,
    const struct transport *transport)
{
	size_t length = SIZE_MAX;
	bool known = request_length(request, &length);
	ssize_t got, rest = 0;

	got = transport->read(transport->context, service->body,
	    length < BODY_MAX ? length : BODY_MAX);
	if (got == (ssize_t)BODY_MAX && length > BODY_MAX)
		rest = skip(transport, length - BODY_MAX);
	if (got < 0 || rest < 0 || (known && (size_t)(got + rest) < length))
		request->body_state = BODY_CUT;
	else if (rest > 0)
		request->body_state = BODY_TOO_LONG;
	else
		request->body = (struct slice){service->body, (size_t)got};
}

static void
log_refusal(const struct outcome *outcome)
{
	struct log_line line;

	log_begin(&line, LOG_WARNING, "refused");
	log_number(&line, "status", (uint64_t)outcome->status);
	if (outcome->app.len > 0)
		log_word(&line, "app", outcome->app);
	else
		log_quoted(&line, "path", outcome->path);
	log_quoted(&line, "reason",
	    slice_of(
		outcome->cause != NULL ? outcome->cause : outcome->reason));
	if (outcome->status == 422) {
		log_number(&line, "offset", outcome->fault.offset);
		log_number(&line, "message", outcome->fault.number);
	}
	log_end(&line);
}

static void
log_duplicate(const struct outcome *outcome)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, "duplicate");
	log_word(&line, "app", outcome->app);
	log_end(&line);
}

static void
log_skipped(struct slice app, const struct batch_message *message)
{
	struct log_line line;

	log_begin(&line, LOG_DEBUG, "skipped");
	log_word(&line, "app", app);
	log_number(&line, "message", message->number);
	log_number(&line, "offset", message->offset);
	log_quoted(&line, "text", slice_head(message->syslog_msg, 80));
	log_end(&line);
}

static void
log_more_skipped(struct slice app, size_t more)
{
	struct log_line line;

	log_begin(&line, LOG_DEBUG, "skipped");
	log_word(&line, "app", app);
	log_number(&line, "more", more);
	log_end(&line);
}

static void
log_all_skipped(struct slice app, struct slice body, size_t skipped)
{
	struct batch batch = batch_of(body);
	struct batch_message message = {0};
	size_t shown = 0;

	while (
	    shown < LOG_SKIPPED_MAX && batch_next(&batch, &message) == FRAME_OK)
		if (message.skipped) {
			log_skipped(app, &message);
			shown++;
		}
	if (skipped > shown)
		log_more_skipped(app, skipped - shown);
}

static uint64_t
microseconds_since(struct timespec start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)(now.tv_sec - start.tv_sec) * 1000000 +
	    (uint64_t)(now.tv_nsec / 1000) - (uint64_t)(start.tv_nsec / 1000);
}

static void
log_request(const struct request *request, const struct outcome *outcome,
    struct timespec start)
{
	struct log_line line;

	log_begin(&line, LOG_DEBUG, "request");
	log_quoted(&line, "method", request->method);
	log_quoted(&line, "path", outcome->path);
	log_number(&line, "status", (uint64_t)outcome->status);
	log_number(&line, "us", microseconds_since(start));
	log_number(&line, "bytes", request->body.len);
	log_quoted(&line, "body", slice_head(request->body, LOG_BODY_MAX));
	log_end(&line);
}

static void
log_exchange(const struct service *service, const struct request *request,
    const struct outcome *outcome, struct timespec start)
{
	if (outcome->status >= 300)
		log_refusal(outcome);
	if (outcome->status == 422 && service->config->capture.len > 0)
		capture_keep(
		    service->config->capture, outcome->app, request->body);
	if (outcome->duplicate)
		log_duplicate(outcome);
	if (!log_enabled(LOG_DEBUG))
		return;
	if (outcome->status == 201 && service->tally.skipped > 0)
		log_all_skipped(
		    outcome->app, request->body, service->tally.skipped);
	log_request(request, outcome, start);
}

static void
write_answer(const struct transport *transport, const struct request *request,
    const struct tally *tally, const struct outcome *outcome)
{
	char buf[ANSWER_MAX];
	struct buf answer = BUF_IN(buf);
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	answer_put(&answer, request, tally, outcome, now);
	transport->write(transport->context, buf_slice(&answer));
}

void
exchange_run(struct service *service, char *const *variables,
    const struct transport *transport)
{
	struct request request;
	struct outcome outcome;
	struct timespec start;

	clock_gettime(CLOCK_MONOTONIC, &start);
	request_read(&request, variables);
	read_body(service, &request, transport);
	tally_reset(&service->tally);
	handler_decide(service->config, &request, &service->tally, &outcome);
	if (outcome.status == 201)
		deliver(service, &request, transport, &outcome);
	else if (outcome.authorised)
		deliver_refusal(service, &outcome);
	/*
	 * The log comes first: lighttpd ends a CGI process once it has the
	 * answer.
	 */
	log_exchange(service, &request, &outcome, start);
	write_answer(transport, &request, &service->tally, &outcome);
}

void
exchange_refuse(char *const *variables, const struct transport *transport)
{
	struct request request;
	struct outcome outcome = {0};
	size_t length = SIZE_MAX;

	request_read(&request, variables);
	request_length(&request, &length);
	skip(transport, length);
	handler_withdraw(&outcome, OBSTACLE_FAULTS);
	write_answer(transport, &request, NULL, &outcome);
}
