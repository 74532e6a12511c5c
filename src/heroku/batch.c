#include "heroku/batch.h"

enum frame_result
batch_next(struct batch *batch, struct batch_message *message)
{
	enum frame_result result;

	frame_skip_newlines(&batch->rest);
	message->number++;
	message->offset = slice_offset(batch->body, batch->rest);
	result = frame_take(&batch->rest, &message->syslog_msg);
	if (result == FRAME_OK)
		message->skipped =
		    !syslog_msg_parse(message->syslog_msg, &message->header);
	return result;
}

struct heroku_reading
batch_tally(const struct batch_message *message,
    const struct heroku_rules *rules, struct tally *tally)
{
	tally->messages++;
	if (!message->skipped)
		return heroku_read(&message->header, rules, tally);
	tally->skipped++;
	return (struct heroku_reading){.verdict = ERROR_NOT_ONE};
}

void
batch_end(const struct heroku_rules *rules, struct tally *tally)
{
	if (!(rules->families & FAMILY_BIT(FAMILY_DRAIN)))
		return;
	tally_count(tally, METRIC_BATCHES, 1);
	tally_count(tally, METRIC_MESSAGES, tally->messages);
	tally_count(tally, METRIC_SKIPPED, tally->skipped);
}

enum frame_result
batch_count(struct slice body, const struct heroku_rules *rules,
    struct tally *tally, struct batch_message *message)
{
	struct batch batch = batch_of(body);
	enum frame_result result;

	*message = (struct batch_message){0};
	while ((result = batch_next(&batch, message)) == FRAME_OK)
		batch_tally(message, rules, tally);
	if (result == FRAME_END)
		batch_end(rules, tally);
	return result;
}
