#ifndef PORTCULLIS_SEPARATE_PROCESS_H
#define PORTCULLIS_SEPARATE_PROCESS_H

/* Calls a function in a process of its own, and waits so many milliseconds for it
   at most: for what may have to wait for a disk that stands still, before there
   are threads. The function returns 0 or an errno, and so does this one: ETIMEDOUT
   when it is not done yet, and goes on. It inherits memory but no open files. */
int separate_process_call(int (*function)(const void *context), const void *context,
			  int milliseconds);

#endif
