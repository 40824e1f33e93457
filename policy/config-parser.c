#include "config-parser.h"

#include <stdlib.h>
#include <string.h>

#include "config-scanner.h"

struct parser {
	struct config_scanner scanner;
	struct config_problems *problems;
	struct config_section *top;
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

/* A key that is NULL is none, here and below. */
static void unexpected(struct parser *parser, struct config_section *section,
		       struct config_key *key)
{
	section->malformed = true;
	if (at(parser, CONFIG_TOKEN_END))
		config_error(parser->problems, parser->token.line, "unexpected end of file");
	else
		config_error(parser->problems, parser->token.line, "unexpected '%s'",
			     parser->token.text);
	if (key != NULL)
		key->malformed = true;
}

/* Goes to behind a token; if it opens a brace, to behind the one that closes it. */
static void skip_token(struct parser *parser)
{
	size_t depth = 0;

	do {
		if (at(parser, CONFIG_TOKEN_OPEN))
			depth++;
		else if (at(parser, CONFIG_TOKEN_CLOSE) && depth > 0)
			depth--;
		advance(parser);
	} while (depth > 0 && !at(parser, CONFIG_TOKEN_END));
}

/* Where a statement may begin, or none can. */
static bool at_statement(const struct parser *parser)
{
	return at(parser, CONFIG_TOKEN_END) || at(parser, CONFIG_TOKEN_CLOSE) ||
	       (at(parser, CONFIG_TOKEN_WORD) && parser->token.first_on_line);
}

/* Goes to where the next statement may begin after a malformed one. */
static void skip_statement(struct parser *parser)
{
	while (!at_statement(parser))
		skip_token(parser);
}

/* The same from within a list: to behind its brace, or to a key, because a list that
   is not closed must not swallow the statements behind it. */
static void skip_list(struct parser *parser)
{
	while (!at(parser, CONFIG_TOKEN_END) && !at(parser, CONFIG_TOKEN_CLOSE) &&
	       !(at(parser, CONFIG_TOKEN_WORD) && is_equals(&parser->next)))
		skip_token(parser);
	if (at(parser, CONFIG_TOKEN_CLOSE))
		advance(parser);
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
static struct config_key *key_to_set(struct parser *parser, struct config_section *section,
				     const struct config_token *name)
{
	const struct config_option *option = config_find_option(section, name->text);
	struct config_key *key = config_find_key(section, name->text);

	if (key == NULL) {
		config_error(parser->problems, name->line, "unknown key '%s' %s%s", name->text,
			     in_a(section), section_name(section));
		/* It may be meant for one that will be missing. */
		section->malformed = section->malformed || !is_top(section);
		return NULL;
	}
	if (key->line > 0) {
		config_error(parser->problems, name->line, "'%s' was already set on line %u",
			     name->text, key->line);
		return NULL;
	}
	key->line = name->line;
	if (option->type == CONFIG_VALUE && at(parser, CONFIG_TOKEN_OPEN)) {
		config_error(parser->problems, name->line, "'%s' takes one value, not a list",
			     name->text);
		key->malformed = true;
		return NULL;
	}
	return key;
}

/* Whether another statement begins where a value would stand. */
static bool lacks_value(const struct parser *parser)
{
	return at(parser, CONFIG_TOKEN_WORD) && parser->token.first_on_line &&
	       is_equals(&parser->next);
}

/* False, which is reported, when there is none. */
static bool read_value(struct parser *parser, struct config_section *section,
		       struct config_key *key)
{
	if (!at(parser, CONFIG_TOKEN_WORD)) {
		unexpected(parser, section, key);
		return false;
	}
	if (key != NULL && parser->token.malformed)
		key->malformed = true;
	else if (key != NULL && !config_key_add(key, parser->token.text, parser->token.line))
		config_out_of_memory(parser->problems);
	advance(parser);
	return true;
}

/* Reads a list from behind its opening brace. A comma may stand behind the last value. */
static void read_list(struct parser *parser, struct config_section *section, struct config_key *key)
{
	while (!at(parser, CONFIG_TOKEN_CLOSE)) {
		if (!read_value(parser, section, key)) {
			skip_list(parser);
			return;
		}
		if (at(parser, CONFIG_TOKEN_COMMA)) {
			advance(parser);
		} else if (!at(parser, CONFIG_TOKEN_CLOSE)) {
			unexpected(parser, section, key);
			skip_list(parser);
			return;
		}
	}
	advance(parser);
}

/* Reads a statement from its equals sign on. */
static void read_key(struct parser *parser, struct config_section *section,
		     const struct config_token *name)
{
	bool is_addition = at(parser, CONFIG_TOKEN_PLUS_EQUALS);
	struct config_key *key;

	advance(parser);
	key = key_to_set(parser, section, name);
	if (is_addition && key != NULL) {
		config_error(parser->problems, name->line,
			     "nothing can be added to '%s': write all of it behind '='",
			     name->text);
		key->malformed = true;
	}
	if (at(parser, CONFIG_TOKEN_OPEN)) {
		advance(parser);
		read_list(parser, section, key);
	} else if (lacks_value(parser)) {
		config_error(parser->problems, name->line, "'%s' has no value", name->text);
		section->malformed = true;
		if (key != NULL)
			key->malformed = true;
	} else if (!read_value(parser, section, key)) {
		skip_statement(parser);
	}
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

/* Whether a section begins here that only stands at the top of the file. */
static bool at_top_section(const struct parser *parser)
{
	return at(parser, CONFIG_TOKEN_WORD) && parser->token.first_on_line &&
	       is_section(config_find_option(parser->top, parser->token.text)) &&
	       (parser->next.type == CONFIG_TOKEN_WORD || parser->next.type == CONFIG_TOKEN_OPEN);
}

/* Goes to behind the brace that closes a section, from behind the one that opens it. */
static void skip_section(struct parser *parser)
{
	while (!at(parser, CONFIG_TOKEN_END) && !at(parser, CONFIG_TOKEN_CLOSE) &&
	       !at_top_section(parser))
		skip_token(parser);
	if (at(parser, CONFIG_TOKEN_CLOSE))
		advance(parser);
}

static void read_statements(struct parser *parser, struct config_section *section);

/* Reads a section from its opening brace on, or from where that should stand. */
static void read_section(struct parser *parser, struct config_section *parent,
			 const struct config_token *name, const struct config_token *title)
{
	struct config_section *section = add_section(parser, parent, name, title);

	if (at(parser, CONFIG_TOKEN_OPEN))
		advance(parser);
	if (section != NULL)
		read_statements(parser, section);
	else
		skip_section(parser);
}

/* Reads a section from behind its name when no brace is where one should be. */
static void read_section_without_brace(struct parser *parser, struct config_section *parent,
				       const struct config_token *name)
{
	struct config_token title = {.type = CONFIG_TOKEN_END};

	while (!at_statement(parser) && !at(parser, CONFIG_TOKEN_OPEN)) {
		if (!at(parser, CONFIG_TOKEN_WORD))
			unexpected(parser, parent, NULL);
		else
			title = parser->token;
		advance(parser);
	}
	if (!at(parser, CONFIG_TOKEN_OPEN))
		config_error(parser->problems, name->line, "missing opening brace for section '%s'",
			     name->text);
	read_section(parser, parent, name, title.type == CONFIG_TOKEN_END ? NULL : &title);
}

/* ---- all of it ---- */

/* Reports a name behind which nothing stands that makes a statement of it. */
static void no_statement(struct parser *parser, struct config_section *section,
			 const struct config_token *name)
{
	struct config_key *key = config_find_key(section, name->text);

	config_error(parser->problems, name->line, "missing equals sign after '%s'", name->text);
	section->malformed = true;
	if (key != NULL && key->line == 0) {
		key->line = name->line;
		key->malformed = true;
	}
	skip_statement(parser);
}

static void read_statement(struct parser *parser, struct config_section *section)
{
	struct config_token name = parser->token, title;

	if (!at(parser, CONFIG_TOKEN_WORD)) {
		/* What follows it may be whole. */
		unexpected(parser, section, NULL);
		skip_token(parser);
		return;
	}
	advance(parser);
	if (is_equals(&parser->token)) {
		read_key(parser, section, &name);
	} else if (at(parser, CONFIG_TOKEN_OPEN)) {
		read_section(parser, section, &name, NULL);
	} else if (at(parser, CONFIG_TOKEN_WORD) && parser->next.type == CONFIG_TOKEN_OPEN) {
		title = parser->token;
		advance(parser);
		read_section(parser, section, &name, &title);
	} else if (is_section(config_find_option(section, name.text))) {
		read_section_without_brace(parser, section, &name);
	} else {
		no_statement(parser, section, &name);
	}
}

/* Reads up to the brace that closes the section, or to where it is missing. */
static void read_section_statements(struct parser *parser, struct config_section *section)
{
	while (!at(parser, CONFIG_TOKEN_CLOSE) && !parser->problems->out_of_memory) {
		if (at(parser, CONFIG_TOKEN_END) || at_top_section(parser)) {
			config_error(parser->problems, section->line,
				     "missing closing brace for section '%s'",
				     section->option->name);
			return;
		}
		read_statement(parser, section);
	}
	advance(parser);
}

static void read_statements(struct parser *parser, struct config_section *section)
{
	if (!is_top(section)) {
		read_section_statements(parser, section);
		return;
	}
	while (!at(parser, CONFIG_TOKEN_END) && !parser->problems->out_of_memory) {
		if (at(parser, CONFIG_TOKEN_CLOSE)) {
			config_error(parser->problems, parser->token.line,
				     "unexpected closing brace");
			advance(parser);
		} else {
			read_statement(parser, section);
		}
	}
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
	parser.top = tree_r->top;
	problems->syntax = true;
	advance(&parser);
	advance(&parser);
	read_statements(&parser, tree_r->top);
	problems->syntax = false;
	return !problems->out_of_memory;
}

void config_tree_free(struct config_tree *tree)
{
	config_section_free(tree->top);
	free(tree->words);
}
