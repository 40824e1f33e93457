#ifndef PORTCULLIS_JOURNAL_H
#define PORTCULLIS_JOURNAL_H

#include "messages.h"
#include "sighting.h"

/* The file of events that `portcullis import` reads: DIRECTORY/SOURCE.jsonl.
   The deciding thread puts a line into a bounded ring in memory and goes on; a
   thread of its own appends it, one write(2) a line, or counts it with those that are
   equal: see combining.h. A disk that stands still,
   is full or is not writable therefore stalls nobody: lines wait in the ring,
   and when that is full the newest are lost and counted.

   For whoever removes such files: a writer holds a shared flock(2) on the file as
   long as it has it open, and looks at least once a second, before it writes,
   whether the file still has its name. So a file that was renamed, and then can
   be locked exclusively, gets no line any more. */
struct journal;

/* NULL when out of memory. Touches no disk, starts no thread. */
struct journal *journal_create(const char *directory, enum source source,
			       struct messages *messages);

/* Starts the thread. Not before the process has its final identity. False, with
   errno set, when there can be no thread; every line is then lost. */
bool journal_start(struct journal *journal);

/* Records a sighting: always when it breaks a rule; when it breaks none, only
   a verified one and only the first of the day for its user, service and port.
   Never waits. One thread records. */
void journal_record(struct journal *journal, const struct sighting *sighting);

/* Waits at most two seconds for what is in the ring to be written, reports what
   is lost, and frees all. False when the thread hangs in a disk: it then still
   uses messages. */
bool journal_free(struct journal *journal);

#endif
