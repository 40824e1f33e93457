#ifndef PORTCULLIS_SURVEY_READING_H
#define PORTCULLIS_SURVEY_READING_H

#include "admin/logs/log-reader.h"
#include "admin/logs/log-tally.h"

/* Reads logs through, and adds up what they tell, with a bar on a terminal. */
struct survey_reading {
	struct log_input *input;
	struct log_reader *reader; /* what is left of it: counts and examples */
	struct log_tally *tally;
	unsigned int
		problems; /* files that could not be read, or not to their end; they are told */
};

struct survey_question {
	const struct edition *edition;
	int64_t since;            /* logins before that are left out, in milliseconds */
	const char *port_25_name; /* as of postfix_smtpd_create() */
};

/* paths: files, directories and "-"; NULL ends them. Without any, where this host keeps its mail
   log. False when there is nothing to read, which is said. Free it also then. */
bool survey_read(struct survey_reading *reading_r, char *const paths[],
		 const struct survey_question *question);
void survey_reading_free(struct survey_reading *reading);

#endif
