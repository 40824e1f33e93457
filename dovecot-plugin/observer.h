#ifndef PORTCULLIS_OBSERVER_H
#define PORTCULLIS_OBSERVER_H

/* Watches how logins end, by their events, and records them. */
void observer_init(void);
void observer_deinit(void);

#endif
