#ifndef PORTCULLIS_STOP_SIGNAL_H
#define PORTCULLIS_STOP_SIGNAL_H

#include <signal.h>

/* From stop_signal_catch() on, the number of the last SIGINT, SIGTERM or SIGHUP that
   came, so that what is in hand is finished; 0: none. A second one ends the process at once. */
extern volatile sig_atomic_t stop_signal;

void stop_signal_catch(void);

/* Sleeps, but not beyond such a signal. */
void stop_signal_sleep(unsigned int milliseconds);

#endif
