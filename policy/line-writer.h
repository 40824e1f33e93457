#ifndef PORTCULLIS_LINE_WRITER_H
#define PORTCULLIS_LINE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Writes a line piece by piece into a buffer of the caller's. Lines are made on the
   way of a login, so nothing is allocated, and no printf: it would cost more than
   the decision that is told of. */
struct line_writer {
	char *text; /* not terminated */
	size_t size;
	size_t length;
	bool overflow; /* something had no room */
};

/* What has no room is cut off. */
void line_put(struct line_writer *line, const char *bytes, size_t length);

static inline void line_put_text(struct line_writer *line, const char *text)
{
	line_put(line, text, strlen(text));
}

/* In decimal, with zeros in front up to so many digits; at least 1, at most 20. */
void line_put_number(struct line_writer *line, unsigned long number, size_t digits);

/* As two digits, the letters small. */
void line_put_hex(struct line_writer *line, unsigned char byte);

#endif
