#ifndef PORTCULLIS_APPEND_FILE_H
#define PORTCULLIS_APPEND_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "messages.h"
#include "sighting.h"

/* Bytes; beyond that a file gets no line until it is renamed. 1 GiB. */
#define APPEND_FILE_MAX ((off_t)1 << 30)

/* The file that a writer of the journal appends to, one write(2) a line. It is made
   where it is missing, and anew when it was renamed, which is noticed within a second.
   What is wrong is said at most once a minute. */
struct append_file {
	const char *path;
	struct messages *messages;
	int descriptor; /* -1: not open */
	time_t checked; /* monotonic */
	time_t written; /* monotonic; when it was opened or written to last */
	bool half_line; /* the file ends within a line */
	off_t size;     /* as it was looked at last, with what was written since */
	dev_t device;   /* of the file that was open last; inode 0: none was */
	ino_t inode;
	char edition[EDITION_ID_SIZE]; /* that the last line since it was opened told */

	bool failing;
	time_t failure_reported; /* monotonic */
	time_t full_reported;    /* monotonic; 0: never */
};

void append_file_init(struct append_file *file, const char *path, struct messages *messages);
void append_file_close(struct append_file *file);

enum append_result { APPEND_DONE, APPEND_FULL, APPEND_FAILED };

/* Appends a line. The edition is told when it is not the one told last, "" is not told.
   FULL: the file is as large as it may be. FAILED: it must be tried again. */
enum append_result append_file_append(struct append_file *file, struct sighting_line *line,
				      const char *edition);

/* Whether the file that was written to last is gone from its name. */
bool append_file_was_renamed(const struct append_file *file);

/* Whether a line was begun that must be ended by whoever has the file open. */
static inline bool append_file_owes_newline(const struct append_file *file)
{
	return file->descriptor >= 0 && file->half_line;
}

#endif
