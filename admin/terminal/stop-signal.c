#include "stop-signal.h"

#include <stddef.h>
#include <sys/select.h>
#include <time.h>

volatile sig_atomic_t stop_signal;

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

#define SIGNAL_COUNT (sizeof(signals) / sizeof(*signals))

static void note_signal(int number)
{
	stop_signal = number;
}

void stop_signal_catch(void)
{
	/* The second one ends the process: somebody does not want to wait, for a database or a mail
	   server perhaps. */
	struct sigaction action = {.sa_handler = note_signal,
				   .sa_flags = SA_RESTART | (int)SA_RESETHAND};

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		sigaction(signals[i], &action, NULL);
}

void stop_signal_sleep(unsigned int milliseconds)
{
	const struct timespec duration = {.tv_sec = milliseconds / 1000,
					  .tv_nsec = (long)(milliseconds % 1000) * 1000000};
	sigset_t ours, before;

	/* A signal that comes between looking and sleeping ends the sleep. */
	sigemptyset(&ours);
	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		sigaddset(&ours, signals[i]);
	sigprocmask(SIG_BLOCK, &ours, &before);
	if (!stop_signal)
		pselect(0, NULL, NULL, NULL, &duration, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
}
