#ifndef PORTCULLIS_LISTING_H
#define PORTCULLIS_LISTING_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "table.h"

/* Rows under columns that are named once: a table for people, JSON or CSV for
   programs. */
enum listing_format {
	LISTING_TABLE,
	LISTING_CSV,
	LISTING_JSON, /* each row is printed when it comes */
	/* A part of a larger JSON, not printed: an array of objects, or an object of
	   objects by what stands in the first column. */
	LISTING_ARRAY,
	LISTING_OBJECT
};

/* As the options --csv and --json want it; a table without them. */
enum listing_format listing_format(bool csv, bool json);

struct column {
	const char *title;     /* in a table; NULL: not in it */
	const char *key;       /* in JSON and CSV; NULL: not in them */
	enum column_kind kind; /* in a table */
};

/* What stands in a column. The texts are UTF-8 and are the caller's; those called shown
   stand in a table, where people want it other than programs. */
struct cell {
	enum { CELL_TEXT, CELL_NUMBER, CELL_TIME, CELL_DATE, CELL_FLAG, CELL_LIST, CELL_JSON } type;
	const char *text, *shown;
	int64_t number;
	json_t *json;
};

struct cell cell_text(const char *text); /* NULL: null, or empty */
struct cell cell_text_shown(const char *text, const char *shown);
struct cell cell_number(uint64_t number);
struct cell cell_time(int64_t milliseconds, const char *shown); /* UTC; since 1970 */
struct cell cell_date(time_t date, const char *shown);          /* as json_date() has it */
struct cell cell_flag(bool flag);
struct cell cell_list(const char *items);               /* "a,b": an array */
struct cell cell_json(json_t *json, const char *shown); /* not in CSV; takes the reference */

struct listing;

/* columns must outlive the listing. */
struct listing *listing_begin(enum listing_format format, const struct column *columns,
			      size_t count);

/* One cell for each column. */
void listing_add(struct listing *listing, const struct cell cells[]);

/* Prints what is not printed yet, and frees the listing. if_empty: what is said instead
   of a table without rows; NULL: its titles. */
void listing_end(struct listing *listing, const char *if_empty);

/* Frees a LISTING_ARRAY or LISTING_OBJECT and returns what it is, which the caller
   owns. */
json_t *listing_end_json(struct listing *listing);

/* Frees a listing that could not be completed. */
void listing_abandon(struct listing *listing);

#endif
