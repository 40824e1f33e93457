#ifndef PORTCULLIS_OPEN_FILES_H
#define PORTCULLIS_OPEN_FILES_H

/* Calls the function with each open file of this process, which it may close, from a
   number on. Returns 0, or an errno when nothing tells which there are. */
int open_files_each(int first, void (*function)(int file, const void *context),
		    const void *context);

#endif
