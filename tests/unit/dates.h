#ifndef PORTCULLIS_TESTS_DATES_H
#define PORTCULLIS_TESTS_DATES_H

#include "policy/schedule.h"

static inline time_t date(const char *text)
{
	const char *error = NULL;
	time_t time;

	if (!date_parse(text, &time, &error))
		fail_msg("%s: %s", text, error);
	return time;
}

#endif
