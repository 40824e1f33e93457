#include "config-scanner.h"

#include <stdlib.h>
#include <string.h>

void config_scanner_start(struct config_scanner *scanner, const char *text, char *words,
			  struct config_problems *problems)
{
	*scanner = (struct config_scanner){
		.problems = problems, .at = text, .line = 1, .words = words};
}

static void skip_block_comment(struct config_scanner *scanner)
{
	const char *end = strstr(scanner->at + 2, "*/");

	if (end == NULL)
		config_error(scanner->problems, scanner->line, "this comment is never closed");
	end = end == NULL ? scanner->at + strlen(scanner->at) : end + 2;
	for (; scanner->at < end; scanner->at++)
		scanner->line += *scanner->at == '\n';
}

/* Goes to the next character that means something. */
static void skip_blanks(struct config_scanner *scanner)
{
	for (;;) {
		const char *at = scanner->at;

		if (at[0] == '#' || (at[0] == '/' && at[1] == '/')) {
			scanner->at += strcspn(at, "\n");
		} else if (at[0] == '/' && at[1] == '*') {
			skip_block_comment(scanner);
		} else if (at[0] == ' ' || at[0] == '\t' || at[0] == '\r' || at[0] == '\n') {
			scanner->line += *at == '\n';
			scanner->at++;
		} else {
			return;
		}
	}
}

static void malformed(struct config_scanner *scanner, struct config_token *token,
		      const char *problem)
{
	config_error(scanner->problems, scanner->line, "%s", problem);
	token->malformed = true;
}

static void malformed_escape(struct config_scanner *scanner, struct config_token *token,
			     const char *problem, const char *digits, size_t length)
{
	config_error(scanner->problems, scanner->line, "%s '\\%.*s'", problem, (int)length, digits);
	token->malformed = true;
}

static void put(struct config_scanner *scanner, char c)
{
	*scanner->words++ = c;
}

/* Takes a byte that is written as its number behind a backslash. */
static void scan_number(struct config_scanner *scanner, struct config_token *token,
			const char *digits, size_t length, int base)
{
	char text[sizeof("377")] = "";
	unsigned long number;

	memcpy(text, digits, length);
	number = strtoul(text, NULL, base);
	scanner->at = digits + length;
	if (number > 0 && number <= 0xff)
		put(scanner, (char)number);
	else if (number > 0)
		malformed_escape(scanner, token, "invalid octal number", digits, length);
	else
		malformed(scanner, token, "a string cannot hold a NUL byte");
}

/* Takes what stands behind a backslash in double quotes, which is as in C. */
static void scan_escape(struct config_scanner *scanner, struct config_token *token)
{
	static const char letters[] = "abefnrtv", meant[] = "\a\b\033\f\n\r\t\v";
	const char *at = scanner->at, *letter;
	size_t digits = strspn(at, "0123456789");
	size_t hex_digits = *at == 'x' ? strspn(at + 1, "0123456789abcdefABCDEF") : 0;

	if (digits > 3 || strspn(at, "01234567") < digits) {
		malformed_escape(scanner, token, "invalid escape sequence", at, digits);
		scanner->at += digits;
	} else if (digits > 0) {
		scan_number(scanner, token, at, digits, 8);
	} else if (hex_digits > 0) {
		scan_number(scanner, token, at + 1, hex_digits > 2 ? 2 : hex_digits, 16);
	} else {
		letter = strchr(letters, *at);
		put(scanner, (char)(letter == NULL ? *at : meant[letter - letters]));
		scanner->at++;
	}
}

/* Takes a backslash and what it changes. */
static void scan_backslash(struct config_scanner *scanner, struct config_token *token, char quote)
{
	char next = scanner->at[1];

	scanner->at++;
	if (next == '\n') {
		/* The string goes on with the next line. */
		scanner->line++;
		scanner->at++;
	} else if (next == '\0') {
		return;
	} else if (quote == '"') {
		scan_escape(scanner, token);
	} else {
		if (next != '\'' && next != '\\')
			put(scanner, '\\');
		put(scanner, next);
		scanner->at++;
	}
}

static void scan_quoted(struct config_scanner *scanner, struct config_token *token)
{
	const char quote = *scanner->at++;

	while (*scanner->at != quote) {
		if (*scanner->at == '\0' || *scanner->at == '\n') {
			malformed(scanner, token, "missing closing quote");
			return;
		}
		if (quote == '"' && scanner->at[0] == '$' && scanner->at[1] == '{')
			malformed(scanner, token,
				  "${...} is not expanded here; put the string in 'single quotes' "
				  "if it is meant literally");
		if (*scanner->at == '\\')
			scan_backslash(scanner, token, quote);
		else
			put(scanner, *scanner->at++);
	}
	scanner->at++;
}

/* A slash belongs to a word unless it begins a comment. */
static bool is_bare(const char *at)
{
	return at[0] != '\0' && strchr(" #\"'\t\n\r={}()+,*", at[0]) == NULL &&
	       (at[0] != '/' || (at[1] != '/' && at[1] != '*'));
}

static void scan_bare(struct config_scanner *scanner, struct config_token *token)
{
	while (is_bare(scanner->at)) {
		if (scanner->at[0] != '$' || scanner->at[1] != '{') {
			put(scanner, *scanner->at++);
			continue;
		}
		malformed(scanner, token, "${...} is not expanded here");
		scanner->at += strcspn(scanner->at, "}\n");
		scanner->at += *scanner->at == '}';
	}
}

static void scan_word(struct config_scanner *scanner, struct config_token *token)
{
	token->type = CONFIG_TOKEN_WORD;
	token->text = scanner->words;
	if (*scanner->at == '"' || *scanner->at == '\'')
		scan_quoted(scanner, token);
	else
		scan_bare(scanner, token);
	put(scanner, '\0');
}

static const struct {
	enum config_token_type type;
	const char *text;
} signs[] = {
	{CONFIG_TOKEN_EQUALS, "="}, {CONFIG_TOKEN_PLUS_EQUALS, "+="}, {CONFIG_TOKEN_OPEN, "{"},
	{CONFIG_TOKEN_CLOSE, "}"},  {CONFIG_TOKEN_COMMA, ","},        {CONFIG_TOKEN_STRAY, "("},
	{CONFIG_TOKEN_STRAY, ")"},  {CONFIG_TOKEN_STRAY, "+"},        {CONFIG_TOKEN_STRAY, "*"},
};

static bool scan_sign(struct config_scanner *scanner, struct config_token *token)
{
	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
		size_t length = strlen(signs[i].text);

		if (strncmp(scanner->at, signs[i].text, length) != 0)
			continue;
		scanner->at += length;
		token->type = signs[i].type;
		token->text = signs[i].text;
		return true;
	}
	return false;
}

struct config_token config_scanner_next(struct config_scanner *scanner)
{
	struct config_token token = {.type = CONFIG_TOKEN_END, .text = ""};

	skip_blanks(scanner);
	token.line = scanner->line;
	token.first_on_line = scanner->line != scanner->last_line;
	if (*scanner->at != '\0' && !scan_sign(scanner, &token))
		scan_word(scanner, &token);
	scanner->last_line = scanner->line;
	return token;
}
