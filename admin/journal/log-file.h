#ifndef PORTCULLIS_LOG_FILE_H
#define PORTCULLIS_LOG_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "admin/files/line-reader.h"
#include "admin/store/store-logs.h"

/* A log's file, packed or not, read from where it was read to (log-place.h). */
struct log_file;

/* NULL with errno set. */
struct log_file *log_file_open(const char *path);
void log_file_free(struct log_file *file);

/* Whether that is its status, as it was or is by now. */
bool log_file_is(const struct log_file *file, const struct stat *status);
/* Whether it still is what its path means. */
bool log_file_has_its_path(const struct log_file *file);
bool log_file_is_packed(const struct log_file *file);
const struct stat *log_file_status(const struct log_file *file);
/* When it, or what was packed, was last written to, in seconds since 1970. */
int64_t log_file_written(const struct log_file *file);

/* As line_reader_next(), from the position of the row that was found. */
enum line_kind log_file_next(struct log_file *file, const char **text_r, size_t *length_r);
/* Where the next line begins, in unpacked bytes. */
uint64_t log_file_position(const struct log_file *file);
/* How much of the file as it lies there was read. */
uint64_t log_file_taken(const struct log_file *file);

/* Notes that the line was the last one before the position. */
void log_file_note(struct log_file *file, struct store_log *row, const char *text, size_t length);
/* Notes what the place of the line that was noted last is known by: once before it is stored. */
void log_file_note_place(const struct log_file *file, struct store_log *row);
/* Notes that all of it was read, as it was when it was opened. */
void log_file_note_end(const struct log_file *file, struct store_log *row);

/* Whether it begins as it did when it was opened: otherwise it was truncated meanwhile, and what
   was read may be of its next content. */
bool log_file_is_same(const struct log_file *file);

/* What is wrong with it, after LINE_ERROR. */
const char *log_file_problem(const struct log_file *file);

#endif
