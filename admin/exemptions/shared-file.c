#include "shared-file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/exemption.h"
#include "policy/fnv.h"

#define HEAD "# Written by Portcullis from its store, version "
#define HEAD_FORMAT                                                                                \
	HEAD "%" PRId64 ", digest %016" PRIx64 ". Do not edit it: 'portcullis exempt' does.\n"
#define HEAD_SIZE (sizeof(HEAD_FORMAT) + 40)

#define WRONG "# wrong, left out: "
/* Of one that is too long. */
#define WRONG_LENGTH_MAX 1000

/* ---- the first line ---- */

static void format_head(char head_r[static HEAD_SIZE], int64_t version, const char *text,
			size_t length)
{
	snprintf(head_r, HEAD_SIZE, HEAD_FORMAT, version, fnv_hash(FNV_START, text, length));
}

GString *shared_file_text(const struct store_shared *shared)
{
	char head[HEAD_SIZE];
	GString *text;

	format_head(head, shared->version, shared->text, shared->length);
	text = g_string_new(head);
	g_string_append_len(text, shared->text, (gssize)shared->length);
	return text;
}

bool shared_head_read(const char *text, size_t length, struct shared_head *head_r)
{
	const char *newline = memchr(text, '\n', length);
	char head[HEAD_SIZE];

	if (newline == NULL || !g_str_has_prefix(text, HEAD))
		return false;
	*head_r = (struct shared_head){
		.version = g_ascii_strtoll(text + strlen(HEAD), NULL, 10),
		.length = (size_t)(newline - text) + 1,
	};
	format_head(head, head_r->version, newline + 1, length - head_r->length);
	head_r->is_intact =
		strlen(head) == head_r->length && memcmp(head, text, head_r->length) == 0;
	return true;
}

/* ---- lines of another text ---- */

/* Takes the next line out of a text, without the blanks at its end; false at the text's end.
   *line_r: the caller frees it with g_free(). */
static bool next_line(const char **text, size_t *left, char **line_r)
{
	const char *newline = memchr(*text, '\n', *left);
	size_t length = newline == NULL ? *left : (size_t)(newline - *text);
	size_t taken = length + (newline != NULL);

	if (*left == 0)
		return false;
	*line_r = g_strchomp(g_strndup(*text, length));
	*text += taken;
	*left -= taken;
	return true;
}

static GHashTable *lines_of(const char *text, size_t length)
{
	GHashTable *lines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	char *line;

	while (next_line(&text, &length, &line))
		g_hash_table_add(lines, line);
	return lines;
}

/* The texts of problems begin with this, and the line's number. */
#define WRONG_PATH "exemptions"

static void note_wrong(void *context, const char *message)
{
	unsigned long number = strtoul(message + strlen(WRONG_PATH ":"), NULL, 10);

	g_hash_table_add(context, GUINT_TO_POINTER((guint)number));
}

/* The numbers of the lines that a server would leave out. */
static GHashTable *wrong_lines_of(const char *text, size_t length, const struct policy *policy)
{
	GHashTable *numbers = g_hash_table_new(NULL, NULL);
	/* It is cut up. */
	char *copy = g_malloc0(length + 1);

	memcpy(copy, text, length);
	exemptions_free(
		exemptions_load_text(WRONG_PATH, copy, length, policy, note_wrong, numbers));
	g_free(copy);
	return numbers;
}

static void append_line(GString *text, const char *line)
{
	if (text->len > 0 && text->str[text->len - 1] != '\n')
		g_string_append_c(text, '\n');
	g_string_append(text, line);
	g_string_append_c(text, '\n');
}

GString *shared_file_merge(const struct store_shared *shared, const char *own, size_t length,
			   const struct policy *policy, size_t *added_r)
{
	GHashTable *known = lines_of(shared->text, shared->length);
	GHashTable *wrong = wrong_lines_of(own, length, policy);
	GString *merged = g_string_new_len(shared->text, (gssize)shared->length);
	bool is_first = shared->length == 0;
	guint number = 0;
	char *line;

	*added_r = 0;
	while (next_line(&own, &length, &line)) {
		if (g_hash_table_contains(wrong, GUINT_TO_POINTER(++number))) {
			char *comment = g_strdup_printf(WRONG "%.*s", WRONG_LENGTH_MAX, line);

			g_free(line);
			line = g_strchomp(comment);
		}
		if (is_first || (line[0] != '\0' && !g_hash_table_contains(known, line))) {
			append_line(merged, line);
			++*added_r;
		}
		g_free(line);
	}
	g_hash_table_destroy(known);
	g_hash_table_destroy(wrong);
	if (*added_r > 0)
		return merged;
	g_string_free(merged, TRUE);
	return NULL;
}
