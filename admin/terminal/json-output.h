#ifndef PORTCULLIS_JSON_OUTPUT_H
#define PORTCULLIS_JSON_OUTPUT_H

#include <jansson.h>
#include <stdint.h>

/* How all JSON is printed: in ASCII. */
#define JSON_OUTPUT_FLAGS JSON_ENSURE_ASCII

/* Prints a value to standard output and drops the reference to it. */
void json_print(json_t *value);

/* Milliseconds since 1970 as "2024-09-20T08:15:02.123Z" (RFC 3339). */
#define UTC_TEXT_SIZE sizeof("-2147481748-01-01T00:00:00.000Z")
const char *utc_format(int64_t time, char text_r[static UTC_TEXT_SIZE]);

#endif
