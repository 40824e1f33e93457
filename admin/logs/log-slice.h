#ifndef PORTCULLIS_LOG_SLICE_H
#define PORTCULLIS_LOG_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* A part of a line, which is not copied: no NUL ends it, and there may be some within. */
struct log_slice {
	const char *text;
	size_t length;
};

static inline struct log_slice log_slice(const char *text)
{
	return (struct log_slice){text, strlen(text)};
}

static inline bool log_slice_equals(struct log_slice slice, const char *text)
{
	return slice.length == strlen(text) && memcmp(slice.text, text, strlen(text)) == 0;
}

static inline bool log_slice_begins(struct log_slice slice, const char *text)
{
	return slice.length >= strlen(text) && memcmp(slice.text, text, strlen(text)) == 0;
}

static inline bool log_slice_ends(struct log_slice slice, const char *text)
{
	size_t length = strlen(text);

	return slice.length >= length &&
	       memcmp(slice.text + slice.length - length, text, length) == 0;
}

/* What is behind the first count bytes. */
static inline struct log_slice log_slice_behind(struct log_slice slice, size_t count)
{
	return (struct log_slice){slice.text + count, slice.length - count};
}

#endif
