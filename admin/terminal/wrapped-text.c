#include "wrapped-text.h"

#include <glib.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "terminal-width.h"

static size_t columns_of(gunichar character)
{
	if (g_unichar_iszerowidth(character))
		return 0;
	return g_unichar_iswide(character) ? 2 : 1;
}

/* How many bytes of a text fit into so many columns; all_r: whether that is all of its
   line. */
static size_t fitting_length(const char *text, size_t room, bool *all_r)
{
	const char *at = text;

	while (*at != '\0' && *at != '\n') {
		size_t columns = columns_of(g_utf8_get_char(at));

		if (columns > room)
			break;
		room -= columns;
		at = g_utf8_next_char(at);
	}
	*all_r = *at == '\0' || *at == '\n';
	return (size_t)(at - text);
}

/* Where to end a line of which no more than so many bytes fit: at its last blank behind a
   word; 0: there is none. */
static size_t last_blank(const char *text, size_t length)
{
	while (length > 0 && text[length] != ' ')
		length--;
	for (size_t i = 0; i < length; i++) {
		if (text[i] != ' ')
			return length;
	}
	return 0;
}

/* How much of a text stands on a line with so much room. fresh: nothing else stands on it,
   so that a word that is too long has to be broken here. */
static size_t line_length(const char *text, size_t room, bool fresh)
{
	bool all;
	size_t length = fitting_length(text, room, &all), blank;

	if (all)
		return length;
	blank = last_blank(text, length);
	if (blank > 0 || !fresh)
		return blank;
	return length > 0 ? length : (size_t)(g_utf8_next_char(text) - text);
}

static size_t without_blanks(const char *text, size_t length)
{
	while (length > 0 && text[length - 1] == ' ')
		length--;
	return length;
}

void wrapped_text_print(const char *text, size_t column, size_t indent, size_t width)
{
	size_t later = indent > width / 2 ? width / 4 : indent;

	for (;;) {
		size_t room = column < width ? width - column : 0;
		size_t length = line_length(text, room, column <= later);

		printf("%.*s\n", (int)without_blanks(text, length), text);
		text += length;
		if (*text == '\0')
			return;
		text += *text == '\n' ? 1 : strspn(text, " ");
		printf("%*s", (int)later, "");
		column = later;
	}
}

void wrapped_line_print(size_t indent, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	wrapped_text_print(text, 0, indent, terminal_width());
	g_free(text);
}
