/* A file of the journal, which another account may have written to: cut into lines, and
   each understood or not. */

#define _GNU_SOURCE /* memmem() */
#include "fuzz.h"

#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/files/line-reader.h"
#include "admin/journal/journal-line.h"
#include "admin/logs/json-unescape.h"

static void look_at_rules(const struct store_rule_set *set)
{
	require(set->rule_count <= RULES_MAX);
	for (size_t i = 1; i < set->rule_count; i++)
		require(strcmp(set->rules[i - 1].title, set->rules[i].title) < 0);
}

static void understand(const char *text, size_t length)
{
	static struct journal_line line;
	const char *error = NULL;
	size_t plain_length;
	char *plain = json_unescape(text, length, &plain_length);

	require(plain_length <= length && plain[plain_length] == '\0');
	if (journal_line_parse(text, length, &line, &error)) {
		require(g_utf8_validate(line.user, -1, NULL));
		require(line.count >= 1 && line.count <= UINT32_MAX && line.lost <= UINT32_MAX);
		look_at_rules(&line.rule_set);
		/* `portcullis forget` finds the user in a line that was set aside. */
		require(memmem(plain, plain_length, line.user, strlen(line.user)) != NULL);
		journal_line_free(&line);
	} else {
		require(error != NULL);
	}
	g_free(plain);
}

/* Every line that the data has, in its place. */
static void read_lines(const char *text, size_t size)
{
	struct line_reader *reader = line_reader_create();
	int file = open(fuzz_file((const uint8_t *)text, size), O_RDONLY | O_CLOEXEC);
	uint64_t position = 0;
	enum line_kind kind;
	const char *line;
	size_t length;

	require(file >= 0);
	line_reader_begin(reader, file, 0);
	while (kind = line_reader_next(reader, &line, &length),
	       kind == LINE_WHOLE || kind == LINE_CUT) {
		const char *begin = text + position;
		const char *newline = memchr(begin, '\n', size - position);

		require(newline != NULL && memcmp(line, begin, length) == 0);
		if (kind == LINE_WHOLE)
			require(length == (size_t)(newline - begin));
		else
			require(length == LINE_LENGTH_MAX && length < (size_t)(newline - begin));
		position += (uint64_t)(newline - begin) + 1;
		require(line_reader_position(reader) == position);
		understand(line, length);
	}
	require(kind == (position < size ? LINE_HALF : LINE_NONE));
	require(memchr(text + position, '\n', size - position) == NULL);
	close(file);
	line_reader_free(reader);
}

/* The first byte says whether something long stands in the middle, and how long. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t padding = size > 0 && data[0] >= 0xc0 ? LINE_LENGTH_MAX - 0xe0 + data[0] : 0;
	size_t half = size / 2;
	char *text = g_malloc(size + padding + 1);

	if (half > 0)
		memcpy(text, data, half);
	memset(text + half, 'x', padding);
	if (size > 0)
		memcpy(text + half + padding, data + half, size - half);
	read_lines(text, size + padding);
	g_free(text);
	return 0;
}
