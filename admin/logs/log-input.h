#ifndef PORTCULLIS_LOG_INPUT_H
#define PORTCULLIS_LOG_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log-sources.h"

/* The lines of mail logs, file by file, packed or not, in bounded memory. Lines of one log
   come in its order: of those that a rotation renamed, the oldest file first. A file that is
   named twice is read once. */
struct log_input;

struct log_input *log_input_create(void);
void log_input_free(struct log_input *input);

/* Adds a file; of a directory, those that log-file-name.h takes for mail logs; "-" standard
   input; "journal" what mail servers wrote to this host's systemd journal; a file or directory
   of such a journal. False when there is no such thing: *problem_r, unless it is NULL, says so,
   with the name, and is freed with g_free(). */
bool log_input_add(struct log_input *input, const char *name, char **problem_r);

/* Adds what a host keeps: the mail logs of a directory, /var/log, or else its journal. As
   above. */
bool log_input_add_usual(struct log_input *input, const char *directory, char **problem_r);

/* Another reader of the file that the last line was of, from its beginning; NULL where it is none
   that can be read twice. */
struct log_input *log_input_again(const struct log_input *input);

/* Of what came before that time, in milliseconds since 1970, nobody wants to know: the systemd
   journal is not read from its beginning then, others are. */
void log_input_set_since(struct log_input *input, int64_t since);

/* One line. Its text is what a stranger may have chosen: it can hold NULs and any other
   bytes. It lives until the next call, as the name does. */
struct log_input_line {
	const char *text; /* without the newline */
	size_t length;
	bool whole;       /* neither cut to LINE_LENGTH_MAX bytes (line-reader.h), nor the half
			     line that a file ends with */
	unsigned file;    /* counts up from 1 when another file begins */
	const char *name; /* the file's */
	int64_t written;  /* when the file was last written to, seconds since 1970 */
};

enum log_input_kind {
	LOG_INPUT_LINE,
	LOG_INPUT_PROBLEM, /* a file cannot be read, or not to its end; others may follow */
	LOG_INPUT_END
};

enum log_input_kind log_input_next(struct log_input *input, struct log_input_line *line_r);

/* What the last problem was, with the file's name, fit for a terminal. Lives until the next
   one. */
const char *log_input_problem(const struct log_input *input);

/* ---- for who reads the files himself ---- */

/* Adds a log's file, if there is one, and those that a rotation made of it. As
   log_input_add(). */
bool log_input_add_rotated(struct log_input *input, const char *path, char **problem_r);

/* Of struct log_source, in their order. */
const GPtrArray *log_input_sources(const struct log_input *input);

/* A computer that loses power leaves NULs, which were to become lines, before the next one:
   takes them from the line. */
void log_line_pass_over_nuls(struct log_input_line *line);

/* How many bytes of the files, as they lie there, were read, of how many. What has no
   length, such as a pipe, counts for nothing. */
void log_input_progress(const struct log_input *input, uint64_t *done_r, uint64_t *total_r);

#endif
