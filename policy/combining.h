#ifndef PORTCULLIS_COMBINING_H
#define PORTCULLIS_COMBINING_H

#include "repeats.h"

/* Which attempts are told of one by one, in the journal or the server's log, and which
   together: equal ones within the time that the configuration says; beyond so many in a
   minute, all those of strangers that differ only in what strangers choose; and those of
   one user beyond so many in that time, who may be a program that invents what it says of
   itself. In a fixed amount of memory; for one thread. */
struct combining;

/* How many first ones of a user are told with all details within the time of combining.
   Stated in portcullis.conf(5). */
#define COMBINING_DETAILED_MAX 64

/* What is told of an attempt. */
enum detail {
	DETAIL_ALL,
	DETAIL_USER,  /* without what one user can make look different at will */
	DETAIL_NOBODY /* nor what strangers can */
};

/* What matters here of an attempt. The strings are the caller's. */
struct combining_attempt {
	const void *original; /* what the teller makes words of */
	const char *user;
	size_t user_length;
	const char *note; /* that of the last of several is told */
	struct timespec time;
	time_t seconds; /* for how long equal ones are combined; 0: they are not */
	unsigned int unverified_per_minute;
	bool verified;
};

/* Room for the words of one attempt. */
#define COMBINING_WORDS_SIZE 16384

struct combining_words {
	const char *text; /* not terminated */
	size_t length;
};

/* Who words attempts, and tells of them. */
struct combining_teller {
	/* Words that are equal for equal attempts, perhaps in buffer. */
	struct combining_words (*words)(const void *original, enum detail detail,
					char buffer[static COMBINING_WORDS_SIZE]);
	/* Tells of one, in these words. False when it cannot now: it is then tried again. */
	bool (*tell)(void *context, const void *original, enum detail detail,
		     const struct combining_words *words);
	/* Tells of those that were counted after it. False as above. */
	bool (*tell_repeat)(void *context, const struct repeat *repeat);
	void *context;
};

/* Remembers what came in so many bytes; what strangers tried, without who, in an eighth
   as many more. NULL when out of memory. */
struct combining *combining_create(size_t memory, const struct combining_teller *teller);
void combining_free(struct combining *combining);

/* Tells of an attempt, or counts it. False when it could not be told of: then nothing
   was taken. */
bool combining_take(struct combining *combining, const struct combining_attempt *attempt);

/* Whether the time of something is over. */
bool combining_is_due(const struct combining *combining);
/* Tells of the oldest that is due, and forgets it. False when it could not be told. */
bool combining_tell_due(struct combining *combining);

/* Tells all that was counted; equal ones are counted on. False as above. */
bool combining_tell_all(struct combining *combining);

/* How many attempts wait to be told of. */
unsigned long combining_waiting(const struct combining *combining);

#endif
