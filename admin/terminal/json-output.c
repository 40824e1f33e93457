#include "json-output.h"

#include <stdio.h>
#include <time.h>

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
