#ifndef PORTCULLIS_COMBINING_H
#define PORTCULLIS_COMBINING_H

#include "sighting.h"

/* Which sightings get a line of their own in the journal, and which are told together:
   equal ones within the time that the configuration says; and of those whose password was
   not right, beyond so many in a minute, all that differ only in who it was. The address
   of several is that of the last. In a fixed amount of memory; for one thread. */
struct combining;

/* NULL when out of memory. */
struct combining *combining_create(void);
void combining_free(struct combining *combining);

/* Writes a line; false when it cannot now. It is then tried again. */
typedef bool combining_write(void *context, struct sighting_line *line);

/* Takes a sighting: it is written, or counted. False when a line could not be written:
   then nothing was taken. */
bool combining_take(struct combining *combining, const struct sighting_record *record,
		    combining_write *write, void *context);

/* Writes what is due. False when a line could not be written; the rest is left. */
bool combining_write_due(struct combining *combining, combining_write *write, void *context);

/* Writes all that was counted; equal ones are counted on. */
bool combining_write_all(struct combining *combining, combining_write *write, void *context);

/* How many sightings wait to be written. */
unsigned long combining_waiting(const struct combining *combining);

#endif
