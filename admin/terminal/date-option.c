#include "date-option.h"

#include "command-options.h"

bool date_option(const char *command, const char *option, const char *value, time_t *time_r)
{
	const char *error = "a date is YYYY-MM-DD or YYYY-MM-DD HH:MM";

	if (value == NULL || (date_parse(value, time_r, &error) && *time_r != SCHEDULE_ALWAYS))
		return true;
	usage_error(command, "--%s: %s", option, error);
	return false;
}
