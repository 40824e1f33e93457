#ifndef PORTCULLIS_FILE_OPEN_H
#define PORTCULLIS_FILE_OPEN_H

#include <sys/stat.h>

/* Opens a file in a directory that another account may write to: no symbolic link is
   followed, no FIFO waited for, and the file must be a regular one with no other name.
   Who else can make files there must not be able to hand over one of his own: what
   belongs neither to this process' account, nor to the directory's owner, nor to root
   is refused. What is made is this account's.

   name: in the directory, without '/'. flags and mode: as for open(2). Returns a
   descriptor, -1 with errno set; then file_problem() tells in words what it is. */
int file_open(int directory, const char *name, int flags, mode_t mode);

/* The same, whoever the file belongs to. */
int file_open_of_anybody(int directory, const char *name, int flags);

/* Opens a file to read it, by a path that the operator gives: whatever it is, and by whatever
   links. A FIFO is waited for. */
int file_open_named(const char *path);

/* The same, for what was found in a directory that he gives: a regular file, without waiting
   for anything else. */
int file_open_found(const char *path);

/* Closes a file or directory and leaves errno as it is. -1 is none. */
void file_close(int descriptor);

/* What an errno of the functions of files/ means: a text that lives until the
   thread's next one. */
const char *file_problem(int error);

#endif
