#include "table.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "terminal-text.h"
#include "terminal-width.h"
#include "wrapped-text.h"

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
		size_t width = terminal_text_append(table->text, cells[i], SIZE_MAX);

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

/* How far columns are cut, one step after the other until the table fits. */
static const struct step {
	enum column_kind kind;
	size_t least; /* the width that is left, of which something can still be read */
} steps[] = {
	{COLUMN_SHRINKS_FIRST, 8}, {COLUMN_SHRINKS, 8},       {COLUMN_SHRINKS_FIRST, 4},
	{COLUMN_SHRINKS, 6},       {COLUMN_SHRINKS_LAST, 24}, {COLUMN_TEXT, 6},
	{COLUMN_SHRINKS_LAST, 8},
};

/* The widest column that a step can still cut; column_count when there is none. */
static size_t widest(const struct table *table, const size_t *widths, const struct step *step)
{
	size_t found = table->column_count;

	for (size_t i = 0; i < table->column_count; i++) {
		if (table->columns[i].kind == step->kind && widths[i] > step->least &&
		    (found == table->column_count || widths[i] > widths[found]))
			found = i;
	}
	return found;
}

/* Makes the columns fit, with *gap_r between them; false when they cannot. */
static bool fit(const struct table *table, size_t *widths, size_t room, size_t *gap_r)
{
	size_t gap = total(widths, table->column_count, 2) <= room ? 2 : 1;
	size_t column;

	for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
		while (total(widths, table->column_count, gap) > room &&
		       (column = widest(table, widths, &steps[i])) < table->column_count)
			widths[column]--;
	}
	*gap_r = gap;
	return total(widths, table->column_count, gap) <= room;
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

/* ---- rows of several lines ---- */

#define CELL_INDENT 2

/* A cell behind its title, which may be padded to make the column wide, or be "". */
static void print_cell(const char *title, const char *cell, size_t indent, size_t width)
{
	size_t length = strlen(title);
	char *text;

	while (length > 0 && title[length - 1] == ' ')
		length--;
	text = g_strdup_printf("%.*s%s%s", (int)length, title, length == 0 ? "" : ": ", cell);
	if (indent > width / 4)
		indent = width / 4;
	printf("%*s", (int)indent, "");
	wrapped_text_print(text, indent, indent + CELL_INDENT, width);
	g_free(text);
}

/* The first cell heads the others; what is empty needs no line. */
static void print_rows_of_lines(const struct table *table, size_t width)
{
	const char *cell = table->text->str;

	for (size_t row = 0; row < table->row_count; row++) {
		for (size_t i = 0; i < table->column_count; i++) {
			if (i == 0 || *cell != '\0')
				print_cell(table->columns[i].title, cell, i == 0 ? 0 : CELL_INDENT,
					   width);
			cell += strlen(cell) + 1;
		}
	}
}

/* ---- the whole ---- */

static void print_rows(const struct table *table, const size_t *widths, size_t gap)
{
	const char **cells = g_new(const char *, table->column_count);
	GString *line = g_string_new(NULL);
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
}

void table_print(const struct table *table)
{
	size_t *widths = g_memdup2(table->widths, table->column_count * sizeof(*widths));
	size_t width = terminal_width(), gap;

	if (fit(table, widths, width, &gap))
		print_rows(table, widths, gap);
	else
		print_rows_of_lines(table, width);
	g_free(widths);
}
