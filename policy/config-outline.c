#include "config-outline.h"

#include <stdlib.h>
#include <string.h>

enum token_type {
	TOKEN_END,
	TOKEN_WORD, /* bare or quoted */
	TOKEN_EQUALS,
	TOKEN_ADD_EQUALS,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_COMMA,
	TOKEN_OTHER,
};

struct token {
	enum token_type type;
	unsigned int line;
	char *begin;
	char *end;
	/* The content of a word, without its quotes. */
	const char *content;
	size_t content_length;
};

struct scanner {
	struct config_outline *outline;
	struct config_problems *problems;
	char *at;
	unsigned int line;
	bool broken; /* a problem within the statement was already reported */
};

/* A section of the file while it is read. */
struct section {
	const cfg_opt_t *options;
	const char *name;
	const char *title;
	unsigned int line;
	size_t first_place;
};

static void blank(char *begin, const char *end)
{
	for (; begin < end; begin++) {
		if (*begin != '\n')
			*begin = ' ';
	}
}

static char *line_end(char *text)
{
	return text + strcspn(text, "\n");
}

static void skip_block_comment(struct scanner *scanner)
{
	char *begin = scanner->at;
	char *end = strstr(begin + 2, "*/");

	if (end == NULL) {
		config_error(scanner->problems, scanner->line, "this comment has no end");
		end = begin + strlen(begin);
	} else {
		end += 2;
	}
	for (char *c = begin; c < end; c++) {
		if (*c == '\n')
			scanner->line++;
	}
	blank(begin, end);
	scanner->at = end;
}

static void skip_line_comment(struct scanner *scanner)
{
	char *end = line_end(scanner->at);

	blank(scanner->at, end);
	scanner->at = end;
}

/* Goes to the next character that means something to libconfuse. */
static void skip_blanks(struct scanner *scanner)
{
	for (;;) {
		char *at = scanner->at;

		if (at[0] == '#' || (at[0] == '/' && at[1] == '/')) {
			skip_line_comment(scanner);
		} else if (at[0] == '/' && at[1] == '*') {
			skip_block_comment(scanner);
		} else if (at[0] == '\n') {
			scanner->line++;
			scanner->at++;
		} else if (at[0] == ' ' || at[0] == '\t' || at[0] == '\r') {
			scanner->at++;
		} else {
			return;
		}
	}
}

static void broken(struct scanner *scanner, const char *problem)
{
	config_error(scanner->problems, scanner->line, "%s", problem);
	scanner->broken = true;
}

static void scan_quoted(struct scanner *scanner, struct token *token)
{
	char quote = *scanner->at;
	char *at = scanner->at + 1;

	token->type = TOKEN_WORD;
	token->content = at;
	for (; *at != quote; at++) {
		if (*at == '\0' || *at == '\n') {
			broken(scanner, "this string has no closing quote");
			break;
		}
		if (quote == '"' && at[0] == '$' && at[1] == '{')
			broken(scanner, "${...} is not replaced by anything here; put the string "
					"into 'single quotes' if it is meant as it stands");
		if (at[0] == '\\' && at[1] == '\n')
			scanner->line++;
		if (at[0] == '\\' && at[1] != '\0')
			at++;
	}
	token->content_length = (size_t)(at - token->content);
	token->end = *at == quote ? at + 1 : at;
}

/* As libconfuse has it: a slash that ends a word does not belong to it. */
static bool is_bare(const char *at)
{
	static const char special[] = " #\"'\t\n\r={}()+,*";

	if (at[0] == '\0' || strchr(special, at[0]) != NULL)
		return false;
	return at[0] != '/' || (at[1] != '\0' && at[1] != '/' && strchr(special, at[1]) == NULL);
}

static void scan_bare(struct scanner *scanner, struct token *token)
{
	char *at = scanner->at;

	token->type = TOKEN_WORD;
	token->content = at;
	while (is_bare(at)) {
		if (at[0] == '$' && at[1] == '{')
			broken(scanner, "${...} is not replaced by anything here");
		at++;
	}
	token->content_length = (size_t)(at - token->content);
	token->end = at;
}

static struct token next_token(struct scanner *scanner)
{
	struct token token;

	skip_blanks(scanner);
	token = (struct token){.line = scanner->line, .begin = scanner->at, .end = scanner->at + 1};
	switch (*scanner->at) {
	case '\0':
		token.type = TOKEN_END;
		token.end = scanner->at;
		break;
	case '{':
		token.type = TOKEN_OPEN;
		break;
	case '}':
		token.type = TOKEN_CLOSE;
		break;
	case ',':
		token.type = TOKEN_COMMA;
		break;
	case '=':
		token.type = TOKEN_EQUALS;
		break;
	case '"':
	case '\'':
		scan_quoted(scanner, &token);
		break;
	default:
		if (scanner->at[0] == '+' && scanner->at[1] == '=') {
			token.type = TOKEN_ADD_EQUALS;
			token.end = scanner->at + 2;
		} else if (is_bare(scanner->at)) {
			scan_bare(scanner, &token);
		} else {
			/* libconfuse would overlook it without a word. */
			config_error(scanner->problems, scanner->line, "unexpected '%c'",
				     *scanner->at);
			token.type = TOKEN_OTHER;
		}
	}
	scanner->at = token.end;
	return token;
}

static bool token_is(const struct token *token, const char *name)
{
	return strlen(name) == token->content_length &&
	       memcmp(name, token->content, token->content_length) == 0;
}

static const cfg_opt_t *find_option(const cfg_opt_t *options, const struct token *token)
{
	for (; options->name != NULL; options++) {
		if (token_is(token, options->name))
			return options;
	}
	return NULL;
}

static const char *add_place(struct scanner *scanner, const char *section, const char *title,
			     size_t title_length, const char *key, unsigned int line)
{
	struct config_outline *outline = scanner->outline;
	struct config_place *places =
		reallocarray(outline->places, outline->count + 1, sizeof(*places));
	struct config_place place = {.line = line};

	if (places != NULL)
		outline->places = places;
	place.section = config_strdup(scanner->problems, section);
	place.title = strndup(title, title_length);
	if (key != NULL)
		place.key = config_strdup(scanner->problems, key);
	if (places == NULL || place.section == NULL || place.title == NULL ||
	    (key != NULL && place.key == NULL)) {
		config_out_of_memory(scanner->problems);
		free(place.section);
		free(place.title);
		free(place.key);
		return "";
	}
	places[outline->count++] = place;
	return place.title;
}

/* The place where a key of this section stood before. */
static const struct config_place *find_key(const struct scanner *scanner,
					   const struct section *section, const char *key)
{
	for (size_t i = section->first_place; i < scanner->outline->count; i++) {
		const struct config_place *place = &scanner->outline->places[i];

		if (place->key != NULL && strcmp(place->key, key) == 0 &&
		    strcmp(place->section, section->name) == 0)
			return place;
	}
	return NULL;
}

/* Reads up to the brace that closes the one just read. */
static bool skip_braces(struct scanner *scanner)
{
	unsigned int depth = 1;

	while (depth > 0) {
		struct token token = next_token(scanner);

		if (token.type == TOKEN_END)
			return false;
		if (token.type == TOKEN_OPEN)
			depth++;
		else if (token.type == TOKEN_CLOSE)
			depth--;
	}
	return true;
}

static bool skip_value(struct scanner *scanner, bool *is_list_r)
{
	struct token token = next_token(scanner);

	*is_list_r = token.type == TOKEN_OPEN;
	if (token.type == TOKEN_WORD)
		return true;
	if (token.type != TOKEN_OPEN)
		return false;
	/* A list has no braces inside: one that is not closed must not swallow
	   the rules behind it. */
	for (;;) {
		token = next_token(scanner);
		if (token.type == TOKEN_CLOSE)
			return true;
		if (token.type != TOKEN_WORD && token.type != TOKEN_COMMA)
			return false;
	}
}

static const char *in_section(const struct section *section)
{
	return section->name[0] == '\0' ? "at the top of the file" : section->name;
}

/* Reads KEY = VALUE from behind the equals sign. */
static bool read_key(struct scanner *scanner, const struct section *section,
		     const struct token *key, bool is_addition)
{
	const cfg_opt_t *option = find_option(section->options, key);
	const struct config_place *before;
	bool is_list;

	scanner->broken = false;
	if (!skip_value(scanner, &is_list))
		return false;
	if (option == NULL || option->type == CFGT_SEC) {
		config_error(scanner->problems, key->line, "unknown key '%.*s' %s%s",
			     (int)key->content_length, key->content,
			     section->name[0] == '\0' ? "" : "in a ", in_section(section));
		scanner->broken = true;
	} else if ((option->flags & CFGF_LIST) == 0 && (is_list || is_addition)) {
		config_error(scanner->problems, key->line, "'%s' takes one value, not a list",
			     option->name);
		scanner->broken = true;
	} else if ((before = find_key(scanner, section, option->name)) != NULL && !is_addition) {
		config_error(scanner->problems, key->line, "'%s' was already set in line %u",
			     option->name, before->line);
		scanner->broken = true;
	}
	if (scanner->broken)
		blank(key->begin, scanner->at);
	else
		add_place(scanner, section->name, section->title, strlen(section->title),
			  option->name, key->line);
	return true;
}

static bool read_statements(struct scanner *scanner, const struct section *section, bool is_top);

/* Says what is wrong with the head of a section; false when nothing is. */
static bool section_is_wrong(struct scanner *scanner, const struct section *parent,
			     const cfg_opt_t *option, const struct token *name,
			     const struct token *title)
{
	char *title_text;
	unsigned int line;

	if (option == NULL || option->type != CFGT_SEC) {
		config_error(scanner->problems, name->line, "unknown section '%.*s' %s%s",
			     (int)name->content_length, name->content,
			     parent->name[0] == '\0' ? "" : "in a ", in_section(parent));
		return true;
	}
	if ((option->flags & CFGF_TITLE) == 0 && title != NULL) {
		config_error(scanner->problems, name->line, "'%s' takes no title", option->name);
		return true;
	}
	if ((option->flags & CFGF_TITLE) != 0 && title == NULL) {
		config_error(scanner->problems, name->line,
			     "this %s has no title: %s TITLE { ... }", option->name, option->name);
		return true;
	}
	title_text = title == NULL ? strdup("") : strndup(title->content, title->content_length);
	if (title_text == NULL) {
		config_out_of_memory(scanner->problems);
		return true;
	}
	line = config_outline_line(scanner->outline, option->name, title_text, NULL);
	if (line > 0 && title == NULL)
		config_error(scanner->problems, name->line, "there is already a '%s' in line %u",
			     option->name, line);
	else if (line > 0)
		config_error(scanner->problems, name->line, "there is already a %s '%s' in line %u",
			     option->name, title_text, line);
	free(title_text);
	return line > 0;
}

/* Reads NAME TITLE { ... } or NAME { ... } from behind the opening brace. */
static bool read_section(struct scanner *scanner, const struct section *parent,
			 const struct token *name, const struct token *title)
{
	const cfg_opt_t *option = find_option(parent->options, name);
	struct section section = {.line = name->line, .first_place = scanner->outline->count};

	if (section_is_wrong(scanner, parent, option, name, title)) {
		bool closed = skip_braces(scanner);

		if (closed)
			blank(name->begin, scanner->at);
		return closed;
	}
	section.options = option->subopts;
	section.name = option->name;
	section.title = add_place(scanner, option->name, title == NULL ? "" : title->content,
				  title == NULL ? 0 : title->content_length, NULL, name->line);
	return read_statements(scanner, &section, false);
}

/* False where the text stops being made of statements. */
static bool read_statements(struct scanner *scanner, const struct section *section, bool is_top)
{
	for (;;) {
		struct token first = next_token(scanner), second, third;
		bool fine;

		if (first.type == TOKEN_END) {
			/* Which libconfuse does not mind. */
			if (!is_top)
				config_error(scanner->problems, section->line,
					     "this %s has no closing brace", section->name);
			return is_top;
		}
		if (first.type == TOKEN_CLOSE)
			return !is_top;
		if (first.type != TOKEN_WORD)
			return false;
		second = next_token(scanner);
		switch (second.type) {
		case TOKEN_EQUALS:
		case TOKEN_ADD_EQUALS:
			fine = read_key(scanner, section, &first, second.type == TOKEN_ADD_EQUALS);
			break;
		case TOKEN_OPEN:
			fine = read_section(scanner, section, &first, NULL);
			break;
		case TOKEN_WORD:
			third = next_token(scanner);
			fine = third.type == TOKEN_OPEN &&
			       read_section(scanner, section, &first, &second);
			break;
		default:
			fine = false;
		}
		if (!fine)
			return false;
	}
}

void config_outline_read(struct config_outline *outline, char *text, const cfg_opt_t *options,
			 struct config_problems *problems)
{
	struct scanner scanner = {.outline = outline, .problems = problems, .at = text, .line = 1};
	const struct section top = {.options = options, .name = "", .title = ""};

	*outline = (struct config_outline){0};
	if (read_statements(&scanner, &top, true))
		return;
	/* libconfuse reads on to the place that it will complain about, and has
	   to find no comments on its way. */
	while (next_token(&scanner).type != TOKEN_END)
		;
}

void config_outline_free(struct config_outline *outline)
{
	for (size_t i = 0; i < outline->count; i++) {
		free(outline->places[i].section);
		free(outline->places[i].title);
		free(outline->places[i].key);
	}
	free(outline->places);
	*outline = (struct config_outline){0};
}

unsigned int config_outline_line(const struct config_outline *outline, const char *section,
				 const char *title, const char *key)
{
	for (size_t i = 0; i < outline->count; i++) {
		const struct config_place *place = &outline->places[i];

		if (strcmp(place->section, section) != 0 || strcmp(place->title, title) != 0)
			continue;
		if (key == NULL ? place->key == NULL
				: place->key != NULL && strcmp(place->key, key) == 0)
			return place->line;
	}
	return 0;
}
