#ifndef PORTCULLIS_LOG_FILE_H
#define PORTCULLIS_LOG_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "admin/files/line-reader.h"
#include "admin/store/store-logs.h"

/* A log's file, packed or not, read from where it was read to. It is known by what it begins
   with, unpacked: neither a rotation's other name, nor a copy, nor packing makes another log of
   it; what was truncated, or begins anew, is another one. Hashes of its first 64, 128, 256, 512
   and 1024 bytes are noted, because a young file is short; two that begin with the same 64 are
   told apart by the end of the last line before the position, too. What is shorter than 64
   bytes has no login, and is not begun. Where the very file has another end than what was read,
   since the machine lost power, it is read on from that end; from the position, if more was
   written to it since. */
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

/* What the store knows of it; a new one, with id 0, where it knows nothing. Nothing is to be
   read where *done_r is true: the file is too short yet, is as it was when all was read, or is
   a copy that ends before the position. False with errno set: see log_file_problem(). name: as
   of struct store_log; strings of row_r are name, and static. */
bool log_file_find(struct log_file *file, struct store *store, const char *name,
		   struct store_log *row_r, bool *done_r);

/* Whether the store still knows the same of it as when log_file_find() asked, or
   log_file_put(): so nobody else has read of it since. 1, 0, or -1 when the store fails. */
int log_file_is_current(const struct log_file *file, struct store *store);
/* As store_put_log(). */
bool log_file_put(struct log_file *file, struct store *store, struct store_log *row);

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
