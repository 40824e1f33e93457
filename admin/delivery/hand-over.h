#ifndef PORTCULLIS_MAIL_ENVELOPE_H
#define PORTCULLIS_MAIL_ENVELOPE_H

#include <stddef.h>

/* A mail on its way to one recipient. Everything is borrowed. */
struct mail_envelope {
	const char *from;
	const char *recipient;
	const char *message; /* lines end in LF */
	size_t length;
};

/* Why a mail was not taken, on one line. */
#define HAND_OVER_ERROR_SIZE 512

/* Writes what a server or program said as one line of printable ASCII behind
   what: "what: said". Cut where it does not fit. */
void hand_over_error(char error_r[static HAND_OVER_ERROR_SIZE], const char *what, const char *said);

#endif
