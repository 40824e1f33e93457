#define _GNU_SOURCE /* pthread_timedjoin_np() */
#include "background-thread.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#define STACK_SIZE (512 * 1024)

bool background_thread_start(pthread_t *thread_r, void *(*run)(void *), void *argument)
{
	sigset_t all, before;
	pthread_attr_t attributes;
	int error;

	error = pthread_attr_init(&attributes);
	if (error == 0) {
		sigfillset(&all);
		pthread_attr_setstacksize(&attributes, STACK_SIZE);
		pthread_sigmask(SIG_SETMASK, &all, &before);
		error = pthread_create(thread_r, &attributes, run, argument);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
		pthread_attr_destroy(&attributes);
	}
	errno = error;
	return error == 0;
}

bool background_thread_join(pthread_t thread, unsigned int seconds)
{
	struct timespec deadline;

	/* ThreadSanitizer does not know pthread_clockjoin_np(). */
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += seconds;
	return pthread_timedjoin_np(thread, NULL, &deadline) == 0;
}
