#ifndef PORTCULLIS_SURVEY_GAPS_H
#define PORTCULLIS_SURVEY_GAPS_H

#include "admin/logs/log-tally.h"

/* What logs cannot tell, and the line of a server's configuration that makes them tell it. */
struct survey_gap {
	const char *what;    /* "port", "tls", "starttls", "tls_version", "client" */
	const char *missing; /* in words: "which port a login came by" */
	const char *server;  /* "dovecot 2.3", "dovecot 2.4", "postfix" */
	const char *place;   /* where the line belongs, and what takes it into force */
	const char *setting;
};

#define SURVEY_GAPS_MAX 16

/* Those of what was added up. Returns how many there are. */
size_t survey_gaps(const struct log_tally_counts *counts,
		   struct survey_gap gaps_r[static SURVEY_GAPS_MAX]);

#endif
