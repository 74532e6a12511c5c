#include "config/faults.h"

#include "base/log.h"

void
faults_log(struct slice faults)
{
	struct slice line;

	while (slice_take_element(&faults, '\n', &line))
		log_reason(LOG_ERROR, "fault", line);
}
