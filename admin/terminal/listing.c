#include "listing.h"

#include <glib.h>
#include <stdio.h>

#include "csv.h"
#include "display.h"
#include "json-output.h"
#include "wrapped-text.h"

#define CELL_TEXT_SIZE MAX(MAX(UTC_TEXT_SIZE, JSON_DATE_TEXT_SIZE), NUMBER_TEXT_SIZE)

struct listing {
	enum listing_format format;
	const struct column *columns;
	size_t column_count, row_count;
	struct table_column *titles; /* of the table */
	struct table *table;
	json_t *json; /* an array or object */

	/* Of a row that is being added. */
	const char **texts;
	char (*buffers)[CELL_TEXT_SIZE];
};

enum listing_format listing_format(bool csv, bool json)
{
	return csv ? LISTING_CSV : json ? LISTING_JSON : LISTING_TABLE;
}

/* ---- cells ---- */

struct cell cell_text(const char *text)
{
	return (struct cell){.type = CELL_TEXT, .text = text};
}

struct cell cell_text_shown(const char *text, const char *shown)
{
	return (struct cell){.type = CELL_TEXT, .text = text, .shown = shown};
}

struct cell cell_number(uint64_t number)
{
	return (struct cell){.type = CELL_NUMBER, .number = (int64_t)number};
}

struct cell cell_time(int64_t milliseconds, const char *shown)
{
	return (struct cell){.type = CELL_TIME, .number = milliseconds, .shown = shown};
}

struct cell cell_date(time_t date, const char *shown)
{
	return (struct cell){.type = CELL_DATE, .number = date, .shown = shown};
}

struct cell cell_flag(bool flag)
{
	return (struct cell){.type = CELL_FLAG, .number = flag};
}

struct cell cell_list(const char *items)
{
	return (struct cell){.type = CELL_LIST, .text = items};
}

struct cell cell_json(json_t *json, const char *shown)
{
	return (struct cell){.type = CELL_JSON, .json = json, .shown = shown};
}

static json_t *list_json(const char *items)
{
	json_t *array = json_array();
	char **list = g_strsplit(items, ",", -1);

	for (size_t i = 0; list[i] != NULL; i++)
		json_array_append_new(array, json_string(list[i]));
	g_strfreev(list);
	return array;
}

static json_t *value_json(const struct cell *cell)
{
	char time[UTC_TEXT_SIZE];

	switch (cell->type) {
	case CELL_TEXT:
		return cell->text == NULL ? json_null() : json_string(cell->text);
	case CELL_NUMBER:
		return json_integer(cell->number);
	case CELL_TIME:
		return json_string(utc_format(cell->number, time));
	case CELL_DATE:
		return json_date((time_t)cell->number);
	case CELL_FLAG:
		return json_boolean(cell->number);
	case CELL_LIST:
		return list_json(cell->text);
	case CELL_JSON:
		break;
	}
	return json_incref(cell->json);
}

static const char *value_text(const struct cell *cell, char text_r[static CELL_TEXT_SIZE])
{
	const char *text = cell->text;

	switch (cell->type) {
	case CELL_NUMBER:
		return number_format((uint64_t)cell->number, text_r);
	case CELL_TIME:
		return utc_format(cell->number, text_r);
	case CELL_DATE:
		text = json_date_format((time_t)cell->number, text_r);
		break;
	case CELL_FLAG:
		return cell->number ? "true" : "false";
	case CELL_TEXT:
	case CELL_LIST:
	case CELL_JSON:
		break;
	}
	return text == NULL ? "" : text;
}

/* ---- rows ---- */

static bool is_shown(const struct listing *listing, const struct column *column)
{
	return (listing->format == LISTING_TABLE ? column->title : column->key) != NULL;
}

static json_t *row_json(const struct listing *listing, const struct cell cells[])
{
	json_t *row = json_object();

	for (size_t i = 0; i < listing->column_count; i++) {
		if (is_shown(listing, &listing->columns[i]))
			json_object_set_new_nocheck(row, listing->columns[i].key,
						    value_json(&cells[i]));
	}
	return row;
}

/* Prints an element of the array that is printed row by row, so that a long one is never
   in memory as a whole. */
static void print_json(const struct listing *listing, json_t *row)
{
	/* json_dumpf() would write each word of it by itself. */
	char text[4096];
	size_t length = json_dumpb(row, text, sizeof(text), JSON_OUTPUT_FLAGS);

	fputs(listing->row_count == 0 ? "\n  " : ",\n  ", stdout);
	if (length <= sizeof(text))
		fwrite(text, 1, length, stdout);
	else
		json_dumpf(row, stdout, JSON_OUTPUT_FLAGS);
	json_decref(row);
}

/* The texts of a row; returns how many of them the format has. */
static size_t find_texts(const struct listing *listing, const struct cell cells[])
{
	bool table = listing->format == LISTING_TABLE;
	size_t count = 0;

	for (size_t i = 0; i < listing->column_count; i++) {
		if (is_shown(listing, &listing->columns[i]))
			listing->texts[count++] =
				table && cells[i].shown != NULL
					? cells[i].shown
					: value_text(&cells[i], listing->buffers[i]);
	}
	return count;
}

void listing_add(struct listing *listing, const struct cell cells[])
{
	size_t count;

	switch (listing->format) {
	case LISTING_TABLE:
		find_texts(listing, cells);
		table_add(listing->table, listing->texts);
		break;
	case LISTING_CSV:
		count = find_texts(listing, cells);
		csv_print(listing->texts, count);
		break;
	case LISTING_JSON:
		print_json(listing, row_json(listing, cells));
		break;
	case LISTING_ARRAY:
		json_array_append_new(listing->json, row_json(listing, cells));
		break;
	case LISTING_OBJECT:
		json_object_set_new(listing->json, cells[0].text, row_json(listing, cells));
		break;
	}
	listing->row_count++;
	for (size_t i = 0; i < listing->column_count; i++)
		json_decref(cells[i].json);
}

/* ---- the whole ---- */

static void begin_table(struct listing *listing)
{
	size_t count = 0;

	listing->titles = g_new(struct table_column, listing->column_count);
	for (size_t i = 0; i < listing->column_count; i++) {
		const struct column *column = &listing->columns[i];

		if (is_shown(listing, column))
			listing->titles[count++] =
				(struct table_column){column->title, column->kind};
	}
	listing->table = table_create(listing->titles, count);
}

static void print_keys(const struct listing *listing)
{
	size_t count = 0;

	for (size_t i = 0; i < listing->column_count; i++) {
		if (is_shown(listing, &listing->columns[i]))
			listing->texts[count++] = listing->columns[i].key;
	}
	csv_print(listing->texts, count);
}

struct listing *listing_begin(enum listing_format format, const struct column *columns,
			      size_t count)
{
	struct listing *listing = g_new0(struct listing, 1);

	listing->format = format;
	listing->columns = columns;
	listing->column_count = count;
	listing->texts = g_new(const char *, count);
	listing->buffers = g_malloc_n(count, CELL_TEXT_SIZE);
	switch (format) {
	case LISTING_TABLE:
		begin_table(listing);
		break;
	case LISTING_CSV:
		print_keys(listing);
		break;
	case LISTING_JSON:
		putchar('[');
		break;
	case LISTING_ARRAY:
		listing->json = json_array();
		break;
	case LISTING_OBJECT:
		listing->json = json_object();
		break;
	}
	return listing;
}

void listing_abandon(struct listing *listing)
{
	if (listing->table != NULL)
		table_free(listing->table);
	json_decref(listing->json);
	g_free(listing->titles);
	g_free(listing->texts);
	g_free(listing->buffers);
	g_free(listing);
}

void listing_end(struct listing *listing, const char *if_empty)
{
	if (listing->format == LISTING_JSON)
		puts(listing->row_count == 0 ? "]" : "\n]");
	else if (listing->format == LISTING_TABLE && listing->row_count == 0 && if_empty != NULL)
		wrapped_line_print(0, "%s", if_empty);
	else if (listing->format == LISTING_TABLE)
		table_print(listing->table);
	listing_abandon(listing);
}

json_t *listing_end_json(struct listing *listing)
{
	json_t *json = json_incref(listing->json);

	listing_abandon(listing);
	return json;
}
