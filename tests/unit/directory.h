#ifndef PORTCULLIS_TESTS_DIRECTORY_H
#define PORTCULLIS_TESTS_DIRECTORY_H

#include <stdio.h>
#include <string.h>

/* A directory of a test's own, made and removed before and after a test, or all of them. */
static char directory[] = "/tmp/portcullis-test.XXXXXX";

static inline int make_directory(void **state)
{
	(void)state;
	strcpy(directory + strlen(directory) - 6, "XXXXXX");
	return mkdtemp(directory) == NULL ? -1 : 0;
}

static inline int remove_directory(void **state)
{
	char command[64];
	(void)state;

	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command);
}

#endif
