#include "serve/deliver.h"

#include "base/clock.h"
#include "base/log.h"
#include "statsd/send.h"

/* Only a process that serves a single request looks up the names this late. */
static bool
look_up_names(struct service *service)
{
	static char buf[FAULTS_MAX];
	struct buf faults = BUF_IN(buf);
	bool usable = cluster_look_up(&service->cluster, &faults);

	log_reasons(LOG_ERROR, "fault", buf_slice(&faults));
	return usable;
}

/*
 * Logs samples beyond the ceilings: at most one line a minute, for all
 * applications together.
 */
static void
log_left_out(struct service *service, struct slice app, size_t samples)
{
	int64_t now = clock_ms();
	struct log_line line;

	if (samples == 0 ||
	    (service->left_out_logged != 0 &&
		now - service->left_out_logged < SEND_LOG_INTERVAL_MS))
		return;
	service->left_out_logged = now;
	log_begin(&line, LOG_WARNING, "left-out");
	log_word(&line, "app", app);
	log_number(&line, "samples", samples);
	log_quoted(&line, "reason",
	    SLICE("a request may hold 8192 names, 100 of them custom, and "
		  "65536 timer values"));
	log_end(&line);
}

static void
send_counts(struct service *service, struct slice app,
    const struct tally *tally, _Atomic uint32_t *handed)
{
	const struct counting *counting = &service->config->counting;

	send_tally(&service->cluster, counting_name(counting, app),
	    counting->tags, tally, handed);
	log_left_out(service, app, tally->left_out);
}

/* Sends the tally of samples that are not part of a batch. */
static void
send_apart(struct service *service, struct slice app)
{
	_Atomic uint32_t none = 0;

	send_counts(service, app, &service->part, &none);
}

/* Takes the batch's first message; returns whether it is an L10. */
static bool
take_l10(const struct service *service, struct batch *batch,
    struct batch_message *message)
{
	struct error_code code;

	return service->tally.errors > 0 &&
	    batch_next(batch, message) == FRAME_OK && !message->skipped &&
	    error_counts(
		error_judge(&message->header, syslog_msg_text(&message->header),
		    &service->config->rules.errors, &code)) &&
	    slice_equal(error_code_slice(&code), SLICE("L10"));
}

/*
 * Sends the batch as it first came, without a new L10: some of exactly these
 * datagrams may already have been sent.
 */
static void
send_batch(struct service *service, struct slice app, struct slice rest,
    bool new_l10, _Atomic uint32_t *handed)
{
	struct batch_message message;

	if (!new_l10) {
		send_counts(service, app, &service->tally, handed);
		return;
	}
	tally_reset(&service->part);
	batch_count(rest, &service->config->rules, &service->part, &message);
	send_counts(service, app, &service->part, handed);
}

/*
 * What counts for a batch that was counted before: the repetition itself, and a
 * new L10.
 */
static void
send_repeat(struct service *service, const struct outcome *outcome,
    const struct batch_message *new_l10)
{
	const struct heroku_rules *rules = &service->config->rules;

	tally_reset(&service->part);
	if (new_l10 != NULL)
		batch_tally(new_l10, rules, &service->part);
	if (outcome->duplicate && (rules->families & FAMILY_BIT(FAMILY_DRAIN)))
		tally_count(&service->part, METRIC_DUPLICATES, 1);
	send_apart(service, outcome->app);
}

/*
 * An L10 at the front is new if the batch did not begin with one when it first
 * came: Logplex may add one at each try.  Each step is noted before it is
 * taken, as the process may die in between.
 */
static void
send_once(struct service *service, const struct request *request,
    struct outcome *outcome, enum frames_state state,
    struct frames_claim *claim)
{
	struct batch batch = batch_of(request->body);
	struct batch_message first = {0};
	bool l10 = take_l10(service, &batch, &first), new_l10;

	if (state == FRAMES_NEW)
		frames_set_l10(claim, l10);
	new_l10 = l10 && !frames_has_l10(claim);
	outcome->duplicate = state == FRAMES_COUNTED;
	if (!outcome->duplicate)
		send_batch(service, outcome->app, batch.rest, new_l10,
		    &claim->entry->handed);
	frames_enter(claim);
	if (new_l10)
		frames_set_l10(claim, true);
	if (outcome->duplicate || new_l10)
		send_repeat(service, outcome, new_l10 ? &first : NULL);
}

/*
 * Sends the codes of ZEROS if they are due, except those that the batch counts.
 */
static void
send_zeros(struct service *service, struct slice app)
{
	const struct counting *c = &service->config->counting;

	if (c->zero_count == 0 || !zeros_take(&service->zeros, app, clock_ms()))
		return;
	tally_reset(&service->part);
	counting_tally_zeros(c, &service->tally, &service->part);
	send_apart(service, app);
}

/* Whether there is, or may be, something to send. */
static bool
needs_names(const struct service *service)
{
	return service->config->counting.zero_count > 0 ||
	    !tally_is_empty(&service->tally);
}

void
deliver(struct service *service, const struct request *request,
    const struct transport *transport, struct outcome *outcome)
{
	struct frames_claim claim;
	enum frames_state state;

	if (needs_names(service) && !look_up_names(service)) {
		handler_withdraw(outcome, OBSTACLE_FAULTS);
		return;
	}
	state = frames_claim(
	    &service->frames, outcome->app, request->frame_id, &claim);
	if (state == FRAMES_BUSY) {
		handler_withdraw(outcome, OBSTACLE_BUSY);
		return;
	}
	if (transport->hung_up(transport->context)) {
		handler_withdraw(outcome, OBSTACLE_HUNG_UP);
	} else {
		send_once(service, request, outcome, state, &claim);
		if (!outcome->duplicate)
			send_zeros(service, outcome->app);
	}
	frames_release(&claim);
}

void
deliver_refusal(struct service *service, const struct outcome *outcome)
{
	_Atomic uint32_t none = 0;

	if (!tally_is_empty(&service->tally) && look_up_names(service))
		send_counts(service, outcome->app, &service->tally, &none);
}
