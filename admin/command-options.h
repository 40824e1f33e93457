#ifndef PORTCULLIS_COMMAND_OPTIONS_H
#define PORTCULLIS_COMMAND_OPTIONS_H

#include <stdbool.h>
#include <time.h>

/* An option of a command, and where its value goes: to one of the three. */
struct command_option {
	const char *name;
	char letter;       /* 0: none */
	bool *flag;        /* takes no value */
	const char **text; /* points into the command line */
	time_t *date;      /* in local time */
};

#define COMMAND_OPTIONS_MAX 16

/* Reads a command line. The options end with one without name; --help, -h is one of
   them if the command has it. What is not given stays as it is. Returns 0, with the
   other arguments from optind on, or EX_USAGE; the user was told then. */
int command_options_read(int argc, char **argv, const struct command_option options[]);

/* The same, where there are no other arguments. */
int command_options_read_all(int argc, char **argv, const struct command_option options[]);

#endif
