#ifndef PORTCULLIS_WATCHED_FILE_H
#define PORTCULLIS_WATCHED_FILE_H

#include "file-stamp.h"

/* A file that is read again when it is another one, and tried again while it cannot be read:
   after five seconds, then ever later, in the end once a minute. All zero: not read yet. */
struct watched_file {
	struct file_stamp in_force;
	bool is_in_force;
	struct file_stamp failed;
	time_t wait; /* seconds between the last try that failed and the next; 0: none failed */
	time_t next; /* monotonic */
};

/* Whether it is to be read at now, which is monotonic: it is not the one in force, nobody is
   writing into it, and it is time to try. *stamp_r is then what is read. path: NULL where
   there is none. */
bool watched_file_is_due(struct watched_file *file, const char *path, time_t now,
			 struct file_stamp *stamp_r);

/* Whether it failed as it is, so that all is told. */
bool watched_file_has_failed(const struct watched_file *file, const struct file_stamp *stamp);

/* What came of reading it. */
void watched_file_took(struct watched_file *file, const struct file_stamp *stamp);
void watched_file_failed(struct watched_file *file, const struct file_stamp *stamp, time_t now);

#endif
