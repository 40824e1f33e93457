#ifndef PORTCULLIS_SIGHTING_H
#define PORTCULLIS_SIGHTING_H

#include <stddef.h>

#include "combining.h"
#include "judge.h"

/* An attempt and what became of it, as one line of the journal. */
struct sighting {
	const struct attempt *attempt;
	const struct policy *policy;
	const struct verdict *verdict;
	bool verified; /* the password was right */
	struct timespec time;
	/* The digest of the edition that it was judged by, 16 hex digits; NULL: not known. */
	const char *edition;
};

/* No line is longer than this, its newline included, whatever strangers send:
   long strings in it are cut and end in an ellipsis. */
#define SIGHTING_LINE_SIZE 16384

/* What a line tells of strangers' names for themselves and for their programs at most, in
   bytes as they stand there, the ellipsis not counted; longer ones are nobody's (RFC 5321:
   64 + 1 + 255). Whoever has shown a password has all of his name, and twice as much of
   his program's. */
#define SIGHTING_STRANGER_MAX 320
#define SIGHTING_PROGRAM_MAX 128

/* Without its rules, each of which adds its title and 14 bytes at most, no line of a
   stranger is longer. Stated in portcullis.conf(5). */
#define SIGHTING_STRANGERS_LINE_MAX 1024

/* A sighting in the words of the journal, on its way there: members of a JSON object,
   with a comma behind each. */
struct sighting_record {
	struct timespec time;
	char edition[EDITION_ID_SIZE];  /* "": not known */
	char client[ADDRESS_TEXT_SIZE]; /* the address */
	time_t combine_seconds;         /* as of struct policy */
	unsigned int unverified_per_minute;
	bool verified;
	bool breaks_rule;
	/* In text stand, without a NUL: what the server and the policy say; mechanism and
	   country; the user; the program; the session. Of equal sightings all but the last
	   are equal. */
	size_t server_length, way_length, user_length, program_length, session_length;
	char text[SIGHTING_LINE_SIZE];
};

/* False when it does not fit, which the cuts are there to prevent. */
bool sighting_record_make(struct sighting_record *record_r, const struct sighting *sighting,
			  const char *host);

/* The bytes of a record that are used. */
static inline size_t sighting_record_size(const struct sighting_record *record)
{
	return offsetof(struct sighting_record, text) + record->server_length + record->way_length +
	       record->user_length + record->program_length + record->session_length;
}

/* What sightings are told apart by where so much is told of them. */
struct combining_words sighting_words(const struct sighting_record *record, enum detail detail,
				      char buffer[static COMBINING_WORDS_SIZE]);

/* One or several equal sightings as the journal tells of them. */
struct sighting_line {
	const char *equal; /* what sighting_words() gave */
	size_t equal_length;
	const char *session; /* the last part of a record's text */
	size_t session_length;
	const char *client;
	struct timespec time, until; /* of the first and the last of them */
	unsigned long count;
	unsigned long lost;  /* sightings that could not be written; 0 is not mentioned */
	const char *edition; /* NULL: not mentioned */
};

/* The line of one sighting, without an edition. Points into the record. */
struct sighting_line sighting_line_of(const struct sighting_record *record);

/* Writes the journal's line, a JSON object (RFC 8259) in UTF-8:

       {"time":"2024-09-20T08:15:02.123Z","host":...,"source":"dovecot",
       "verified":true,"action":"reject","service":"imap","port":143,"tls":"none",
       "rules":{"encryption":"enforce"},"mechanism":...,"country":"US","user":...,
       "client_id":...,"session":...,"client":"203.0.113.5","count":1}

   with its newline, without a terminating NUL; behind the count may stand "until"
   (where it is more than one), "edition" and "lost". Returns its length, or 0 when it does
   not fit, which the cuts are there to prevent. Rules are those that are broken, with
   their phases. Invalid UTF-8 becomes U+FFFD; control characters, also those of C1, and
   characters that change the direction of text are escaped. */
size_t sighting_line_format(const struct sighting_line *line,
			    char text_r[static SIGHTING_LINE_SIZE]);

#endif
