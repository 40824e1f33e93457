#include "text-nodes.h"

#include <string.h>

/* What a section holds. Conditions and loops stand on lines of their own and enclose
   blocks; within a block, conditions enclose parts of it. */

/* Within each other; more is a mistake, before it is too much for the stack. */
#define DEPTH_MAX 16

struct parser {
	struct text_reporter *reporter;
	struct text_lines *lines; /* or, within a block: */
	const char *at;           /* what is left of it; NULL between blocks */
	unsigned int line;        /* of at */
	unsigned int depth;
};

/* Reads to the end of the section or block, or behind {else} or {end}; *stop_r is
   then "else" or "end", else NULL. The caller frees it. */
static struct node *parse_nodes(struct parser *parser, char **stop_r);

static struct node *new_node(struct parser *parser, enum node_type type, unsigned int line)
{
	struct node *node = text_allocate(parser->reporter->sections, sizeof(*node));

	node->type = type;
	node->line = line;
	return node;
}

/* ---- braces ---- */

static const struct text_vocabulary *vocabulary_of(const struct parser *parser)
{
	return parser->reporter->sections->vocabulary;
}

static bool is_stop(const char *word)
{
	return strcmp(word, "else") == 0 || strcmp(word, "end") == 0;
}

static bool is_if(const char *word)
{
	return g_str_has_prefix(word, "if ");
}

/* Whether it can only stand on a line of its own. */
static bool needs_line(const struct parser *parser, const char *word)
{
	unsigned int index;
	const struct text_name *name = text_find_name(vocabulary_of(parser), word, &index);

	return g_str_has_prefix(word, "each ") || g_str_has_prefix(word, "include ") ||
	       (name != NULL && name->sections != NULL);
}

/* What is in braces, with one blank between its words: "if" and its name may be two
   lines apart. The caller frees it. */
static char *braced_word(const char *text, size_t length)
{
	char *braced = g_strndup(text, length);
	char **parts = g_strsplit_set(braced, " \t\n", -1);
	GString *word = g_string_new(NULL);

	for (char **part = parts; *part != NULL; part++) {
		if (**part != '\0')
			g_string_append_printf(word, "%s%s", word->len > 0 ? " " : "", *part);
	}
	g_strfreev(parts);
	g_free(braced);
	return g_string_free(word, FALSE);
}

static void skip_rest(struct parser *parser)
{
	if (parser->at != NULL) {
		parser->at += strlen(parser->at);
		return;
	}
	while (!text_lines_end_section(parser->lines))
		parser->lines->next++;
}

/* What {if} and {each} enclose, from behind them on. */
static void parse_branches(struct parser *parser, struct node *node, const char *word)
{
	char *stop = NULL;

	if (parser->depth == DEPTH_MAX) {
		text_mistake(parser->reporter, node->line,
			     "conditions and loops are nested too deeply");
		skip_rest(parser);
		return;
	}
	parser->depth++;
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

static struct node *parse_if(struct parser *parser, const char *word, unsigned int line)
{
	struct node *node = new_node(parser, NODE_IF, line);
	const struct text_name *name =
		text_find_name(vocabulary_of(parser), word + strlen("if "), &node->index);

	if (name == NULL || name->sections != NULL)
		text_mistake(parser->reporter, line, "unknown placeholder in {%s}", word);
	parse_branches(parser, node, word);
	return node;
}

static struct node *parse_each(struct parser *parser, const char *word, unsigned int line)
{
	struct node *node = new_node(parser, NODE_EACH, line);
	const char *loop = word + strlen("each ");

	if (!text_find_loop(vocabulary_of(parser), loop, &node->index)) {
		char *list = text_loop_list(vocabulary_of(parser));

		text_mistake(parser->reporter, line, "unknown loop '%s' (one of %s)", loop, list);
		g_free(list);
	}
	parse_branches(parser, node, word);
	return node;
}

/* NULL when it ends the nodes, or is wrong. */
static struct node *parse_word(struct parser *parser, const char *word, unsigned int line,
			       char **stop_r)
{
	const struct text_name *name;
	struct node *node;

	if (is_stop(word)) {
		*stop_r = g_strdup(word);
		return NULL;
	}
	if (is_if(word))
		return parse_if(parser, word, line);
	if (g_str_has_prefix(word, "each "))
		return parse_each(parser, word, line);
	if (g_str_has_prefix(word, "include ")) {
		node = new_node(parser, NODE_INCLUDE, line);
		node->text = text_keep(parser->reporter->sections, word + strlen("include "));
		return node;
	}
	node = new_node(parser, NODE_VALUE, line);
	name = text_find_name(vocabulary_of(parser), word, &node->index);
	if (name == NULL) {
		text_mistake(parser->reporter, line, "unknown placeholder {%s}", word);
		return NULL;
	}
	if (name->sections != NULL)
		node->type = NODE_INSERT;
	return node;
}

/* ---- within a block ---- */

static struct node *parse_braces(struct parser *parser, char **stop_r)
{
	const char *end = strchr(parser->at, '}');
	unsigned int line = parser->line;
	struct node *node = NULL;
	char *word;

	if (end == NULL) {
		text_mistake(parser->reporter, line,
			     "'{' without '}' (write {{ for a literal brace)");
		skip_rest(parser);
		return NULL;
	}
	word = braced_word(parser->at + 1, (size_t)(end - parser->at) - 1);
	for (; parser->at <= end; parser->at++)
		parser->line += *parser->at == '\n';
	if (needs_line(parser, word))
		text_mistake(parser->reporter, line, "{%s} must stand on a line of its own", word);
	else
		node = parse_word(parser, word, line, stop_r);
	g_free(word);
	return node;
}

/* A brace that is doubled, or one that closes nothing. */
static char *read_brace(struct parser *parser)
{
	char brace[] = {parser->at[0], '\0'};
	bool is_doubled = parser->at[1] == parser->at[0];

	if (!is_doubled)
		text_mistake(parser->reporter, parser->line,
			     "'}' without '{' (write }} for a literal brace)");
	parser->at += is_doubled ? 2 : 1;
	return text_keep(parser->reporter->sections, brace);
}

static struct node *parse_text(struct parser *parser)
{
	struct node *node = new_node(parser, NODE_TEXT, parser->line);
	size_t length = strcspn(parser->at, "{}");
	char *text;

	if (length == 0) {
		node->text = read_brace(parser);
		return node;
	}
	text = g_strndup(parser->at, length);
	parser->at += length;
	for (char *c = text; *c != '\0'; c++) {
		if (*c == '\n') {
			parser->line++;
			*c = ' ';
		}
	}
	node->text = text_keep(parser->reporter->sections, text);
	g_free(text);
	return node;
}

static struct node *parse_part(struct parser *parser, char **stop_r)
{
	return parser->at[0] == '{' && parser->at[1] != '{' ? parse_braces(parser, stop_r)
							    : parse_text(parser);
}

struct node *text_parse_line(struct text_reporter *reporter, unsigned int line, const char *text)
{
	struct parser parser = {.reporter = reporter, .at = text, .line = line};
	char *stop;
	struct node *nodes = parse_nodes(&parser, &stop);

	if (stop != NULL)
		text_mistake(reporter, parser.line, "{%s} has no {if} before it in this paragraph",
			     stop);
	g_free(stop);
	return nodes;
}

/* ---- lines ---- */

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

bool text_line_is_empty(const char *line)
{
	return line[0] == '#' || line[strspn(line, " \t")] == '\0';
}

bool text_lines_end_section(const struct text_lines *lines)
{
	const char *line = lines->list[lines->next];

	return line == NULL || line[0] == '[';
}

/* The word of a line that is one pair of braces and no text, or NULL. The caller frees
   it. */
static char *word_of_line(const struct parser *parser, const char *line)
{
	const char *begin = line + strspn(line, " \t");
	const char *end = begin[0] == '{' ? strchr(begin, '}') : NULL;
	char *word;

	if (end == NULL || end[1 + strspn(end + 1, " \t")] != '\0')
		return NULL;
	word = braced_word(begin + 1, (size_t)(end - begin) - 1);
	if (is_if(word) || is_stop(word) || needs_line(parser, word))
		return word;
	g_free(word);
	return NULL;
}

static bool continues_block(const struct parser *parser)
{
	const char *line = parser->lines->list[parser->lines->next];
	size_t prefix_length;
	char *word;

	if (text_lines_end_section(parser->lines) || text_line_is_empty(line))
		return false;
	block_of(line, &prefix_length);
	if (prefix_length > 0)
		return false;
	word = word_of_line(parser, line);
	g_free(word);
	return word == NULL;
}

static struct node *parse_block(struct parser *parser)
{
	struct text_lines *lines = parser->lines;
	struct node *node = new_node(parser, NODE_BLOCK, lines->next + 1);
	const char *line = lines->list[lines->next++];
	size_t prefix_length;
	GString *text;

	node->block = block_of(line, &prefix_length);
	text = g_string_new(line + prefix_length);
	while (node->block != TEXT_HEADING && node->block != TEXT_SUBHEADING &&
	       continues_block(parser)) {
		line = lines->list[lines->next++];
		g_string_append_printf(text, "\n%s", line + strspn(line, " \t"));
	}
	node->body = text_parse_line(parser->reporter, node->line, text->str);
	g_string_free(text, TRUE);
	return node;
}

static struct node *parse_lines(struct parser *parser, char **stop_r)
{
	const char *line = parser->lines->list[parser->lines->next];
	struct node *node;
	char *word;

	if (text_line_is_empty(line)) {
		parser->lines->next++;
		return NULL;
	}
	word = word_of_line(parser, line);
	if (word == NULL)
		return parse_block(parser);
	parser->lines->next++;
	node = parse_word(parser, word, parser->lines->next, stop_r);
	g_free(word);
	return node;
}

/* ---- both ---- */

static bool is_at_end(const struct parser *parser)
{
	return parser->at != NULL ? *parser->at == '\0' : text_lines_end_section(parser->lines);
}

static struct node *parse_nodes(struct parser *parser, char **stop_r)
{
	struct node *first = NULL, **last = &first;

	*stop_r = NULL;
	while (*stop_r == NULL && !is_at_end(parser)) {
		*last = parser->at != NULL ? parse_part(parser, stop_r)
					   : parse_lines(parser, stop_r);
		if (*last != NULL)
			last = &(*last)->next;
	}
	return first;
}

struct node *text_parse_section(struct text_reporter *reporter, struct text_lines *lines)
{
	struct parser parser = {.reporter = reporter, .lines = lines};
	struct node *nodes;
	char *stop;

	while (nodes = parse_nodes(&parser, &stop), stop != NULL) {
		text_mistake(reporter, lines->next, "{%s} has no {if} or {each} before it", stop);
		g_free(stop);
	}
	return nodes;
}
