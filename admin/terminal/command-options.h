#ifndef PORTCULLIS_COMMAND_OPTIONS_H
#define PORTCULLIS_COMMAND_OPTIONS_H

#include <stdbool.h>
#include <time.h>

/* Of which forms an option is, where a command has several: COMMAND_FORM(0) is the one
   without an option that makes it another. */
#define COMMAND_FORM(number) (1u << (number))

/* An option of a command: its line in the help, and where its value goes, to one of
   flag, text, date, past and day. */
struct command_option {
	const char *name;
	char letter;          /* '\0': none */
	const char *argument; /* what the help calls its value; NULL: it takes none */
	const char *help;
	bool *flag;         /* without a value */
	const char **text;  /* points into the command line */
	time_t *date;       /* as date-option.h has it */
	time_t *past;       /* the same, but what is to come is refused */
	bool *day_alone;    /* whether the date came without a time of day; may be NULL */
	const char **day;   /* "YYYY-MM-DD" of a day to come; lasts */
	unsigned int makes; /* the form that it makes of the command, from 1 on; 0: none */
	unsigned int forms; /* COMMAND_FORM() of those that it belongs to; 0: all */
};

/* What --help says beside the options. Its texts are wrapped, and may have line breaks
   of their own. */
struct command_help {
	/* Of the command; "" for portcullis itself, whose options end where its command
	   begins. */
	const char *name;
	const char *usage; /* what stands behind the name, one way a line */
	const char *description;
	const char *closing; /* the exit status, for instance; NULL: nothing */
};

/* Reads a command line. The options end with one without name; every command has
   --help, -h besides. What is not given stays as it is. True to go on: *status_r is 0,
   and the other arguments begin at optind. False when the command ends with *status_r:
   the help was printed, or the user was told what is wrong: also that an option does not
   belong to the form of the command that another one makes. */
bool command_options_read(int argc, char **argv, const struct command_help *help,
			  const struct command_option options[], int *status_r);

/* The same, where there are no other arguments. */
bool command_options_read_all(int argc, char **argv, const struct command_help *help,
			      const struct command_option options[], int *status_r);

/* Says what is wrong with the command line, and returns EX_USAGE. command: "" for
   portcullis itself. */
int usage_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
