#include "line-reader.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

/* Room for the longest line and its newline, and for others to be read with it. */
#define BUFFER_SIZE (2 * LINE_LENGTH_MAX)

struct line_reader {
	line_source *source;
	void *context;
	int descriptor;    /* of the files that it reads by itself */
	uint64_t position; /* in the file, of the byte at begin */
	size_t begin, end; /* of what is read and not yet given */
	char buffer[BUFFER_SIZE];
};

struct line_reader *line_reader_create(void)
{
	return g_new(struct line_reader, 1);
}

void line_reader_free(struct line_reader *reader)
{
	g_free(reader);
}

static void begin(struct line_reader *reader, line_source *source, void *context, uint64_t position)
{
	reader->source = source;
	reader->context = context;
	reader->position = position;
	reader->begin = 0;
	reader->end = 0;
}

static ssize_t read_descriptor(void *context, char *buffer, size_t size, uint64_t position)
{
	const struct line_reader *reader = context;
	ssize_t length;

	do {
		length = pread(reader->descriptor, buffer, size, (off_t)position);
	} while (length < 0 && errno == EINTR);
	return length;
}

void line_reader_begin(struct line_reader *reader, int descriptor, uint64_t position)
{
	reader->descriptor = descriptor;
	begin(reader, read_descriptor, reader, position);
}

void line_reader_begin_source(struct line_reader *reader, line_source *source, void *context)
{
	begin(reader, source, context, 0);
}

uint64_t line_reader_position(const struct line_reader *reader)
{
	return reader->position;
}

/* Makes room for more behind what is there. */
static void move_to_front(struct line_reader *reader)
{
	memmove(reader->buffer, reader->buffer + reader->begin, reader->end - reader->begin);
	reader->end -= reader->begin;
	reader->begin = 0;
}

/* Reads behind what is there: 1 more came, 0 the file ends, -1 error. */
static int read_more(struct line_reader *reader)
{
	ssize_t length;

	move_to_front(reader);
	length = reader->source(reader->context, reader->buffer + reader->end,
				BUFFER_SIZE - reader->end, reader->position + reader->end);
	if (length > 0)
		reader->end += (size_t)length;
	return length > 0 ? 1 : (int)length;
}

/* Finds the newline of a line whose first LINE_LENGTH_MAX bytes were read, in a part of the
   buffer behind them, where it leaves what comes after it: 1 found, 0 the file ends, -1
   error. *length_r: how long the line is without it. */
static int find_end(struct line_reader *reader, uint64_t *length_r)
{
	size_t rest = reader->begin + LINE_LENGTH_MAX;
	uint64_t passed = LINE_LENGTH_MAX;

	for (;;) {
		const char *text = reader->buffer + rest;
		const char *newline = memchr(text, '\n', reader->end - rest);
		ssize_t length;

		if (newline != NULL) {
			*length_r = passed + (uint64_t)(newline - text);
			reader->begin = (size_t)(newline + 1 - reader->buffer);
			return 1;
		}
		passed += reader->end - rest;
		reader->end = rest;
		length = reader->source(reader->context, reader->buffer + rest, BUFFER_SIZE - rest,
					reader->position + passed);
		if (length <= 0)
			return (int)length;
		reader->end += (size_t)length;
	}
}

static enum line_kind next_long_line(struct line_reader *reader, const char **text_r,
				     size_t *length_r)
{
	uint64_t length = 0;
	int found;

	move_to_front(reader);
	*text_r = reader->buffer;
	*length_r = LINE_LENGTH_MAX;
	found = find_end(reader, &length);
	if (found > 0) {
		reader->position += length + 1;
		return LINE_CUT;
	}
	/* What lay behind was overwritten. */
	reader->end = reader->begin;
	return found == 0 ? LINE_HALF : LINE_ERROR;
}

enum line_kind line_reader_next(struct line_reader *reader, const char **text_r, size_t *length_r)
{
	size_t searched = 0;

	for (;;) {
		char *text = reader->buffer + reader->begin;
		size_t available = reader->end - reader->begin;
		char *newline = memchr(text + searched, '\n', available - searched);
		int more;

		*text_r = text;
		*length_r = available;
		if (newline != NULL) {
			*length_r = (size_t)(newline - text);
			reader->begin += *length_r + 1;
			reader->position += *length_r + 1;
			if (*length_r <= LINE_LENGTH_MAX)
				return LINE_WHOLE;
			*length_r = LINE_LENGTH_MAX;
			return LINE_CUT;
		}
		if (available > LINE_LENGTH_MAX)
			return next_long_line(reader, text_r, length_r);
		searched = available;
		more = read_more(reader);
		if (more < 0)
			return LINE_ERROR;
		*text_r = reader->buffer + reader->begin;
		if (more == 0)
			return available == 0 ? LINE_NONE : LINE_HALF;
	}
}
