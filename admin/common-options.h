#ifndef PORTCULLIS_COMMON_OPTIONS_H
#define PORTCULLIS_COMMON_OPTIONS_H

#include <stdbool.h>
#include <time.h>

/* The command line of questions that have no other options. */
struct common_options {
	time_t at; /* now, unless it was given */
	bool json, help;
};

/* Returns 0 or EX_USAGE. Other arguments begin at optind. */
int common_options_read(int argc, char **argv, struct common_options *options_r);

#endif
