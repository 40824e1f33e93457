#include "parameters.h"

#include <string.h>

/* Between 1970 and 2000, with which PostgreSQL begins. */
#define EPOCH_DAYS INT64_C(10957)
#define EPOCH_MILLISECONDS (EPOCH_DAYS * 86400000)

/* The numbers that pg_type has of them since ever. */
static const struct type {
	Oid oid, array;
	int32_t length;
} types[] = {
	[PARAMETER_BOOLEAN] = {16, 1000, 1}, [PARAMETER_SMALLINT] = {21, 1005, 2},
	[PARAMETER_INTEGER] = {23, 1007, 4}, [PARAMETER_BIGINT] = {20, 1016, 8},
	[PARAMETER_TIME] = {1184, 1185, 8},  [PARAMETER_DAY] = {1082, 1182, 4},
};

#define TEXT_OID 25
#define TEXT_ARRAY_OID 1009
#define BYTEA_OID 17
#define BYTEA_ARRAY_OID 1001

/* ---- values ---- */

static void append(GByteArray *array, int64_t value, int length)
{
	guint64 big = GUINT64_TO_BE((guint64)value);

	g_byte_array_append(array, (const guint8 *)&big + 8 - length, (guint)length);
}

static int64_t as_stored(enum parameter_type type, int64_t value)
{
	if (type == PARAMETER_TIME)
		return (value - EPOCH_MILLISECONDS) * 1000;
	return type == PARAMETER_DAY ? value - EPOCH_DAYS : value;
}

static bool is_null(enum parameter_type type, int64_t value)
{
	return type == PARAMETER_TIME && value == 0;
}

/* Up to the end of a character; what follows is told by its digest. */
static char *cut(const char *text)
{
	size_t kept = TEXT_MAX - 80;
	char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
	char *stored;

	while (((unsigned char)text[kept] & 0xc0) == 0x80)
		kept--;
	stored = g_strdup_printf("%.*s...%s", (int)kept, text, digest);
	g_free(digest);
	return stored;
}

char *text_as_stored(const char *text)
{
	char *valid = g_utf8_validate(text, -1, NULL) ? NULL : g_utf8_make_valid(text, -1);
	char *stored;

	if (valid != NULL)
		text = valid;
	stored = strlen(text) > TEXT_MAX ? cut(text) : g_strdup(text);
	g_free(valid);
	return stored;
}

/* ---- parameters ---- */

static GByteArray *add(struct parameters *parameters, Oid type, bool null)
{
	int place = parameters->count++;

	g_assert(place < PARAMETERS_MAX);
	parameters->types[place] = type;
	parameters->values[place] = null ? NULL : g_byte_array_new();
	return parameters->values[place];
}

void parameter_add(struct parameters *parameters, enum parameter_type type, int64_t value)
{
	GByteArray *bytes = add(parameters, types[type].oid, is_null(type, value));

	if (bytes != NULL)
		append(bytes, as_stored(type, value), types[type].length);
}

/* Takes the text over. */
static void add_own_text(struct parameters *parameters, char *text)
{
	GByteArray *bytes = add(parameters, TEXT_OID, text == NULL);

	if (bytes != NULL)
		g_byte_array_append(bytes, (const guint8 *)text, (guint)strlen(text));
	g_free(text);
}

void parameter_add_text(struct parameters *parameters, const char *text)
{
	add_own_text(parameters, text == NULL ? NULL : text_as_stored(text));
}

void parameter_add_long_text(struct parameters *parameters, const char *text)
{
	add_own_text(parameters, text == NULL ? NULL : g_utf8_make_valid(text, -1));
}

void parameter_add_bytes(struct parameters *parameters, const void *bytes, size_t length)
{
	g_byte_array_append(add(parameters, BYTEA_OID, false), bytes, (guint)length);
}

void parameters_clear(struct parameters *parameters)
{
	for (int i = 0; i < parameters->count; i++) {
		if (parameters->values[i] != NULL)
			g_byte_array_unref(parameters->values[i]);
	}
	parameters->count = 0;
}

/* ---- arrays ---- */

/* Dimensions, whether NULLs come, type, number of elements and the first one's number. */
#define COUNT_OFFSET 12

static GByteArray *add_array(struct parameters *parameters, Oid array_type, Oid type)
{
	GByteArray *array = add(parameters, array_type, false);

	append(array, 1, 4);
	append(array, 1, 4);
	append(array, type, 4);
	append(array, 0, 4);
	append(array, 1, 4);
	return array;
}

GByteArray *parameter_add_array(struct parameters *parameters, enum parameter_type type)
{
	return add_array(parameters, types[type].array, types[type].oid);
}

GByteArray *parameter_add_text_array(struct parameters *parameters)
{
	return add_array(parameters, TEXT_ARRAY_OID, TEXT_OID);
}

GByteArray *parameter_add_bytes_array(struct parameters *parameters)
{
	return add_array(parameters, BYTEA_ARRAY_OID, BYTEA_OID);
}

static void count_element(GByteArray *array)
{
	guint32 count;

	memcpy(&count, array->data + COUNT_OFFSET, sizeof(count));
	count = GUINT32_TO_BE(GUINT32_FROM_BE(count) + 1);
	memcpy(array->data + COUNT_OFFSET, &count, sizeof(count));
}

void array_add(GByteArray *array, enum parameter_type type, int64_t value)
{
	count_element(array);
	if (is_null(type, value)) {
		append(array, -1, 4);
		return;
	}
	append(array, types[type].length, 4);
	append(array, as_stored(type, value), types[type].length);
}

void array_add_bytes(GByteArray *array, const void *bytes, size_t length)
{
	count_element(array);
	append(array, (int64_t)length, 4);
	g_byte_array_append(array, bytes, (guint)length);
}

/* Takes the text over. */
static void array_add_own_text(GByteArray *array, char *text)
{
	if (text != NULL) {
		array_add_bytes(array, text, strlen(text));
	} else {
		count_element(array);
		append(array, -1, 4);
	}
	g_free(text);
}

void array_add_text(GByteArray *array, const char *text)
{
	array_add_own_text(array, text == NULL ? NULL : text_as_stored(text));
}

void array_add_long_text(GByteArray *array, const char *text)
{
	array_add_own_text(array, text == NULL ? NULL : g_utf8_make_valid(text, -1));
}

/* ---- rows ---- */

static enum parameter_type type_of(char column)
{
	switch (column) {
	case 'b':
		return PARAMETER_BOOLEAN;
	case 'T':
		return PARAMETER_TIME;
	case 'd':
		return PARAMETER_DAY;
	default:
		return PARAMETER_BIGINT;
	}
}

void parameter_add_columns(struct parameters *parameters, const char *columns)
{
	for (; *columns != '\0'; columns++) {
		if (*columns == 't' || *columns == 'l')
			parameter_add_text_array(parameters);
		else if (*columns == 'x')
			parameter_add_bytes_array(parameters);
		else
			parameter_add_array(parameters, type_of(*columns));
	}
}

static void add_value(GByteArray *array, char column, const struct store_value *value)
{
	if (column == 't')
		array_add_text(array, value->text);
	else if (column == 'l')
		array_add_long_text(array, value->text);
	else if (column == 'x')
		array_add_bytes(array, value->text, value->length);
	else
		array_add(array, type_of(column), value->number);
}

void array_add_row(struct parameters *parameters, int first, const char *columns,
		   const struct store_value values[])
{
	for (int i = 0; columns[i] != '\0'; i++)
		add_value(parameters->values[first + i], columns[i], &values[i]);
}

void arguments_of(const struct parameters *parameters, struct arguments *arguments_r)
{
	for (int i = 0; i < parameters->count; i++) {
		const GByteArray *value = parameters->values[i];

		/* What is empty is not NULL. */
		arguments_r->values[i] = value == NULL     ? NULL
					 : value->len == 0 ? ""
							   : (char *)value->data;
		arguments_r->lengths[i] = value == NULL ? 0 : (int)value->len;
		arguments_r->formats[i] = 1;
	}
}

/* ---- results ---- */

int64_t result_number(const PGresult *result, int row, int column)
{
	int length = PQgetlength(result, row, column);
	const unsigned char *bytes = (const unsigned char *)PQgetvalue(result, row, column);
	uint64_t number = length > 0 && bytes[0] >= 0x80 && length > 1 ? UINT64_MAX : 0;

	for (int i = 0; i < length; i++)
		number = number << 8 | bytes[i];
	return (int64_t)number;
}

int result_below(const PGresult *result, int row, int column, int limit)
{
	int64_t number = result_number(result, row, column);

	return number < 0 || number >= limit ? 0 : (int)number;
}

int64_t result_time(const PGresult *result, int row, int column)
{
	int64_t stored = result_number(result, row, column);

	/* The ends are SQL's infinity. */
	if (PQgetisnull(result, row, column) != 0 || stored == INT64_MIN || stored == INT64_MAX)
		return 0;
	/* Towards the past, as all that is rounded. */
	return (stored - (stored % 1000 + 1000) % 1000) / 1000 + EPOCH_MILLISECONDS;
}

int64_t result_day(const PGresult *result, int row, int column)
{
	return PQgetisnull(result, row, column) != 0
		       ? 0
		       : result_number(result, row, column) + EPOCH_DAYS;
}

const char *result_text(const PGresult *result, int row, int column)
{
	return PQgetvalue(result, row, column);
}
