/* A mail log, plain or packed, or broken: cut into lines. */

#define _GNU_SOURCE /* memrchr() */
#include "fuzz.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "admin/files/line-reader.h"
#include "admin/logs/log-file-name.h"
#include "admin/logs/log-input.h"

/* Of a file that is not packed: the next line that the data has. */
static void look_at_line(const struct log_input_line *line, const char **rest, const char *end)
{
	const char *newline = memchr(*rest, '\n', (size_t)(end - *rest));
	const char *line_end = newline == NULL ? end : newline;
	size_t length = (size_t)(line_end - *rest);

	/* NULs in front are passed over, and what is too long is cut behind. */
	require(line->length <= MIN(length, LINE_LENGTH_MAX));
	require(line->whole == (newline != NULL && length <= LINE_LENGTH_MAX));
	for (size_t i = line->length; i < MIN(length, LINE_LENGTH_MAX); i++)
		require((*rest)[i - line->length] == '\0');
	require(memcmp(line->text, *rest + (MIN(length, LINE_LENGTH_MAX) - line->length),
		       line->length) == 0);
	*rest = newline == NULL ? end : newline + 1;
}

static void read_lines(const char *path, const char *text, size_t size)
{
	struct log_input *input = log_input_create();
	const char *rest = text, *end = text + size;
	bool packed = size > 0 && strchr("\x1f"
					 "B\xfd\x28",
					 *text) != NULL;
	enum log_input_kind kind;
	struct log_input_line line;
	uint64_t done, total, before = 0;
	char *problem;

	require(log_input_add(input, path, &problem));
	while ((kind = log_input_next(input, &line)) != LOG_INPUT_END) {
		log_input_progress(input, &done, &total);
		require(before <= done && done <= total && total == size);
		before = done;
		if (kind == LOG_INPUT_PROBLEM)
			require(packed &&
				strncmp(log_input_problem(input), path, strlen(path)) == 0);
		else if (!packed)
			look_at_line(&line, &rest, end);
		else
			require(line.length <= LINE_LENGTH_MAX);
	}
	require(packed || rest == end);
	log_input_free(input);
}

static void look_at_names(const char *text, size_t size)
{
	char *name = fuzz_text((const uint8_t *)text, MIN(size, 40));
	char *other = fuzz_text((const uint8_t *)text + size / 2, size - size / 2);

	log_file_name_fits(name);
	if (log_file_names_match(name, other))
		require(log_file_name_compare(name, other) == -log_file_name_compare(other, name));
	free(name);
	free(other);
}

/* The first byte says whether something long stands in the middle, and how long. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t padding, half;
	char *text;

	if (size == 0)
		return 0;
	padding = data[0] >= 0xc0 ? LINE_LENGTH_MAX - 0xe0 + data[0] : 0;
	data++;
	size--;
	half = size / 2;
	text = g_malloc(size + padding + 1);
	memcpy(text, data, half);
	memset(text + half, 'x', padding);
	memcpy(text + half + padding, data + half, size - half);
	size += padding;
	read_lines(fuzz_file((const uint8_t *)text, size), text, size);
	look_at_names(text, size);
	g_free(text);
	return 0;
}
