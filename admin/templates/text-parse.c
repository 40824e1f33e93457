#include "text-nodes.h"

#include <string.h>

/* What stands on lines of its own. */

/* Conditions and loops within each other; more is a mistake. */
#define DEPTH_MAX 16

struct parser {
	struct text_sections *sections;
	struct text_reporter *reporter;
	char **lines;      /* NULL behind the last one */
	unsigned int next; /* index of the next one; its number is one more */
	unsigned int depth;
};

/* The begin of a line that makes it more than text. */
static const struct {
	const char *prefix;
	enum text_block block;
} prefixes[] = {
	{"== ", TEXT_SUBHEADING},
	{"= ", TEXT_HEADING},
	{"- ", TEXT_ITEM},
	{"1. ", TEXT_NUMBERED_ITEM},
};

static enum text_block block_of(const char *line, size_t *prefix_length_r)
{
	for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++) {
		if (g_str_has_prefix(line, prefixes[i].prefix)) {
			*prefix_length_r = strlen(prefixes[i].prefix);
			return prefixes[i].block;
		}
	}
	*prefix_length_r = 0;
	return TEXT_PARAGRAPH;
}

/* The word of a line that is one pair of braces with a word of the structure, or
   NULL. The caller frees it. */
static char *structure_word(const char *line)
{
	char *text = g_strstrip(g_strdup(line));
	size_t length = strlen(text);
	char *word = NULL;

	if (length > 2 && text[0] == '{' && strchr(text, '}') == text + length - 1) {
		word = g_strndup(text + 1, length - 2);
		g_strstrip(word);
		if (!text_is_structure(word) && !g_str_has_prefix(word, "if ") &&
		    strcmp(word, "else") != 0 && strcmp(word, "end") != 0) {
			g_free(word);
			word = NULL;
		}
	}
	g_free(text);
	return word;
}

static bool is_section_head(const char *line)
{
	return line[0] == '[';
}

static bool continues_block(const char *line)
{
	size_t prefix_length;
	char *word;

	if (line == NULL || line[0] == '#' || is_section_head(line) ||
	    line[strspn(line, " \t")] == '\0')
		return false;
	block_of(line, &prefix_length);
	if (prefix_length > 0)
		return false;
	word = structure_word(line);
	g_free(word);
	return word == NULL;
}

static struct node *new_node(struct parser *parser, enum node_type type)
{
	struct node *node = text_allocate(parser->sections, sizeof(*node));

	node->type = type;
	node->line = parser->next + 1;
	return node;
}

static struct node *parse_block(struct parser *parser)
{
	struct node *node = new_node(parser, NODE_BLOCK);
	const char *line = parser->lines[parser->next++];
	GString *text = g_string_new(NULL);
	size_t prefix_length;

	node->block = block_of(line, &prefix_length);
	g_string_append(text, line + prefix_length);
	if (node->block != TEXT_HEADING && node->block != TEXT_SUBHEADING) {
		while (continues_block(parser->lines[parser->next])) {
			line = parser->lines[parser->next++];
			g_string_append_c(text, '\n');
			g_string_append(text, line + strspn(line, " \t"));
		}
	}
	node->pieces = text_line_parse(parser->sections, parser->reporter, node->line, text->str);
	g_string_free(text, TRUE);
	return node;
}

static struct node *parse_nodes(struct parser *parser, char **stop_r);

/* Reads what a condition or a loop encloses, from behind its line. */
static void parse_branches(struct parser *parser, struct node *node, const char *word)
{
	char *stop = NULL;

	if (++parser->depth > DEPTH_MAX) {
		text_mistake(parser->reporter, node->line,
			     "there are too many conditions and loops within each other");
		return;
	}
	node->body = parse_nodes(parser, &stop);
	if (stop != NULL && strcmp(stop, "else") == 0) {
		g_free(stop);
		node->otherwise = parse_nodes(parser, &stop);
	}
	parser->depth--;
	if (stop == NULL)
		text_mistake(parser->reporter, node->line, "{%s} has no {end}", word);
	else if (strcmp(stop, "end") != 0)
		text_mistake(parser->reporter, node->line, "{%s} has two {else}", word);
	g_free(stop);
}

static struct node *parse_structure(struct parser *parser, const char *word)
{
	struct node *node = new_node(parser, NODE_IF);
	const char *argument = strchr(word, ' ');

	parser->next++;
	if (strcmp(word, "change") == 0) {
		node->type = NODE_CHANGE;
		return node;
	}
	if (strcmp(word, "steps") == 0) {
		node->type = NODE_STEPS;
		return node;
	}
	argument += strspn(argument, " ");
	if (g_str_has_prefix(word, "include ")) {
		node->type = NODE_INCLUDE;
		node->include = text_keep(parser->sections, argument, strlen(argument));
		return node;
	}
	if (g_str_has_prefix(word, "each ")) {
		node->type = NODE_EACH;
		if (!text_loop_find(argument, &node->loop))
			text_mistake(parser->reporter, node->line, "{%s}: there is no such loop",
				     word);
	} else if (!text_name_find(argument, &node->name)) {
		text_mistake(parser->reporter, node->line, "{%s}: there is no such name", word);
	}
	parse_branches(parser, node, word);
	return node;
}

/* Reads nodes up to the end of the section, {else} or {end}; *stop_r is then its
   word. */
static struct node *parse_nodes(struct parser *parser, char **stop_r)
{
	struct node *first = NULL, **last = &first;
	const char *line;

	*stop_r = NULL;
	while ((line = parser->lines[parser->next]) != NULL && !is_section_head(line)) {
		char *word;

		if (line[0] == '#' || line[strspn(line, " \t")] == '\0') {
			parser->next++;
			continue;
		}
		word = structure_word(line);
		if (word != NULL && (strcmp(word, "end") == 0 || strcmp(word, "else") == 0)) {
			parser->next++;
			*stop_r = word;
			return first;
		}
		*last = word == NULL ? parse_block(parser) : parse_structure(parser, word);
		last = &(*last)->next;
		g_free(word);
	}
	return first;
}

/* "Subject: ..." or "Title: ..." right behind the section's name. */
static void parse_head(struct parser *parser, struct text_section *section)
{
	const char *line = parser->lines[parser->next];
	const char *text;

	if (line == NULL ||
	    (!g_str_has_prefix(line, "Subject:") && !g_str_has_prefix(line, "Title:")))
		return;
	parser->next++;
	text = strchr(line, ':') + 1;
	text += strspn(text, " \t");
	section->has_head = true;
	section->head = text_line_parse(parser->sections, parser->reporter, parser->next, text);
}

/* "[name]"; NULL when it is not made like this. */
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

static void parse_section(struct parser *parser, const char *name, GHashTable *in_this_file)
{
	struct text_section *section = text_allocate(parser->sections, sizeof(*section));
	const struct text_section *before = g_hash_table_lookup(in_this_file, name);
	unsigned int line = parser->next; /* the name stands in the line before */
	char *stop;

	section->name = text_keep(parser->sections, name, strlen(name));
	section->file =
		text_keep(parser->sections, parser->reporter->file, strlen(parser->reporter->file));
	section->line = line;
	if (before != NULL)
		text_mistake(parser->reporter, line, "there is already a [%s] in line %u", name,
			     before->line);
	parse_head(parser, section);
	for (;;) {
		section->nodes = parse_nodes(parser, &stop);
		if (stop == NULL)
			break;
		text_mistake(parser->reporter, parser->next, "{%s} has no {if} or {each} before it",
			     stop);
		g_free(stop);
	}
	g_hash_table_insert(in_this_file, section->name, section);
}

struct word_reader {
	bool (*word)(void *context, const char *file, unsigned int line, const char *key,
		     const char *value);
	void *context;
};

/* Lines of KEY = VALUE. */
static void parse_words(struct parser *parser, const struct word_reader *reader)
{
	const char *line;

	while ((line = parser->lines[parser->next]) != NULL && !is_section_head(line)) {
		const char *equals = strchr(line, '=');
		char *key, *value;

		parser->next++;
		if (line[0] == '#' || line[strspn(line, " \t")] == '\0')
			continue;
		if (equals == NULL) {
			text_mistake(parser->reporter, parser->next, "a word is \"key = text\"");
			continue;
		}
		key = g_strstrip(g_strndup(line, (size_t)(equals - line)));
		value = g_strstrip(g_strdup(equals + 1));
		if (!reader->word(reader->context, parser->reporter->file, parser->next, key,
				  value))
			parser->reporter->failed = true;
		g_free(key);
		g_free(value);
	}
}

/* Text before the first section is a slip; blank lines and comments are not. */
static void skip_preamble(struct parser *parser)
{
	for (; parser->lines[parser->next] != NULL; parser->next++) {
		const char *line = parser->lines[parser->next];

		if (is_section_head(line))
			return;
		if (line[0] == '#' || line[strspn(line, " \t")] == '\0')
			continue;
		text_mistake(parser->reporter, parser->next + 1,
			     "this stands before the first [section]");
		while (parser->lines[parser->next + 1] != NULL &&
		       !is_section_head(parser->lines[parser->next + 1]))
			parser->next++;
	}
}

bool text_sections_add(struct text_sections *sections, const char *file, const char *text,
		       bool (*word)(void *context, const char *file, unsigned int line,
				    const char *key, const char *value),
		       config_report *error, void *context)
{
	struct text_reporter reporter = {
		.sections = sections, .file = file, .error = error, .context = context};
	const struct word_reader reader = {.word = word, .context = context};
	GHashTable *in_this_file = g_hash_table_new(g_str_hash, g_str_equal);
	struct parser parser = {.sections = sections, .reporter = &reporter};
	GHashTableIter iterator;
	gpointer name, section;

	parser.lines = g_strsplit(text, "\n", -1);
	for (char **line = parser.lines; *line != NULL; line++)
		g_strchomp(*line);
	skip_preamble(&parser);
	while (parser.lines[parser.next] != NULL) {
		char *head = section_name(parser.lines[parser.next]);

		parser.next++;
		if (head == NULL) {
			char *stop;

			text_mistake(&reporter, parser.next,
				     "a section begins with its name, as in [first]");
			parse_nodes(&parser, &stop);
			g_free(stop);
		} else if (strcmp(head, "words") == 0) {
			parse_words(&parser, &reader);
		} else {
			parse_section(&parser, head, in_this_file);
		}
		g_free(head);
	}
	g_strfreev(parser.lines);
	g_hash_table_iter_init(&iterator, in_this_file);
	while (g_hash_table_iter_next(&iterator, &name, &section)) {
		if (!g_hash_table_contains(sections->by_name, name))
			g_hash_table_insert(sections->by_name, name, section);
	}
	g_hash_table_unref(in_this_file);
	return !reporter.failed;
}
