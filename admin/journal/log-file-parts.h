#ifndef PORTCULLIS_LOG_FILE_PARTS_H
#define PORTCULLIS_LOG_FILE_PARTS_H

#include <glib.h>

#include "admin/files/packed-file.h"
#include "log-file.h"
#include "log-mark.h"

/* What log-file.c and log-place.c have in common. */
struct log_file {
	char *path;
	int descriptor;
	struct stat status;
	bool is_packed;
	struct packed_file *packed; /* NULL: it is not, or nothing is read yet */
	GArray *known; /* what the store has of it, a struct store_log without strings each */
	struct line_reader *lines;
	uint64_t begin; /* where they were begun: if within a line, it begins with this, */
	char before[LOG_MARK_TAIL];
	size_t before_length;
	bool is_first; /* and the last one given is that */
	uint64_t heads[STORE_LOG_HEADS];
	/* The end of the line that was noted last. */
	char tail[LOG_MARK_TAIL];
	size_t tail_length;
	bool noted, tail_is_known;
};

/* Begins to unpack it anew. False with errno set, as below; ESTALE where its path is another
   file's by now. */
bool log_file_unpack(struct log_file *file);

/* As read(2) until the room is full, from a place of a plain file, or the next of a packed
   one. */
ssize_t log_file_read(struct log_file *file, uint64_t place, char *buffer, size_t size);

/* Finds out what it begins with. */
bool log_file_read_heads(struct log_file *file);

/* Lines are read from a position, up to which all that is packed was read. */
void log_file_begin_lines(struct log_file *file, uint64_t position);

/* When it was changed, as struct store_log has it. */
int64_t log_file_changed(const struct log_file *file);

#endif
