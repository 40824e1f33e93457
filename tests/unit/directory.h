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

/* The path of a file in it, until the next call. */
static inline const char *in_directory(const char *name)
{
	static char path[160];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static inline void write_in_directory(const char *name, const char *bytes, size_t length)
{
	FILE *file = fopen(in_directory(name), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

#endif
