#ifndef PORTCULLIS_FILE_GROUP_H
#define PORTCULLIS_FILE_GROUP_H

/* Takes from the group of a file what it may do, if it is the group that may write to a
   directory: the accounts that write there have no business in the file. Whoever gives the
   file to another group means it. A failure is said on standard error; a file that is not
   there, or that file_open() refuses, is left alone. The process loses the locks of fcntl(2)
   that it has of the file. */
void file_keep_from_writers(const char *path, const char *directory);

#endif
