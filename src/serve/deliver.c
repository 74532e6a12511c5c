#include "serve/deliver.h"

#include "base/log.h"
#include "statsd/send.h"

/* The names are looked up late only in a process that serves one request. */
static bool
look_up_names(struct service *service)
{
	static char buf[FAULTS_MAX];
	struct buf faults = BUF_IN(buf);

	if (service->looked_up)
		return true;
	service->looked_up = true;
	cluster_look_up(&service->cluster, &faults);
	if (faults.len > 0)
		log_reasons(LOG_ERROR, "fault", buf_slice(&faults));
	return faults.len == 0;
}

/*
 * Whether the batch begins with an L10, in which Logplex reports what it has
 * dropped.  *first is that message, *rest what follows it.
 */
static bool
begins_with_l10(const struct service *service, struct slice body,
    struct slice *first, struct slice *rest)
{
	static const struct heroku_code l10 = {{'L', '1', '0', 0}, 3};
	struct batch batch = batch_of(body);
	struct batch_message message = {0};

	if (tally_count(&service->tally, &l10) == 0 ||
	    batch_next(&batch, &service->config->rules, &message) != FRAME_OK ||
	    message.skipped || !heroku_counts(message.verdict) ||
	    !slice_equal(
		heroku_code_slice(&message.code), heroku_code_slice(&l10)))
		return false;
	*first = slice_head(body, slice_offset(body, batch.rest));
	*rest = batch.rest;
	return true;
}

/* Counts and sends a part of a batch. */
static void
send_part(struct service *service, struct slice app, struct slice part,
    _Atomic uint32_t *handed)
{
	struct batch_message message;

	tally_reset(&service->part);
	batch_count(part, &service->config->rules, &service->part, &message);
	send_counters(&service->cluster, app, &service->part, handed);
}

/* An L10 in front is new if the batch did not begin with one when it came for
 * the first time: Logplex puts it there anew at each try. */
static void
send_once(struct service *service, struct slice body, struct outcome *outcome,
    enum frames_state state, struct frames_claim *claim)
{
	struct slice app = outcome->app, first, rest;
	bool l10 = begins_with_l10(service, body, &first, &rest);
	_Atomic uint32_t none = 0;
	bool new_l10;

	if (state == FRAMES_NEW)
		frames_set_l10(claim, l10);
	new_l10 = l10 && !frames_has_l10(claim);
	if (state != FRAMES_COUNTED && new_l10)
		send_part(service, app, rest, &claim->entry->handed);
	else if (state != FRAMES_COUNTED)
		send_counters(&service->cluster, app, &service->tally,
		    &claim->entry->handed);
	frames_enter(claim);
	if (new_l10) {
		frames_set_l10(claim, true);
		send_part(service, app, first, &none);
	}
}

void
deliver(struct service *service, const struct request *request,
    const struct transport *transport, struct outcome *outcome)
{
	struct frames_claim claim;
	enum frames_state state;

	if (service->tally.errors > 0 && !look_up_names(service)) {
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
		outcome->duplicate = state == FRAMES_COUNTED;
		send_once(service, request->body, outcome, state, &claim);
	}
	frames_release(&claim);
}
