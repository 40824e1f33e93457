#ifndef PORTCULLIS_STOP_SIGNAL_H
#define PORTCULLIS_STOP_SIGNAL_H

#include <signal.h>
#include <stdbool.h>

/* SIGINT, SIGTERM and SIGHUP set this, so that what is in hand is finished. */
extern volatile sig_atomic_t stop_signal;

void stop_signal_catch(void);

/* Sleeps, but not beyond such a signal. */
void stop_signal_sleep(unsigned int milliseconds);

#endif
