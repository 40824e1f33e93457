#define _GNU_SOURCE /* memmem() */
#include "log-examples.h"

#include <string.h>

#define KINDS_MAX 64

/* Of a line; what tells its kind stands at its begin. */
#define LENGTH_MAX 240

/* In base64: 8 bytes and an address. */
#define SESSION_LENGTH_MIN 16

static void clear_example(gpointer example)
{
	g_free(((struct log_example *)example)->text);
}

void log_examples_init(struct log_examples *examples_r)
{
	*examples_r = (struct log_examples){
		.examples = g_array_new(FALSE, FALSE, sizeof(struct log_example)),
		.kinds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
	g_array_set_clear_func(examples_r->examples, clear_example);
}

void log_examples_clear(struct log_examples *examples)
{
	g_array_unref(examples->examples);
	g_hash_table_unref(examples->kinds);
}

static bool is_closing(char c)
{
	return c == '>' || c == ']' || c == ')';
}

static bool is_opening(char c)
{
	return c == '<' || c == '[' || c == '(';
}

/* A line without numbers, and without what stands in brackets. The caller frees it. */
static char *kind_of(const char *text, size_t length)
{
	GString *kind = g_string_sized_new(length);

	for (size_t i = 0; i < length; i++) {
		if (g_ascii_isdigit(text[i])) {
			if (kind->len == 0 || kind->str[kind->len - 1] != '0')
				g_string_append_c(kind, '0');
			continue;
		}
		g_string_append_c(kind, text[i] == '\0' ? '?' : text[i]);
		if (!is_opening(text[i]))
			continue;
		while (i + 1 < length && !is_closing(text[i + 1]))
			i++;
	}
	return g_string_free(kind, FALSE);
}

/* How much of a text may be shown: what stands behind "session=", which holds the client's
   address, may not. */
static size_t length_without_session(const char *text, size_t length)
{
	static const char name[] = "session=";
	const char *session = memmem(text, length, name, strlen(name));

	return session == NULL ? length : (size_t)(session - text) + strlen(name);
}

/* Of base64. */
static size_t run_length(const char *text, size_t length)
{
	size_t i = 0;

	while (i < length && (g_ascii_isalnum(text[i]) || text[i] == '+' || text[i] == '/'))
		i++;
	return i;
}

/* Others write it in ways of their own, as "imap(alice)<1><kJ3...>: ". Words are written small. */
static bool may_be_session(const char *run, size_t length, bool is_cut)
{
	if (length < SESSION_LENGTH_MIN && !is_cut)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (g_ascii_isupper(run[i]) || g_ascii_isdigit(run[i]))
			return true;
	}
	return false;
}

/* What is no part of such a run: a character, or a bracket that JSON has as "\u003c". */
static size_t other_length(const char *text, size_t length)
{
	return length >= 6 && text[0] == '\\' && text[1] == 'u' ? 6 : 1;
}

static char *text_without_session(const char *text, size_t length)
{
	GString *copy = g_string_new(NULL);
	size_t shown = length_without_session(text, length);

	for (size_t i = 0, run; i < shown; i += run) {
		bool is_cut;

		run = run_length(text + i, shown - i);
		is_cut = i + run == shown && i > 0 && strchr(" =", text[i - 1]) == NULL;
		if (run == 0)
			run = other_length(text + i, shown - i);
		else if (may_be_session(text + i, run, is_cut)) {
			g_string_append(copy, "...");
			continue;
		}
		for (size_t j = i; j < i + run; j++)
			g_string_append_c(copy, text[j] == '\0' ? '?' : text[j]);
	}
	if (shown < length)
		g_string_append(copy, "...");
	return g_string_free(copy, FALSE);
}

void log_examples_add(struct log_examples *examples, const char *text, size_t length)
{
	size_t shown = MIN(length, LENGTH_MAX);
	char *kind = kind_of(text, shown);
	gpointer number = g_hash_table_lookup(examples->kinds, kind);

	if (number != NULL) {
		g_array_index(examples->examples, struct log_example, GPOINTER_TO_UINT(number) - 1)
			.count++;
		g_free(kind);
	} else if (examples->examples->len == KINDS_MAX) {
		examples->others++;
		g_free(kind);
	} else {
		const struct log_example example = {.text = text_without_session(text, shown),
						    .count = 1};

		g_array_append_val(examples->examples, example);
		g_hash_table_insert(examples->kinds, kind,
				    GUINT_TO_POINTER(examples->examples->len));
	}
}
