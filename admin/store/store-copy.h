#ifndef PORTCULLIS_STORE_COPY_H
#define PORTCULLIS_STORE_COPY_H

#include "store.h"

/* All that a store has, row by row, so that another kind of store can take it over. What each
   host counted becomes this host's where it comes from a file, and is added up where it goes
   into one; of positions, a file gets those of this host. */

enum store_table {
	TABLE_HABITS,
	TABLE_RULE_SETS,
	TABLE_USERS,
	TABLE_SIGHTINGS,
	TABLE_SERVERS,
	TABLE_NAMED_TLS,
	TABLE_COVERAGE,
	TABLE_DAYS,
	TABLE_WRITERS,
	TABLE_TOTALS,
	TABLE_HOSTS,
	TABLE_FILES,
	TABLE_LOGS,
	TABLE_LOG_JOINS,
	TABLE_LOG_SERVICES,
	TABLE_LOG_CONNECTIONS,
	TABLE_NOTICES,
	TABLE_SHARED_TEXTS,
	TABLE_TAKEN_IN,
	STORE_TABLE_COUNT
};

/* What stands in a column of a table, one letter each:

   i  a number
   b  true or false
   T  a time; 0: none
   d  a day
   t  a text, or NULL
   l  the same, however long it is
   x  bytes */
extern const char *const store_table_columns[STORE_TABLE_COUNT];
extern const char *const store_table_names[STORE_TABLE_COUNT];
#define STORE_COLUMNS_MAX 16

struct store_value {
	int64_t number;
	const char *text; /* of t, l and x */
	size_t length;    /* of x */
};

/* One value for each column, which live until the visit returns. False ends the iteration:
   somebody has failed. */
typedef bool store_visit_row(void *context, const struct store_value values[]);

/* In the order in which they came; between store_begin_reading() and store_commit(). */
bool store_read_table(struct store *store, enum store_table table, store_visit_row *visit,
		      void *context);

/* How many rows that are, or were written. */
bool store_count_table(struct store *store, enum store_table table, int64_t *count_r);

/* Adds a row to a store that was empty; tables come in the order of their numbers. Between
   store_begin() and store_end_copy(). */
bool store_write_row(struct store *store, enum store_table table,
		     const struct store_value values[]);

/* Before store_commit(): from now on, what is added gets ids behind those that were copied. */
bool store_end_copy(struct store *store);

/* Copies all from a store that is open for reading to an empty one that is open for writing,
   in one transaction, and compares how many rows they have then. told: of which store's
   failure to tell. A function that is called for each row; NULL: none. */
bool store_copy(struct store *from, struct store *to, void (*progress)(void *context),
		void *context, struct store **told);

#endif
