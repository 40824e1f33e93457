#include "text-nodes.h"

#include <string.h>

/* What a file consists of: sections, and words in one of them. */

struct file_parser {
	struct text_reporter reporter;
	struct text_lines lines;
	GHashTable *sections; /* of this file, by name */
	bool *words;          /* that stand in this file */
};

static const char *next_line(const struct file_parser *parser)
{
	return parser->lines.list[parser->lines.next];
}

/* "[name]"; NULL when it is not made like this. The caller frees it. */
static char *section_name(const char *line)
{
	char *text = g_strstrip(g_strdup(line));
	size_t length = strlen(text);
	char *name = NULL;

	if (length > 2 && text[length - 1] == ']' &&
	    strspn(text + 1, "abcdefghijklmnopqrstuvwxyz0123456789-") == length - 2)
		name = g_strndup(text + 1, length - 2);
	g_free(text);
	return name;
}

/* "Subject: ..." for instance, right behind the section's name. */
static void parse_head(struct file_parser *parser, struct text_section *section)
{
	const char *line = next_line(parser);

	for (const char *const *head = parser->reporter.sections->vocabulary->heads;
	     line != NULL && *head != NULL; head++) {
		size_t length = strlen(*head);

		if (!g_str_has_prefix(line, *head) || line[length] != ':')
			continue;
		parser->lines.next++;
		line += length + 1;
		section->has_head = true;
		section->head = text_parse_line(&parser->reporter, parser->lines.next,
						line + strspn(line, " \t"));
		return;
	}
}

/* From behind its name on. */
static void parse_section(struct file_parser *parser, const char *name)
{
	struct text_sections *sections = parser->reporter.sections;
	struct text_section *section = text_allocate(sections, sizeof(*section));
	const struct text_section *before = g_hash_table_lookup(parser->sections, name);

	section->name = text_keep(sections, name);
	section->file = text_keep(sections, parser->reporter.file);
	section->line = parser->lines.next;
	if (before != NULL)
		text_mistake(&parser->reporter, section->line,
			     "duplicate section [%s] (the first is in line %u)", name,
			     before->line);
	parse_head(parser, section);
	section->nodes = text_parse_section(&parser->reporter, &parser->lines);
	g_hash_table_insert(parser->sections, section->name, section);
}

/* The names in the text, when there are so many, or NULL. The caller frees it with
   g_strfreev(). */
static char **split_names(const char *text, unsigned int count)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	char **parts = g_strsplit_set(text, " \t", -1);

	for (char **part = parts; *part != NULL; part++) {
		if (**part != '\0')
			g_ptr_array_add(names, g_strdup(*part));
	}
	g_strfreev(parts);
	if (names->len != count) {
		g_ptr_array_unref(names);
		return NULL;
	}
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}

static void add_word(struct file_parser *parser, const char *key, const char *text)
{
	struct text_reporter *reporter = &parser->reporter;
	unsigned int line = parser->lines.next, index;
	const struct text_word *word = text_find_word(reporter->sections->vocabulary, key, &index);
	struct text_phrase *phrase;

	if (word == NULL) {
		text_mistake(reporter, line, "unknown word '%s'", key);
		return;
	}
	if (parser->words[index]) {
		text_mistake(reporter, line, "duplicate word '%s'", key);
		return;
	}
	parser->words[index] = true;
	phrase = &reporter->sections->phrases[index];
	/* A file that counts more has it. */
	if (phrase->nodes != NULL)
		return;
	phrase->nodes = text_parse_line(reporter, line, text);
	if (phrase->nodes == NULL)
		text_mistake(reporter, line, "the word '%s' is empty", key);
	text_check_nodes(reporter, phrase->nodes, word->places);
	if (word->names == 0)
		return;
	phrase->names = split_names(text, word->names);
	if (phrase->names == NULL)
		text_mistake(reporter, line, "'%s' must be %u names", key, word->names);
}

/* Lines of KEY = TEXT. */
static void parse_words(struct file_parser *parser)
{
	while (!text_lines_end_section(&parser->lines)) {
		const char *line = next_line(parser), *equals = strchr(line, '=');
		char *key, *text;

		parser->lines.next++;
		if (text_line_is_empty(line))
			continue;
		if (equals == NULL) {
			text_mistake(&parser->reporter, parser->lines.next,
				     "expected \"key = text\"");
			continue;
		}
		key = g_strstrip(g_strndup(line, (size_t)(equals - line)));
		text = g_strstrip(g_strdup(equals + 1));
		add_word(parser, key, text);
		g_free(key);
		g_free(text);
	}
}

/* Text before the first section is a slip; blank lines and comments are not. */
static void skip_preamble(struct file_parser *parser)
{
	bool reported = false;

	for (; !text_lines_end_section(&parser->lines); parser->lines.next++) {
		if (reported || text_line_is_empty(next_line(parser)))
			continue;
		text_mistake(&parser->reporter, parser->lines.next + 1,
			     "text before the first [section]");
		reported = true;
	}
}

static void parse_file(struct file_parser *parser)
{
	const char *word_section = parser->reporter.sections->vocabulary->word_section;

	skip_preamble(parser);
	while (next_line(parser) != NULL) {
		char *name = section_name(next_line(parser));

		parser->lines.next++;
		if (name == NULL) {
			text_mistake(&parser->reporter, parser->lines.next,
				     "invalid section name: lower-case letters, digits and "
				     "hyphens are allowed, as in [last-call]");
			text_parse_section(&parser->reporter, &parser->lines);
		} else if (strcmp(name, word_section) == 0) {
			parse_words(parser);
		} else {
			parse_section(parser, name);
		}
		g_free(name);
	}
}

bool text_sections_add(struct text_sections *sections, const char *file, const char *text,
		       config_report *error, void *context)
{
	struct file_parser parser = {
		.reporter = {.sections = sections,
			     .file = file,
			     .error = error,
			     .context = context},
		.lines = {.list = g_strsplit(text, "\n", -1)},
		.sections = g_hash_table_new(g_str_hash, g_str_equal),
		.words = g_new0(bool, sections->vocabulary->word_count),
	};
	GHashTableIter iterator;
	gpointer name, section;

	for (char **line = parser.lines.list; *line != NULL; line++)
		g_strchomp(*line);
	parse_file(&parser);
	g_hash_table_iter_init(&iterator, parser.sections);
	while (g_hash_table_iter_next(&iterator, &name, &section)) {
		if (!text_sections_has(sections, name))
			g_hash_table_insert(sections->by_name, name, section);
	}
	g_strfreev(parser.lines.list);
	g_hash_table_unref(parser.sections);
	g_free(parser.words);
	return !parser.reporter.failed;
}
