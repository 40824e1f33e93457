#ifndef PORTCULLIS_JSON_OUTPUT_H
#define PORTCULLIS_JSON_OUTPUT_H

#include <jansson.h>
#include <stdint.h>
#include <time.h>

/* How all JSON is printed: in ASCII. */
#define JSON_OUTPUT_FLAGS JSON_ENSURE_ASCII

/* Prints a value to standard output and drops the reference to it. */
void json_print(json_t *value);

/* What was recorded: milliseconds since 1970 as "2024-09-20T08:15:02.123Z" (RFC 3339). */
#define UTC_TEXT_SIZE sizeof("-2147481748-01-01T00:00:00.000Z")
const char *utc_format(int64_t time, char text_r[static UTC_TEXT_SIZE]);

/* A date that an operator set, which is of local time: "2024-09-20T00:00:00+02:00" (RFC
   3339), "always", or NULL for SCHEDULE_NEVER. */
#define JSON_DATE_TEXT_SIZE sizeof("-2147481748-01-01T00:00:00+00:00")
const char *json_date_format(time_t date, char text_r[static JSON_DATE_TEXT_SIZE]);

/* The same as a string, or null. */
json_t *json_date(time_t date);

#endif
