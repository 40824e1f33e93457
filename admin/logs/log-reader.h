#ifndef PORTCULLIS_LOG_READER_H
#define PORTCULLIS_LOG_READER_H

#include "log-examples.h"
#include "log-input.h"
#include "log-login.h"
#include "log-years.h"
#include "postfix-smtpd.h"

/* Reads the logins that mail logs tell of: takes each line's prefix off, finds out when it was
   written, and asks those who know what Dovecot and Postfix write. */
struct log_reader;

struct log_reader_options {
	/* As of postfix_smtpd_create(). */
	const char *port_25_name;
	/* Called every few thousand lines; NULL: never. */
	void (*progress)(void *context);
	/* Told of what cannot be read, with the file's name; the rest is read all the same. */
	void (*problem)(void *context, const char *text);
	/* Told of what is read all the same, but seems to be a mistake; NULL: nobody is. */
	void (*warning)(void *context, const char *text);
	void *context;
};

/* The input must outlive it. */
struct log_reader *log_reader_create(struct log_input *input,
				     const struct log_reader_options *options);
void log_reader_free(struct log_reader *reader);

/* The next login; false: there are no more. */
bool log_reader_next(struct log_reader *reader, struct log_login *login_r);

/* ---- for who gives it lines himself, and goes on later where he stops now ---- */

/* In place of its input, NULL is given to log_reader_create(). */

/* Looks through a file for what tells its years, which may take as long as to read it. line: its
   first one; again: the file once more, NULL where it cannot be read twice. */
struct log_years log_reader_look(struct log_reader *reader, const struct log_input_line *line,
				 struct log_input *again);

/* A file begins, or goes on behind a place; to be called before its next line. */
void log_reader_begin(struct log_reader *reader, const struct log_input_line *line,
		      const struct log_years *years);
void log_reader_resume(struct log_reader *reader, const struct log_input_line *line,
		       const struct log_years_place *place);

/* Takes a line. False: it is part of a record that further lines complete, so it must be read
   again together with these. */
bool log_reader_take(struct log_reader *reader, const struct log_input_line *line);

/* A login that is known by now; false: there are no more until further lines are taken. */
bool log_reader_give(struct log_reader *reader, struct log_login *login_r);

struct log_years_place log_reader_place(const struct log_reader *reader);

/* What joins Postfix's lines. Lives with the reader. */
struct postfix_smtpd *log_reader_smtpd(struct log_reader *reader);
/* Asks it again for what it has. */
void log_reader_smtpd_may_have(struct log_reader *reader);

struct log_reader_counts {
	uint64_t lines;
	uint64_t understood; /* of login processes and smtpd, and known */
	uint64_t unknown;    /* likewise, and not known; or without any prefix that is */
	uint64_t others;     /* of other programs */
	uint64_t undated;    /* logins of which nothing tells when they were; they do not count */
	uint64_t no_common_tls; /* clients that had no version of TLS in common with the server */
};

const struct log_reader_counts *log_reader_counts(const struct log_reader *reader);

/* Those that are unknown. */
const struct log_examples *log_reader_examples(const struct log_reader *reader);

#endif
