#define _GNU_SOURCE /* pthread_tryjoin_np() */
#include "background-thread.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "monotonic-clock.h"

#define STACK_SIZE (512 * 1024)

#define PATIENCE_NANOSECONDS 1000000

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
	time_t begin = monotonic_seconds();

	/* pthread_timedjoin_np() would go by a clock that may be set meanwhile, and
	   ThreadSanitizer does not know pthread_clockjoin_np(). */
	while (pthread_tryjoin_np(thread, NULL) != 0) {
		if (monotonic_seconds() - begin > (time_t)seconds)
			return false;
		nanosleep(&(const struct timespec){.tv_nsec = PATIENCE_NANOSECONDS}, NULL);
	}
	return true;
}
