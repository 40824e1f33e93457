#ifndef PORTCULLIS_FILE_REPLACE_H
#define PORTCULLIS_FILE_REPLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* Puts a new file in the place of another, or where none was: whoever reads it, and
   whenever the process or the machine dies, there is the old one or the new one, whole.
   The new one has a name that nobody can know beforehand until it takes the place.

   Who replaces a file holds a lock against others who do, such as the directory's (see
   file-lock.h): what a process that was killed has left of the same file is removed. */
struct file_replacement;

/* The directory stays the caller's, and open. old: owner and mode of the new file; NULL:
   it is this account's, and gets the mode. NULL with errno set; see file_problem(). */
struct file_replacement *file_replace_begin(int directory, const char *name, const struct stat *old,
					    mode_t mode);

/* Where the new file lies until then, in the directory. */
const char *file_replace_name(const struct file_replacement *replacement);

/* False with errno set. */
bool file_replace_write(struct file_replacement *replacement, const char *text, size_t length);

/* Has the disk keep what was written, and puts it in place. Frees all. False with errno
   set; the old file is in place then, unless its directory's disk is what failed. */
bool file_replace_commit(struct file_replacement *replacement);

/* Removes the new file, frees all, and leaves errno as it is. */
void file_replace_abandon(struct file_replacement *replacement);

/* Writes the text and puts it in place, or leaves the old file there. Frees all. False with
   errno set. */
bool file_replace_finish(struct file_replacement *replacement, const char *text, size_t length);

/* All of it at once, with this account's ownership. False with errno set. */
bool file_replace(int directory, const char *name, mode_t mode, const char *text, size_t length);

#endif
