#ifndef PORTCULLIS_CHILD_PROCESS_H
#define PORTCULLIS_CHILD_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/* Runs other programs, with nothing of ours but what is given to them. */

/* Starts the program whose path is the first argument; the last one is NULL. files are
   its standard input, output and error, which stay open here; it has no other file of
   ours. Its environment is PATH, LANG and, when we have it, TZ; no signal is ignored or
   blocked. Returns 0 and its id, or an errno when it cannot be started. */
int child_process_start(const char *const arguments[], const int files[static 3], pid_t *pid_r);

/* Waits until it has ended, and kills it when that takes longer; returns false then.
   status_r is as waitpid() has it. To be called once for each that was started. */
bool child_process_wait(pid_t pid, unsigned int seconds, int *status_r);

#endif
