#ifndef PORTCULLIS_FILE_LOCK_H
#define PORTCULLIS_FILE_LOCK_H

#include <stdbool.h>

/* Takes the exclusive lock, flock(2), of an open file or directory; it is given back
   when the descriptor is closed. Waits so many milliseconds for another process, and no
   longer: whoever may open the file can lock it, too, and for ever. False with errno set;
   EWOULDBLOCK: another process has it. */
bool file_lock(int descriptor, unsigned int milliseconds);

/* directory_open() with its lock; -1 with errno set. */
int directory_lock(const char *path, unsigned int milliseconds);

#endif
