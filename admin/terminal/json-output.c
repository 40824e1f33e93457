#include "json-output.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "display.h"
#include "policy/schedule.h"

void json_print(json_t *value)
{
	json_dumpf(value, stdout, JSON_OUTPUT_FLAGS | JSON_INDENT(2));
	putchar('\n');
	json_decref(value);
}

const char *utc_format(int64_t time, char text_r[static UTC_TEXT_SIZE])
{
	int64_t milliseconds = (time % 1000 + 1000) % 1000;
	time_t seconds = (time_t)((time - milliseconds) / 1000);
	struct tm utc;
	size_t length;

	if (gmtime_r(&seconds, &utc) == NULL) {
		text_r[0] = '\0';
		return text_r;
	}
	length = strftime(text_r, UTC_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text_r + length, UTC_TEXT_SIZE - length, ".%03dZ", (int)milliseconds);
	return text_r;
}

const char *json_date_format(time_t date, char text_r[static JSON_DATE_TEXT_SIZE])
{
	char offset[OFFSET_TEXT_SIZE];
	struct tm local;

	if (date == SCHEDULE_NEVER)
		return NULL;
	if (date == SCHEDULE_ALWAYS)
		return "always";
	if (localtime_r(&date, &local) == NULL)
		return NULL;
	strftime(text_r, JSON_DATE_TEXT_SIZE - OFFSET_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &local);
	return strcat(text_r, offset_format(date, offset));
}

json_t *json_date(time_t date)
{
	char text[JSON_DATE_TEXT_SIZE];
	const char *formatted = json_date_format(date, text);

	return formatted == NULL ? json_null() : json_string(formatted);
}
