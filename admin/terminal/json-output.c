#include "json-output.h"

#include <stdio.h>
#include <time.h>

#define FLAGS JSON_ENSURE_ASCII

void json_print(json_t *value)
{
	json_dumpf(value, stdout, FLAGS | JSON_INDENT(2));
	putchar('\n');
	json_decref(value);
}

void json_array_begin(struct json_array_printer *printer)
{
	printer->count = 0;
	putchar('[');
}

void json_array_element(struct json_array_printer *printer, json_t *element)
{
	/* json_dumpf() would write each word of it by itself. */
	char text[4096];
	size_t length = json_dumpb(element, text, sizeof(text), FLAGS);

	fputs(printer->count++ == 0 ? "\n  " : ",\n  ", stdout);
	if (length <= sizeof(text))
		fwrite(text, 1, length, stdout);
	else
		json_dumpf(element, stdout, FLAGS);
	json_decref(element);
}

void json_array_end(struct json_array_printer *printer)
{
	puts(printer->count == 0 ? "]" : "\n]");
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
