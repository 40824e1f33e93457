#ifndef PORTCULLIS_TABLE_H
#define PORTCULLIS_TABLE_H

#include <stddef.h>

/* In which order columns are cut when the table is too wide for the terminal: numbers, and
   what is worth nothing when it is cut, never, and the last are those that say whom or what
   a row is about. */
enum column_kind {
	COLUMN_NUMBER,
	COLUMN_WHOLE, /* a date, for instance */
	COLUMN_SHRINKS_FIRST,
	COLUMN_SHRINKS,
	COLUMN_TEXT, /* short: only where those are not enough */
	COLUMN_SHRINKS_LAST
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

/* To standard output, the titles first. On a terminal every line fits: where so little would
   be left of the columns that nobody could read it, each row takes several lines, a cell
   with its title on each, and nothing is cut. Elsewhere nothing is cut either. */
void table_print(const struct table *table);

#endif
