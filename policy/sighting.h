#ifndef PORTCULLIS_SIGHTING_H
#define PORTCULLIS_SIGHTING_H

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

/* Writes the journal's line, a JSON object (RFC 8259) in UTF-8:

       {"time":"2024-09-20T08:15:02.123Z","host":...,"source":"dovecot","user":...,
       "verified":true,"action":"reject","service":"imap","port":143,"tls":"none",
       "mechanism":...,"client":"203.0.113.5","country":"US",
       "rules":{"encryption":"enforce"},"client_id":...,"session":...,"count":1}

   with its newline, without a terminating NUL. Returns its length, or 0 when it
   does not fit, which the cuts are there to prevent. Rules are those that are
   broken, with their phases. Invalid UTF-8 becomes U+FFFD. */
size_t sighting_format(const struct sighting *sighting, const char *host,
		       char line_r[static SIGHTING_LINE_SIZE]);

#endif
