#include "text-nodes.h"

#include <string.h>

/* What stands within a line. */

/* Conditions and loops within each other; more is a mistake. */
#define DEPTH_MAX 16

struct scanner {
	struct text_sections *sections;
	struct text_reporter *reporter;
	const char *at;
	unsigned int line;
	unsigned int depth;
};

/* What is in braces, with its blanks made one each. */
static char *scan_braces(struct scanner *scanner, unsigned int *line_r)
{
	const char *end = strchr(scanner->at, '}');
	char **words, *text;

	*line_r = scanner->line;
	if (end == NULL) {
		text_mistake(scanner->reporter, scanner->line,
			     "'{' has no '}' (write {{ for a brace that is meant as it stands)");
		scanner->at += strlen(scanner->at);
		return NULL;
	}
	text = g_strndup(scanner->at + 1, (size_t)(end - scanner->at) - 1);
	for (const char *c = text; *c != '\0'; c++)
		scanner->line += *c == '\n';
	scanner->at = end + 1;
	words = g_strsplit_set(g_strstrip(text), " \n\t", -1);
	g_free(text);
	text = g_strjoinv(" ", words);
	g_strfreev(words);
	/* "if" and its name may be two lines apart, with blanks between. */
	for (char *gap = strstr(text, "  "); gap != NULL; gap = strstr(text, "  "))
		memmove(gap, gap + 1, strlen(gap));
	return text;
}

static struct text_pieces *parse_pieces(struct scanner *scanner, char **stop_r);

static struct text_pieces *new_piece(struct scanner *scanner, enum piece_type type,
				     unsigned int line)
{
	struct text_pieces *piece = text_allocate(scanner->sections, sizeof(*piece));

	piece->type = type;
	piece->line = line;
	return piece;
}

/* Reads {if NAME}'s branches from behind it. */
static struct text_pieces *parse_inline_if(struct scanner *scanner, const char *name,
					   unsigned int line)
{
	struct text_pieces *piece = new_piece(scanner, PIECE_IF, line);
	char *stop = NULL;

	if (!text_name_find(name, &piece->name))
		text_mistake(scanner->reporter, line, "{if %s}: there is no such name", name);
	if (++scanner->depth > DEPTH_MAX) {
		text_mistake(scanner->reporter, line, "there are too many {if} within each other");
		scanner->at += strlen(scanner->at);
		return piece;
	}
	piece->body = parse_pieces(scanner, &stop);
	if (stop != NULL && strcmp(stop, "else") == 0) {
		g_free(stop);
		piece->otherwise = parse_pieces(scanner, &stop);
	}
	scanner->depth--;
	if (stop == NULL)
		text_mistake(scanner->reporter, line, "{if %s} has no {end}", name);
	else if (strcmp(stop, "end") != 0)
		text_mistake(scanner->reporter, line, "{if %s} has two {else}", name);
	g_free(stop);
	return piece;
}

bool text_is_structure(const char *word)
{
	return g_str_has_prefix(word, "each ") || g_str_has_prefix(word, "include ") ||
	       strcmp(word, "change") == 0 || strcmp(word, "steps") == 0;
}

/* Reads what is in braces. NULL when it stops the pieces, or is wrong. */
static struct text_pieces *parse_braces(struct scanner *scanner, char **stop_r)
{
	struct text_pieces *piece = NULL;
	unsigned int line;
	char *word = scan_braces(scanner, &line);

	if (word == NULL)
		return NULL;
	if (strcmp(word, "end") == 0 || strcmp(word, "else") == 0) {
		*stop_r = word;
		return NULL;
	}
	if (g_str_has_prefix(word, "if ")) {
		piece = parse_inline_if(scanner, word + 3, line);
	} else if (text_is_structure(word)) {
		text_mistake(scanner->reporter, line, "{%s} has to stand on a line of its own",
			     word);
	} else {
		piece = new_piece(scanner, PIECE_VALUE, line);
		if (!text_name_find(word, &piece->name))
			text_mistake(scanner->reporter, line, "there is no placeholder {%s}", word);
	}
	g_free(word);
	return piece;
}

static struct text_pieces *parse_text(struct scanner *scanner)
{
	struct text_pieces *piece = new_piece(scanner, PIECE_TEXT, scanner->line);
	size_t length = strcspn(scanner->at, "{}");

	/* A brace that is doubled, or one that closes nothing. */
	if (length == 0) {
		if (scanner->at[0] == '}' && scanner->at[1] != '}')
			text_mistake(
				scanner->reporter, scanner->line,
				"'}' has no '{' (write }} for a brace that is meant as it stands)");
		piece->text = text_keep(scanner->sections, scanner->at, 1);
		scanner->at += scanner->at[1] == scanner->at[0] ? 2 : 1;
		return piece;
	}
	piece->text = text_keep(scanner->sections, scanner->at, length);
	for (char *c = piece->text; *c != '\0'; c++) {
		if (*c == '\n') {
			scanner->line++;
			*c = ' ';
		}
	}
	scanner->at += length;
	return piece;
}

/* Reads pieces up to the end, {else} or {end}; *stop_r is then its word. */
static struct text_pieces *parse_pieces(struct scanner *scanner, char **stop_r)
{
	struct text_pieces *first = NULL, **last = &first;

	*stop_r = NULL;
	while (*scanner->at != '\0') {
		bool braces = scanner->at[0] == '{' && scanner->at[1] != '{';
		struct text_pieces *piece =
			braces ? parse_braces(scanner, stop_r) : parse_text(scanner);

		if (*stop_r != NULL)
			return first;
		if (piece == NULL)
			continue;
		*last = piece;
		last = &piece->next;
	}
	return first;
}

struct text_pieces *text_line_parse(struct text_sections *sections, struct text_reporter *reporter,
				    unsigned int line, const char *text)
{
	struct scanner scanner = {
		.sections = sections, .reporter = reporter, .at = text, .line = line};
	struct text_pieces *pieces;
	char *stop;

	pieces = parse_pieces(&scanner, &stop);
	if (stop != NULL)
		text_mistake(reporter, scanner.line, "{%s} has no {if} before it in this paragraph",
			     stop);
	g_free(stop);
	return pieces;
}

struct text_pieces *text_pieces_parse(struct text_sections *sections, const char *file,
				      unsigned int line, const char *text, unsigned int place,
				      config_report *error, void *context)
{
	struct text_reporter reporter = {
		.sections = sections, .file = file, .error = error, .context = context};
	struct text_pieces *pieces = text_line_parse(sections, &reporter, line, text);

	if (pieces == NULL && !reporter.failed)
		text_mistake(&reporter, line, "this word is empty");
	for (const struct text_pieces *piece = pieces; piece != NULL; piece = piece->next) {
		if (piece->type != PIECE_TEXT && (text_name_places(piece->name) & place) == 0)
			text_mistake(&reporter, line, "{%s} has no value in this word",
				     text_name_spelling(piece->name));
	}
	return reporter.failed ? NULL : pieces;
}
