#include "table.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "terminal-text.h"

#define SHRUNK_WIDTH_MIN 8

struct table {
	const struct table_column *columns;
	size_t column_count;
	size_t *widths;
	GString *text; /* the cells, made safe, each with its NUL */
	size_t row_count;
};

struct table *table_create(const struct table_column *columns, size_t count)
{
	struct table *table = g_new0(struct table, 1);

	table->columns = columns;
	table->column_count = count;
	table->widths = g_new0(size_t, count);
	table->text = g_string_new(NULL);
	for (size_t i = 0; i < count; i++)
		table->widths[i] = strlen(columns[i].title);
	return table;
}

void table_free(struct table *table)
{
	g_free(table->widths);
	g_string_free(table->text, TRUE);
	g_free(table);
}

void table_add(struct table *table, const char *const cells[])
{
	for (size_t i = 0; i < table->column_count; i++) {
		size_t width = terminal_text_append(table->text, cells[i], TABLE_WIDTH);

		g_string_append_c(table->text, '\0');
		if (width > table->widths[i])
			table->widths[i] = width;
	}
	table->row_count++;
}

static size_t total(const size_t *widths, size_t count, size_t gap)
{
	size_t sum = (count - 1) * gap;

	for (size_t i = 0; i < count; i++)
		sum += widths[i];
	return sum;
}

/* The widest column of a kind that can still be cut; count when there is none. */
static size_t widest(const struct table *table, const size_t *widths, enum column_kind kind)
{
	size_t found = table->column_count;

	for (size_t i = 0; i < table->column_count; i++) {
		if (table->columns[i].kind == kind && widths[i] > SHRUNK_WIDTH_MIN &&
		    (found == table->column_count || widths[i] > widths[found]))
			found = i;
	}
	return found;
}

static void shrink(const struct table *table, size_t *widths, size_t gap, enum column_kind kind)
{
	size_t column;

	while (total(widths, table->column_count, gap) > TABLE_WIDTH &&
	       (column = widest(table, widths, kind)) < table->column_count)
		widths[column]--;
}

/* Makes the columns fit; returns the gap between them. */
static size_t fit(const struct table *table, size_t *widths)
{
	size_t gap = total(widths, table->column_count, 2) <= TABLE_WIDTH ? 2 : 1;
	size_t excess, column;

	shrink(table, widths, gap, COLUMN_SHRINKS_FIRST);
	shrink(table, widths, gap, COLUMN_SHRINKS);
	if (total(widths, table->column_count, gap) > TABLE_WIDTH) {
		excess = total(widths, table->column_count, gap) - TABLE_WIDTH;
		column = table->column_count - 1;
		widths[column] = widths[column] > excess ? widths[column] - excess : 0;
	}
	return gap;
}

static void append_blanks(GString *line, size_t count)
{
	while (count-- > 0)
		g_string_append_c(line, ' ');
}

static void print_row(const struct table *table, const size_t *widths, size_t gap,
		      const char *const cells[], GString *line)
{
	g_string_truncate(line, 0);
	for (size_t i = 0; i < table->column_count; i++) {
		size_t start = line->len;
		size_t used = terminal_text_append(line, cells[i], widths[i]);

		if (table->columns[i].kind == COLUMN_NUMBER) {
			while (used++ < widths[i])
				g_string_insert_c(line, (gssize)start, ' ');
		} else if (i + 1 < table->column_count) {
			append_blanks(line, widths[i] - used);
		}
		if (i + 1 < table->column_count)
			append_blanks(line, gap);
	}
	while (line->len > 0 && line->str[line->len - 1] == ' ')
		g_string_truncate(line, line->len - 1);
	puts(line->str);
}

void table_print(const struct table *table)
{
	size_t *widths = g_memdup2(table->widths, table->column_count * sizeof(*widths));
	const char **cells = g_new(const char *, table->column_count);
	GString *line = g_string_new(NULL);
	size_t gap = fit(table, widths);
	const char *cell = table->text->str;

	for (size_t i = 0; i < table->column_count; i++)
		cells[i] = table->columns[i].title;
	print_row(table, widths, gap, cells, line);
	for (size_t row = 0; row < table->row_count; row++) {
		for (size_t i = 0; i < table->column_count; i++) {
			cells[i] = cell;
			cell += strlen(cell) + 1;
		}
		print_row(table, widths, gap, cells, line);
	}
	g_string_free(line, TRUE);
	g_free(cells);
	g_free(widths);
}
