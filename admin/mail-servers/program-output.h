#ifndef PORTCULLIS_PROGRAM_OUTPUT_H
#define PORTCULLIS_PROGRAM_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/* What a program of the mail servers prints, which may hang, fail, or never stop talking. */
struct program_output {
	char *text;    /* valid UTF-8; NULL: there is a problem */
	char *problem; /* in words, with what it said itself; NULL: none */
};

/* arguments: as of execv(), the first is the path. It is killed when it takes longer than that, or
   prints more. Clear what is returned. */
struct program_output program_output(const char *const arguments[], unsigned int seconds,
				     size_t length_max);
void program_output_clear(struct program_output *output);

/* The path of a program where packages put it, or who builds it by himself; NULL: there is none.
   The caller frees it with g_free(). */
char *program_path(const char *name);

#endif
