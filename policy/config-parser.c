#include "config-parser.h"

#include <stdlib.h>
#include <string.h>

#include "config-scanner.h"

struct parser {
	struct config_scanner scanner;
	struct config_problems *problems;
	struct config_token token;
	struct config_token next;
};

static void advance(struct parser *parser)
{
	parser->token = parser->next;
	parser->next = config_scanner_next(&parser->scanner);
}

static bool at(const struct parser *parser, enum config_token_type type)
{
	return parser->token.type == type;
}

static bool is_equals(const struct config_token *token)
{
	return token->type == CONFIG_TOKEN_EQUALS || token->type == CONFIG_TOKEN_PLUS_EQUALS;
}

static bool is_section(const struct config_option *option)
{
	return option != NULL && option->options != NULL;
}

static bool is_top(const struct config_section *section)
{
	return section->option->name[0] == '\0';
}

/* Always false. A key that is NULL is none, here and below. */
static bool unexpected(struct parser *parser, struct config_key *key)
{
	if (at(parser, CONFIG_TOKEN_END))
		config_error(parser->problems, parser->token.line, "unexpected end of file");
	else
		config_error(parser->problems, parser->token.line, "unexpected '%s'",
			     parser->token.text);
	if (key != NULL)
		key->malformed = true;
	return false;
}

/* Goes to where the next statement may begin after a malformed one. False when that
   cannot be told. */
static bool skip_statement(struct parser *parser)
{
	while (!at(parser, CONFIG_TOKEN_END) && !at(parser, CONFIG_TOKEN_CLOSE) &&
	       !(at(parser, CONFIG_TOKEN_WORD) && parser->token.first_on_line)) {
		if (at(parser, CONFIG_TOKEN_OPEN))
			return false;
		advance(parser);
	}
	return true;
}

/* The same from within a list: to behind its brace, or to a key, because a list that
   is not closed must not swallow the statements behind it. */
static bool skip_list(struct parser *parser)
{
	while (!at(parser, CONFIG_TOKEN_END) && !at(parser, CONFIG_TOKEN_CLOSE) &&
	       !(at(parser, CONFIG_TOKEN_WORD) && is_equals(&parser->next))) {
		if (at(parser, CONFIG_TOKEN_OPEN))
			return false;
		advance(parser);
	}
	if (at(parser, CONFIG_TOKEN_CLOSE))
		advance(parser);
	return true;
}

/* ---- KEY = VALUE ---- */

static const char *in_a(const struct config_section *section)
{
	if (is_top(section))
		return "";
	return section->option->type == CONFIG_SECTION ? "in " : "in a ";
}

static const char *section_name(const struct config_section *section)
{
	return is_top(section) ? "at the top of the file" : section->option->name;
}

/* The key that a statement sets; NULL when it may not, which is reported. */
static struct config_key *key_to_set(struct parser *parser, const struct config_section *section,
				     const struct config_token *name, bool is_addition)
{
	const struct config_option *option = config_find_option(section, name->text);
	struct config_key *key;

	if (option == NULL || is_section(option)) {
		config_error(parser->problems, name->line, "unknown key '%s' %s%s", name->text,
			     in_a(section), section_name(section));
		return NULL;
	}
	if (option->type == CONFIG_VALUE && (is_addition || at(parser, CONFIG_TOKEN_OPEN))) {
		config_error(parser->problems, name->line, "'%s' takes one value, not a list",
			     name->text);
		return NULL;
	}
	key = config_find_key(section, name->text);
	if (key->line > 0 && !is_addition) {
		config_error(parser->problems, name->line, "'%s' was already set on line %u",
			     name->text, key->line);
		return NULL;
	}
	return key;
}

static bool read_value(struct parser *parser, struct config_key *key)
{
	if (!at(parser, CONFIG_TOKEN_WORD))
		return unexpected(parser, key);
	if (key != NULL && parser->token.malformed)
		key->malformed = true;
	else if (key != NULL && !config_key_add(key, parser->token.text, parser->token.line))
		config_out_of_memory(parser->problems);
	advance(parser);
	return true;
}

/* Reads a list from behind its opening brace. A comma may stand behind the last value. */
static bool read_list(struct parser *parser, struct config_key *key)
{
	while (!at(parser, CONFIG_TOKEN_CLOSE)) {
		if (!read_value(parser, key))
			return false;
		if (at(parser, CONFIG_TOKEN_COMMA))
			advance(parser);
		else if (!at(parser, CONFIG_TOKEN_CLOSE))
			return unexpected(parser, key);
	}
	advance(parser);
	return true;
}

/* Reads a statement from its equals sign on. */
static bool read_key(struct parser *parser, const struct config_section *section,
		     const struct config_token *name)
{
	bool is_addition = at(parser, CONFIG_TOKEN_PLUS_EQUALS);
	struct config_key *key;

	advance(parser);
	key = key_to_set(parser, section, name, is_addition);
	if (key != NULL && key->line == 0)
		key->line = name->line;
	if (!at(parser, CONFIG_TOKEN_OPEN))
		return read_value(parser, key) || skip_statement(parser);
	advance(parser);
	return read_list(parser, key) || skip_list(parser);
}

/* ---- NAME TITLE { ... } ---- */

/* Whether a section may have this name and title; reports it when not. */
static bool section_may_stand(struct parser *parser, const struct config_section *parent,
			      const struct config_token *name, const struct config_token *title)
{
	const struct config_option *option = config_find_option(parent, name->text);

	if (!is_section(option))
		config_error(parser->problems, name->line, "unknown section '%s' %s%s", name->text,
			     in_a(parent), section_name(parent));
	else if (option->type == CONFIG_SECTION && title != NULL)
		config_error(parser->problems, name->line, "'%s' takes no title", name->text);
	else if (option->type == CONFIG_TITLED_SECTION && title == NULL)
		config_error(parser->problems, name->line, "this %s has no title: %s TITLE { ... }",
			     name->text, name->text);
	else
		return true;
	return false;
}

/* Where a section is linked that has this name and title, or is to be. */
static struct config_section **find_link(struct config_section *parent, const char *name,
					 const char *title)
{
	struct config_section **link = &parent->sections;

	while (*link != NULL &&
	       (strcmp((*link)->option->name, name) != 0 || strcmp((*link)->title, title) != 0))
		link = &(*link)->next;
	return link;
}

/* NULL when there can be no such section, which is reported. */
static struct config_section *add_section(struct parser *parser, struct config_section *parent,
					  const struct config_token *name,
					  const struct config_token *title)
{
	const char *title_text = title == NULL ? "" : title->text;
	struct config_section **link;

	if (!section_may_stand(parser, parent, name, title))
		return NULL;
	link = find_link(parent, name->text, title_text);
	if (*link != NULL) {
		config_error(parser->problems, name->line,
			     title == NULL ? "there is already a '%s'%s on line %u"
					   : "there is already a %s '%s' on line %u",
			     name->text, title_text, (*link)->line);
		return NULL;
	}
	*link = config_section_create(config_find_option(parent, name->text), title_text,
				      name->line);
	if (*link == NULL)
		config_out_of_memory(parser->problems);
	return *link;
}

/* Goes to behind the brace that closes the one just read. */
static void skip_braces(struct parser *parser)
{
	for (size_t depth = 1; depth > 0 && !at(parser, CONFIG_TOKEN_END); advance(parser)) {
		if (at(parser, CONFIG_TOKEN_OPEN))
			depth++;
		else if (at(parser, CONFIG_TOKEN_CLOSE))
			depth--;
	}
}

static bool read_statements(struct parser *parser, struct config_section *section);

/* Reads a section from its opening brace on. */
static bool read_section(struct parser *parser, struct config_section *parent,
			 const struct config_token *name, const struct config_token *title)
{
	struct config_section *section = add_section(parser, parent, name, title);

	advance(parser);
	if (section != NULL)
		return read_statements(parser, section);
	skip_braces(parser);
	return true;
}

/* ---- all of it ---- */

/* Reports a name behind which nothing stands that makes a statement of it. */
static bool no_statement(struct parser *parser, const struct config_section *section,
			 const struct config_token *name)
{
	struct config_key *key = config_find_key(section, name->text);

	if (is_section(config_find_option(section, name->text))) {
		if (at(parser, CONFIG_TOKEN_WORD))
			advance(parser);
		config_error(parser->problems, parser->token.line,
			     "missing opening brace for section '%s'", name->text);
		return false;
	}
	config_error(parser->problems, name->line, "missing equals sign after '%s'", name->text);
	if (key != NULL && key->line == 0) {
		key->line = name->line;
		key->malformed = true;
	}
	return skip_statement(parser);
}

static bool read_statement(struct parser *parser, struct config_section *section)
{
	struct config_token name = parser->token, title;

	if (!at(parser, CONFIG_TOKEN_WORD))
		return unexpected(parser, NULL) || skip_statement(parser);
	advance(parser);
	if (is_equals(&parser->token))
		return read_key(parser, section, &name);
	if (at(parser, CONFIG_TOKEN_OPEN))
		return read_section(parser, section, &name, NULL);
	if (at(parser, CONFIG_TOKEN_WORD) && parser->next.type == CONFIG_TOKEN_OPEN) {
		title = parser->token;
		advance(parser);
		return read_section(parser, section, &name, &title);
	}
	return no_statement(parser, section, &name);
}

/* Reads up to the brace that closes the section, or the end of the file. False where
   the text stops being made of statements. */
static bool read_statements(struct parser *parser, struct config_section *section)
{
	while (!at(parser, CONFIG_TOKEN_END) && !at(parser, CONFIG_TOKEN_CLOSE)) {
		if (!read_statement(parser, section) || parser->problems->out_of_memory)
			return false;
	}
	if (is_top(section) && at(parser, CONFIG_TOKEN_CLOSE)) {
		config_error(parser->problems, parser->token.line, "unexpected closing brace");
		return false;
	}
	if (!is_top(section) && at(parser, CONFIG_TOKEN_END))
		config_error(parser->problems, section->line,
			     "missing closing brace for section '%s'", section->option->name);
	advance(parser);
	return true;
}

bool config_parse(struct config_tree *tree_r, const char *text, const struct config_option *file,
		  struct config_problems *problems)
{
	struct parser parser = {.problems = problems};

	*tree_r = (struct config_tree){.top = config_section_create(file, "", 1),
				       .words = malloc(CONFIG_WORDS_SIZE(strlen(text)))};
	if (tree_r->top == NULL || tree_r->words == NULL) {
		config_out_of_memory(problems);
		return false;
	}
	config_scanner_start(&parser.scanner, text, tree_r->words, problems);
	advance(&parser);
	advance(&parser);
	return read_statements(&parser, tree_r->top);
}

void config_tree_free(struct config_tree *tree)
{
	config_section_free(tree->top);
	free(tree->words);
}
