#ifndef PORTCULLIS_COUNTRY_DATABASE_H
#define PORTCULLIS_COUNTRY_DATABASE_H

#include "policy.h"

/* A MaxMind DB file (https://maxmind.github.io/MaxMind-DB/) that tells the
   country of an address, in MaxMind's nested layout (country/iso_code) or the
   flat one (country_code). The file is copied into memory when it is opened:
   what happens to it on the disk afterwards, overwriting and cutting short
   included, cannot hurt a lookup. Never changes, so threads may share it. */
struct country_database;

/* Reads and checks the whole file. NULL when it is missing, is no MaxMind DB, is
   damaged, holds no countries, or memory is short; *error_r, which begins with the
   path, is then allocated for the caller to free, or NULL without memory. Never call it where a decision waits: it reads a disk. */
struct country_database *country_database_open(const char *path, char **error_r);
void country_database_close(struct country_database *database);

/* The country of an address; "" when the database does not know it. The prefix
   length of the network that the answer holds for (IPv4: 0 to 32) goes to
   *prefix_length_r unless that is NULL. */
struct country country_database_lookup(const struct country_database *database,
				       const struct address *address,
				       unsigned int *prefix_length_r);

/* When the database was built, seconds since 1970, as it says itself. */
time_t country_database_built(const struct country_database *database);

/* Of the whole file: another number when anything in it differs. */
uint64_t country_database_digest(const struct country_database *database);

#endif
