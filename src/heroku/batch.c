#include "heroku/batch.h"

#include "logplex/syslog_msg.h"

enum frame_result
batch_next(struct batch *batch, const struct heroku_rules *rules,
    struct batch_message *message)
{
	struct syslog_msg parsed;
	enum frame_result result;

	frame_skip_newlines(&batch->rest);
	message->number++;
	message->offset = slice_offset(batch->body, batch->rest);
	result = frame_take(&batch->rest, &message->text);
	if (result != FRAME_OK)
		return result;
	message->skipped = !syslog_msg_parse(message->text, &parsed);
	if (!message->skipped) {
		message->text = parsed.msg;
		message->verdict = heroku_judge(&parsed, rules, &message->code);
	}
	return FRAME_OK;
}

void
batch_tally(const struct batch_message *message, struct tally *tally)
{
	tally->messages++;
	if (message->skipped)
		tally->skipped++;
	else if (heroku_counts(message->verdict))
		tally_add(tally, &message->code);
}

enum frame_result
batch_count(struct slice body, const struct heroku_rules *rules,
    struct tally *tally, struct batch_message *message)
{
	struct batch batch = batch_of(body);
	enum frame_result result;

	*message = (struct batch_message){0};
	while ((result = batch_next(&batch, rules, message)) == FRAME_OK)
		batch_tally(message, tally);
	return result;
}
