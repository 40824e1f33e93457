#ifndef PORTCULLIS_JSON_OUTPUT_H
#define PORTCULLIS_JSON_OUTPUT_H

#include <jansson.h>
#include <stdint.h>

/* Prints a value to standard output, in ASCII, and drops the reference to it. */
void json_print(json_t *value);

/* Prints an array whose elements come one by one, so that a long one is never
   in memory as a whole. */
struct json_array_printer {
	size_t count;
};
void json_array_begin(struct json_array_printer *printer);
void json_array_element(struct json_array_printer *printer, json_t *element);
void json_array_end(struct json_array_printer *printer);

/* Milliseconds since 1970 as "2024-09-20T08:15:02.123Z" (RFC 3339). */
#define UTC_TEXT_SIZE sizeof("-2147481748-01-01T00:00:00.000Z")
const char *utc_format(int64_t time, char text_r[static UTC_TEXT_SIZE]);

#endif
