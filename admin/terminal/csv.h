#ifndef PORTCULLIS_CSV_H
#define PORTCULLIS_CSV_H

#include <stddef.h>

/* Prints a line of CSV (RFC 4180) to standard output. What strangers chose is made
   harmless for terminals, and for spreadsheets: a field that one would take for a
   formula gets an apostrophe in front. */
void csv_print(const char *const fields[], size_t count);

#endif
