#ifndef PORTCULLIS_PACKED_FILE_H
#define PORTCULLIS_PACKED_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Reads a file as it was before gzip, bzip2, xz or zstd packed it, and one that none of them
   did as it is. */
struct packed_file;

/* Whether one of them packed a file that can be looked into. */
bool packed_file_is(int descriptor);

/* Takes the descriptor over, and reads from where it stands. */
struct packed_file *packed_file_create(int descriptor);
void packed_file_free(struct packed_file *file);

/* The next bytes: how many, 0 at the end, -1 when it is broken. What lay before the broken
   place has come by then, but for what bzip2, xz and zstd had not handed out. As a
   line_source of line-reader.h: the context is the file. */
ssize_t packed_file_read(void *file, char *buffer, size_t size, uint64_t position);

/* Why it is broken. Lives until the file is freed. */
const char *packed_file_problem(const struct packed_file *file);

/* How many bytes of the packed file were read. */
uint64_t packed_file_taken(const struct packed_file *file);

/* How long it is now, as it lies there; 0 for what has no length, such as a pipe. */
uint64_t packed_file_size(const struct packed_file *file);

/* When what was packed had last been written to, in seconds since 1970, as gzip notes it;
   0 not known. */
int64_t packed_file_written(const struct packed_file *file);

#endif
