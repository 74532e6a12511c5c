#include "cli/heroku_logs.h"

#include "base/ascii.h"

/* The form "2024-01-01T", with any digits. */
static bool
starts_with_date(struct slice s)
{
	static const char shape[] = "0000-00-00T";

	if (s.len < sizeof(shape) - 1)
		return false;
	for (size_t i = 0; i < sizeof(shape) - 1; i++)
		if (shape[i] == '0' ? !ascii_is_digit(s.ptr[i])
				    : s.ptr[i] != shape[i])
			return false;
	return true;
}

bool
heroku_logs_is(struct slice text)
{
	return starts_with_date(text);
}

bool
heroku_logs_read(struct slice line, struct syslog_msg *out)
{
	struct slice timestamp;

	if (!starts_with_date(line) || !slice_cut(&line, ' ', &timestamp) ||
	    !slice_cut(&line, '[', &out->app_name) ||
	    !slice_cut(&line, ']', &out->procid) ||
	    !slice_take(&line, SLICE(":")))
		return false;
	slice_take(&line, SLICE(" "));
	out->msg = line;
	return out->app_name.len > 0 && out->procid.len > 0 &&
	    !slice_contains(out->app_name, ' ') &&
	    !slice_contains(out->procid, ' ');
}
