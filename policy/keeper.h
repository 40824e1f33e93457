#ifndef PORTCULLIS_KEEPER_H
#define PORTCULLIS_KEEPER_H

#include "judge.h"
#include "messages.h"
#include "valid-copy.h"

/* Keeps an edition up to date. A thread of its own looks every few seconds
   whether the exemptions or the country database were replaced, or the host has another
   time zone, reads the new file, and offers it; the deciding thread takes it over between
   two decisions.
   A file that is broken or gone is reported once, the old one stays in force, and it is tried
   again within a minute.
   One thread decides; decisions never wait for the keeper or a disk. */
struct keeper;

/* How often files are looked at. */
#define KEEPER_INTERVAL_SECONDS 5

/* What an edition is made of. */
struct keeper_sources {
	const char *config; /* the configuration's file, also where a copy of it is in force */
	const struct valid_copies *copies; /* NULL: none are kept */
	struct messages *messages;
};

/* Takes the policy over, also when it fails; what the sources point to must live as long as
   the keeper. Reads exemptions and country database once, in this thread: call it at start.
   Where the exemptions cannot be read, their last valid copy is in force, and without one
   no user is refused; without the database, country rules are not judged. That is reported
   as an error. NULL when out of memory. Nothing is watched before keeper_start(). */
struct keeper *keeper_create(struct policy *policy, const struct keeper_sources *sources);

/* Starts the thread. Not before the process has its final identity. False, with
   errno set, when there can be no thread; the edition then stays as it is. */
bool keeper_start(struct keeper *keeper);

/* Asks for the configuration to be read again (SIGHUP), by the thread. A wrong
   one is reported and the old policy stays in force. */
void keeper_reload(struct keeper *keeper);

/* The edition to decide by. Valid until the next call; its policy lives as long
   as the keeper unless keeper_reload() was called. Costs one atomic load. */
const struct edition *keeper_current(struct keeper *keeper);

/* Ends the thread if it answers within two seconds and frees all. False when it
   hangs in a disk: it then still uses its sources, and all that they point to. */
bool keeper_free(struct keeper *keeper);

#endif
