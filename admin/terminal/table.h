#ifndef PORTCULLIS_TABLE_H
#define PORTCULLIS_TABLE_H

#include <stddef.h>

/* A table on a terminal of 100 columns. */
#define TABLE_WIDTH 100

enum column_kind {
	COLUMN_TEXT,
	COLUMN_NUMBER,
	COLUMN_SHRINKS,      /* text that is cut when the table is too wide */
	COLUMN_SHRINKS_FIRST /* before the others */
};

struct table_column {
	const char *title;
	enum column_kind kind;
};

struct table;

/* columns must outlive the table. */
struct table *table_create(const struct table_column *columns, size_t count);
void table_free(struct table *table);

/* One cell for each column. What they hold can do nothing to a terminal. */
void table_add(struct table *table, const char *const cells[]);

/* To standard output, the titles first. Every line fits, as long as the
   columns that do not shrink leave room: where those that do are not enough, the last
   one is cut. */
void table_print(const struct table *table);

#endif
