#include "log-record.h"

#include <glib.h>
#include <stdint.h>

#include "json-unescape.h"

/* Of all fields of a record: what is longer is no login's. */
#define RECORD_SIZE ((size_t)64 << 10)

/* Nesting of JSON that nobody writes into a log. */
#define DEPTH_MAX 32

/* Bytes that say how long a field is. */
#define SIZE_LENGTH 8

enum part {
	PART_NONE, /* no record has begun */
	PART_FIELDS,
	PART_SIZE,    /* of a field that may hold newlines */
	PART_DATA,    /* its content */
	PART_NEWLINE, /* behind it */
	PART_LOST,    /* a record that could not be read goes on to the next empty line */
};

struct log_record {
	struct log_slice fields[LOG_FIELD_COUNT];
	size_t used; /* of text */
	/* Of the export format. */
	enum part part;
	int field;               /* whose content comes, -1 one that nobody asks for */
	unsigned int size_count; /* bytes of the size that were read */
	uint64_t size;           /* bytes that come still */
	char text[RECORD_SIZE];
};

struct log_record *log_record_create(void)
{
	struct log_record *record = g_new(struct log_record, 1);

	log_record_clear(record);
	return record;
}

void log_record_free(struct log_record *record)
{
	g_free(record);
}

static void clear_fields(struct log_record *record)
{
	record->used = 0;
	for (int i = 0; i < LOG_FIELD_COUNT; i++)
		record->fields[i] = log_slice("");
}

void log_record_clear(struct log_record *record)
{
	clear_fields(record);
	record->part = PART_NONE;
}

struct log_slice log_record_get(const struct log_record *record, enum log_field field)
{
	return record->fields[field];
}

/* ---- fields ---- */

/* The one of a name, or -1. */
static int field_of(struct log_slice name)
{
	static const struct {
		const char *name;
		enum log_field field;
	} names[] = {
		/* Docker's */
		{"log", LOG_FIELD_MESSAGE},
		{"time", LOG_FIELD_TIME},
		/* the systemd journal's */
		{"MESSAGE", LOG_FIELD_MESSAGE},
		{"__REALTIME_TIMESTAMP", LOG_FIELD_MICROSECONDS},
		{"_HOSTNAME", LOG_FIELD_HOST},
		{"SYSLOG_IDENTIFIER", LOG_FIELD_PROGRAM},
		{"_COMM", LOG_FIELD_COMMAND},
		{"SYSLOG_PID", LOG_FIELD_PROCESS},
		{"_PID", LOG_FIELD_SENDER},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		if (log_slice_equals(name, names[i].name))
			return (int)names[i].field;
	}
	return -1;
}

static void begin_field(struct log_record *record, int field)
{
	record->field = field;
	if (field >= 0)
		record->fields[field] = (struct log_slice){record->text + record->used, 0};
}

/* Adds to what the field holds so far. */
static void add(struct log_record *record, const char *text, size_t length)
{
	if (record->field < 0)
		return;
	length = MIN(length, RECORD_SIZE - record->used);
	memcpy(record->text + record->used, text, length);
	record->used += length;
	record->fields[record->field].length += length;
}

/* ---- JSON ---- */

struct cursor {
	const char *next, *end;
};

static void skip_space(struct cursor *cursor)
{
	while (cursor->next < cursor->end && (*cursor->next == ' ' || *cursor->next == '\t' ||
					      *cursor->next == '\r' || *cursor->next == '\n'))
		cursor->next++;
}

static bool take(struct cursor *cursor, char c)
{
	skip_space(cursor);
	if (cursor->next == cursor->end || *cursor->next != c)
		return false;
	cursor->next++;
	return true;
}

/* A string as it is written, without its quotation marks. */
static bool take_string(struct cursor *cursor, struct log_slice *string_r)
{
	const char *begin, *end;

	if (!take(cursor, '"'))
		return false;
	begin = cursor->next;
	for (;;) {
		size_t backslashes = 0;

		end = memchr(cursor->next, '"', (size_t)(cursor->end - cursor->next));
		if (end == NULL)
			return false;
		cursor->next = end + 1;
		while (end - backslashes > begin && end[-1 - (ptrdiff_t)backslashes] == '\\')
			backslashes++;
		/* "\\" is a backslash, "\"" goes on. */
		if (backslashes % 2 == 0)
			break;
	}
	*string_r = (struct log_slice){begin, (size_t)(end - begin)};
	return true;
}

/* A number, true, false or null. */
static bool take_literal(struct cursor *cursor, struct log_slice *literal_r)
{
	const char *begin;

	skip_space(cursor);
	begin = cursor->next;
	while (cursor->next < cursor->end &&
	       (g_ascii_isalnum(*cursor->next) || strchr("+-.", *cursor->next) != NULL) &&
	       *cursor->next != '\0')
		cursor->next++;
	*literal_r = (struct log_slice){begin, (size_t)(cursor->next - begin)};
	return literal_r->length > 0;
}

/* An array or an object, whatever is in it. */
static bool skip_nested(struct cursor *cursor)
{
	unsigned int depth = 0;

	do {
		struct log_slice ignored;

		skip_space(cursor);
		if (cursor->next == cursor->end)
			return false;
		switch (*cursor->next) {
		case '[':
		case '{':
			cursor->next++;
			if (++depth > DEPTH_MAX)
				return false;
			break;
		case ']':
		case '}':
			cursor->next++;
			depth--;
			break;
		case ',':
		case ':':
			cursor->next++;
			break;
		case '"':
			if (!take_string(cursor, &ignored))
				return false;
			break;
		default:
			if (!take_literal(cursor, &ignored))
				return false;
		}
	} while (depth > 0);
	return true;
}

/* "[73,109]": the journal's way to write what is no UTF-8, or holds control characters. */
static bool take_bytes(struct log_record *record, struct cursor *cursor)
{
	struct cursor begin = *cursor;
	struct log_slice number;

	if (!take(cursor, '['))
		return false;
	do {
		unsigned int byte = 0;
		char c;

		if (!take_literal(cursor, &number) || number.length > 3)
			break;
		for (size_t i = 0; i < number.length && g_ascii_isdigit(number.text[i]); i++)
			byte = byte * 10 + (unsigned int)(number.text[i] - '0');
		c = (char)byte;
		add(record, &c, 1);
	} while (take(cursor, ','));
	if (take(cursor, ']'))
		return true;
	/* A field that the entry has several times; none of ours. */
	*cursor = begin;
	return skip_nested(cursor);
}

static void add_escaped(struct log_record *record, struct log_slice string)
{
	if (record->field < 0)
		return;
	/* No escape is cut in two: the rest of such a line is nothing. */
	if (string.length > RECORD_SIZE - record->used)
		return;
	string.length = json_unescape_into(string.text, string.length, record->text + record->used);
	record->used += string.length;
	record->fields[record->field].length += string.length;
}

static bool take_value(struct log_record *record, struct cursor *cursor)
{
	struct log_slice value;

	skip_space(cursor);
	if (cursor->next == cursor->end)
		return false;
	if (*cursor->next == '"') {
		if (!take_string(cursor, &value))
			return false;
		add_escaped(record, value);
		return true;
	}
	if (*cursor->next == '[' && record->field >= 0)
		return take_bytes(record, cursor);
	if (*cursor->next == '[' || *cursor->next == '{')
		return skip_nested(cursor);
	return take_literal(cursor, &value);
}

bool log_record_json(struct log_record *record, struct log_slice line)
{
	struct cursor cursor = {line.text, line.text + line.length};
	struct log_slice name;

	clear_fields(record);
	if (!take(&cursor, '{'))
		return false;
	do {
		if (!take_string(&cursor, &name) || !take(&cursor, ':'))
			return false;
		begin_field(record, field_of(name));
		if (!take_value(record, &cursor))
			return false;
	} while (take(&cursor, ','));
	return take(&cursor, '}') && record->fields[LOG_FIELD_MESSAGE].length > 0;
}

/* ---- journalctl -o export ---- */

/* One line between two empty ones: NAME=VALUE, or the name of a field that may hold newlines:
   then come 8 bytes of its size, itself, and a newline. */
static void read_field(struct log_record *record, struct log_slice line)
{
	const char *equals = memchr(line.text, '=', line.length);
	struct log_slice name = line;

	if (equals != NULL)
		name.length = (size_t)(equals - line.text);
	begin_field(record, field_of(name));
	if (equals != NULL) {
		add(record, equals + 1, line.length - name.length - 1);
	} else {
		record->part = PART_SIZE;
		record->size_count = 0;
		record->size = 0;
	}
}

/* Little endian. */
static size_t read_size(struct log_record *record, struct log_slice rest)
{
	size_t count = MIN(rest.length, (size_t)(SIZE_LENGTH - record->size_count));

	for (size_t i = 0; i < count; i++)
		record->size |= (uint64_t)(unsigned char)rest.text[i] << 8 * record->size_count++;
	if (record->size_count == SIZE_LENGTH)
		record->part = record->size > 0 ? PART_DATA : PART_NEWLINE;
	return count;
}

static size_t read_data(struct log_record *record, struct log_slice rest)
{
	size_t count = (size_t)MIN((uint64_t)rest.length, record->size);

	add(record, rest.text, count);
	record->size -= count;
	if (record->size == 0)
		record->part = PART_NEWLINE;
	return count;
}

/* Returns how much of it was read; when it is nothing, the record is broken. */
static size_t read_part(struct log_record *record, struct log_slice rest)
{
	if (record->part == PART_SIZE)
		return read_size(record, rest);
	if (record->part == PART_DATA)
		return read_data(record, rest);
	if (record->part != PART_NEWLINE || rest.text[0] != '\n')
		return 0;
	record->part = PART_FIELDS;
	return 1;
}

/* Where newlines count, the line's own is read as well. */
static void read_parts(struct log_record *record, struct log_slice rest)
{
	struct log_slice newline = {"\n", 1};

	while (rest.length > 0) {
		size_t count = read_part(record, rest);

		if (count == 0) {
			record->part = PART_LOST;
			return;
		}
		rest = log_slice_behind(rest, count);
	}
	read_part(record, newline);
}

static enum log_record_state end_record(struct log_record *record)
{
	bool is_lost = record->part == PART_LOST;

	record->part = PART_NONE;
	return !is_lost && record->fields[LOG_FIELD_MESSAGE].length > 0 ? LOG_RECORD_WHOLE
									: LOG_RECORD_BEGUN;
}

enum log_record_state log_record_line(struct log_record *record, struct log_slice line, bool is_cut)
{
	if (record->part == PART_NONE) {
		if (!log_slice_begins(line, "__") || memchr(line.text, '=', line.length) == NULL)
			return LOG_RECORD_NONE;
		clear_fields(record);
		record->part = PART_FIELDS;
	}
	if (is_cut)
		record->part = PART_LOST;
	if (record->part == PART_SIZE || record->part == PART_DATA || record->part == PART_NEWLINE)
		read_parts(record, line);
	else if (line.length == 0)
		return end_record(record);
	else if (record->part == PART_FIELDS)
		read_field(record, line);
	return LOG_RECORD_BEGUN;
}
