#ifndef PORTCULLIS_BACKGROUND_THREAD_H
#define PORTCULLIS_BACKGROUND_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Starts a thread that takes no signal of the server's and has a small stack,
   because Dovecot limits the address space of its processes. False with errno
   set when it cannot be started. */
bool background_thread_start(pthread_t *thread_r, void *(*run)(void *), void *argument);

/* Waits so many seconds, or one more, for the thread to end, whatever the clock says.
   False: it is still running (a disk stands still), and whatever it uses must be left
   to it. */
bool background_thread_join(pthread_t thread, unsigned int seconds);

#endif
