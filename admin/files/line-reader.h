#ifndef PORTCULLIS_LINE_READER_H
#define PORTCULLIS_LINE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Reads a file line by line in bounded memory, whatever it holds. */
struct line_reader;

/* Longer lines come cut to this length. */
#define LINE_LENGTH_MAX ((size_t)256 << 10)

enum line_kind {
	LINE_WHOLE,
	LINE_CUT,  /* its end was passed over */
	LINE_HALF, /* the file ends within it; it is not passed over */
	LINE_NONE, /* the file ends here */
	LINE_ERROR /* errno is set */
};

struct line_reader *line_reader_create(void);
void line_reader_free(struct line_reader *reader);

/* Goes on with another file, which stays the caller's, or at another place. */
void line_reader_begin(struct line_reader *reader, int descriptor, uint64_t position);

/* Reads at most that many bytes into the buffer, from a position of the file: where the last
   call ended, or, after LINE_HALF, once more from where the line begins. Returns how many, 0
   when it ends there, -1 with errno set. */
typedef ssize_t line_source(void *context, char *buffer, size_t size, uint64_t position);

/* Goes on with what a function reads, from position 0. */
void line_reader_begin_source(struct line_reader *reader, line_source *source, void *context);

/* The next line without its newline; *text_r lives until the next call. */
enum line_kind line_reader_next(struct line_reader *reader, const char **text_r, size_t *length_r);

/* Where the next line begins. */
uint64_t line_reader_position(const struct line_reader *reader);

#endif
