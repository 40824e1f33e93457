#ifndef PORTCULLIS_OPTIONS_H
#define PORTCULLIS_OPTIONS_H

#include <stddef.h>
#include <sys/types.h>

#include "log.h"

/* What the daemon's command line says. The strings are those of the command line. */
struct options {
	const char *config;
	const char *user; /* NULL: stays who it is */
	const char **addresses;
	size_t address_count;
	mode_t socket_mode;
	unsigned int request_timeout; /* seconds */
	enum log_target log_target;
};

/* Returns -1 to go on, or the exit status, when all has been said. In either case to be
   freed. */
int options_parse(int argc, char **argv, struct options *options_r);
void options_free(struct options *options);

#endif
