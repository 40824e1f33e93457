#ifndef PORTCULLIS_FILE_GROUP_H
#define PORTCULLIS_FILE_GROUP_H

#include <stdbool.h>

/* Takes from the group of a file what it may do, if it is the group that may write to a
   directory: the accounts that write there have no business in the file. Whoever gives the
   file to another group means it. A failure is said on standard error; a file that is not
   there, or that file_open() refuses, is left alone. The process loses the locks of fcntl(2)
   that it has of the file. */
void file_keep_from_writers(const char *path, const char *directory);

/* Lets the group of a file that was just made read it, whatever the umask, where the
   directory gives its files to a group (setgid) that may not write to it: that is what it
   does so for. False with errno set. */
bool file_let_group_read(int file, int directory);

#endif
