#ifndef PORTCULLIS_POSTGRESQL_PARAMETERS_H
#define PORTCULLIS_POSTGRESQL_PARAMETERS_H

#include <glib.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "admin/store/store-copy.h"

/* What goes into a statement and what comes out of it, in PostgreSQL's binary form. Times are
   milliseconds since 1970, UTC, days those since 1970; in the database they are timestamptz
   and date. */

#define PARAMETERS_MAX 20

/* $1, $2 and so on, in the order in which they are added. Begins as {0}; whoever runs the
   statement frees them. */
struct parameters {
	int count;
	Oid types[PARAMETERS_MAX];
	GByteArray *values[PARAMETERS_MAX]; /* NULL: SQL's */
};

enum parameter_type {
	PARAMETER_BOOLEAN,
	PARAMETER_SMALLINT,
	PARAMETER_INTEGER,
	PARAMETER_BIGINT,
	PARAMETER_TIME, /* 0 is SQL's NULL: it is not known, or has not come yet */
	PARAMETER_DAY,
};
void parameter_add(struct parameters *parameters, enum parameter_type type, int64_t value);

/* NULL is SQL's. What is no UTF-8 is made so, and what is longer than TEXT_MAX is cut, but
   for a digest of it: an index takes no more. */
#define TEXT_MAX 1024
void parameter_add_text(struct parameters *parameters, const char *text);
/* Of what no index has, and nobody looks for. */
void parameter_add_long_text(struct parameters *parameters, const char *text);
void parameter_add_bytes(struct parameters *parameters, const void *bytes, size_t length);

/* Those for unnest(): the array is filled by the functions below, and belongs to the
   parameters. */
GByteArray *parameter_add_array(struct parameters *parameters, enum parameter_type type);
GByteArray *parameter_add_text_array(struct parameters *parameters);
GByteArray *parameter_add_bytes_array(struct parameters *parameters);
void array_add(GByteArray *array, enum parameter_type type, int64_t value);
void array_add_text(GByteArray *array, const char *text);
/* Of what has no limit, as rule sets. */
void array_add_long_text(GByteArray *array, const char *text);
void array_add_bytes(GByteArray *array, const void *bytes, size_t length);

/* One for each of the columns, which are as those of store-copy.h. */
void parameter_add_columns(struct parameters *parameters, const char *columns);
/* Adds a row to those that begin at the parameter first. */
void array_add_row(struct parameters *parameters, int first, const char *columns,
		   const struct store_value values[]);

void parameters_clear(struct parameters *parameters);

/* As libpq wants them, of parameters that are borrowed. */
struct arguments {
	const char *values[PARAMETERS_MAX];
	int lengths[PARAMETERS_MAX], formats[PARAMETERS_MAX];
};
void arguments_of(const struct parameters *parameters, struct arguments *arguments_r);

/* The text as parameters have it, which the caller frees. */
char *text_as_stored(const char *text);

/* ---- results ---- */

/* Of any whole number or boolean; 0 where it is NULL. */
int64_t result_number(const PGresult *result, int row, int column);
/* 0 to limit - 1; 0 for any other, which stands only in a store that somebody has written to
   by hand. */
int result_below(const PGresult *result, int row, int column, int limit);
int64_t result_time(const PGresult *result, int row, int column);
int64_t result_day(const PGresult *result, int row, int column);
/* "" where it is NULL; belongs to the result. */
const char *result_text(const PGresult *result, int row, int column);

#endif
