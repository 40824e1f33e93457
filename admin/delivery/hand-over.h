#ifndef PORTCULLIS_HAND_OVER_H
#define PORTCULLIS_HAND_OVER_H

#include <stddef.h>

/* A mail on its way to one recipient. Everything is borrowed. */
struct mail_envelope {
	const char *from;
	const char *recipient;
	const char *message; /* lines end in LF */
	size_t length;
};

/* What became of a mail. */
enum hand_over {
	/* The server has taken it, and answers for it from now on. */
	HAND_OVER_TAKEN,
	/* Not now: full, busy, greylisted. The same mail may go later. */
	HAND_OVER_LATER,
	/* This recipient or this mail never. */
	HAND_OVER_REFUSED,
	/* The way itself is broken (no such program, nobody listens, sender
	   refused): it makes no sense to try the others now. */
	HAND_OVER_UNAVAILABLE,
	/* The connection broke, or the program was killed, after the mail was sent and
	   before the answer: it may have been taken. If repeated, then with the same
	   Message-ID. */
	HAND_OVER_UNKNOWN,
};

/* Why a mail was not taken, on one line. */
#define HAND_OVER_ERROR_SIZE 512

/* Writes what a server or program said as one line of printable ASCII behind
   what: "what: said". Cut where it does not fit. */
void hand_over_error(char error_r[static HAND_OVER_ERROR_SIZE], const char *what, const char *said);

#endif
