#ifndef PORTCULLIS_CONFIG_SCANNER_H
#define PORTCULLIS_CONFIG_SCANNER_H

#include "config-problems.h"

enum config_token_type {
	CONFIG_TOKEN_END,
	CONFIG_TOKEN_WORD, /* bare or quoted */
	CONFIG_TOKEN_EQUALS,
	CONFIG_TOKEN_PLUS_EQUALS,
	CONFIG_TOKEN_OPEN,
	CONFIG_TOKEN_CLOSE,
	CONFIG_TOKEN_COMMA,
	CONFIG_TOKEN_STRAY, /* a character that means nothing */
};

struct config_token {
	enum config_token_type type;
	unsigned int line; /* where it begins */
	bool first_on_line;
	bool malformed;   /* a word; what is wrong with it was reported */
	const char *text; /* a word without its quotes and escapes; else as it is written */
};

/* Takes a configuration apart. Comments and blanks are left out. */
struct config_scanner {
	struct config_problems *problems;
	const char *at;
	unsigned int line;
	unsigned int last_line; /* of the token before */
	char *words;            /* where the next word goes */
};

/* Room for all words of a text of so many bytes, with a NUL behind each: between
   two bare words something else stands, and quoted ones have their quotes. */
#define CONFIG_WORDS_SIZE(length) ((length) + 1)

/* Words are written to CONFIG_WORDS_SIZE() bytes of the caller's, and live as long
   as these. Text and problems are borrowed. */
void config_scanner_start(struct config_scanner *scanner, const char *text, char *words,
			  struct config_problems *problems);

/* The next token; behind the last one END, as often as it is asked for. */
struct config_token config_scanner_next(struct config_scanner *scanner);

#endif
