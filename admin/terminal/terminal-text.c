#include "terminal-text.h"

#include <string.h>

#include "policy/utf8.h"

#define ELLIPSIS "\xe2\x80\xa6"

/* Enough for "\u{10FFFF}". */
#define PIECE_SIZE 12

/* As many as any language writes upon one letter; further ones would reach into other
   lines. */
#define MARKS_MAX 2

/* Marks that show nothing, but make two names that look the same. */
static bool is_invisible_mark(gunichar mark)
{
	return mark == 0x34f || mark == 0x17b4 || mark == 0x17b5 ||
	       (mark >= 0x180b && mark <= 0x180f) || (mark >= 0xfe00 && mark <= 0xfe0f) ||
	       (mark >= 0xe0100 && mark <= 0xe01ef);
}

/* What stands upon the character before it. */
static bool is_mark(gunichar character)
{
	return g_unichar_type(character) == G_UNICODE_NON_SPACING_MARK &&
	       !is_invisible_mark(character);
}

/* One character, or what stands for it; returns the columns that it takes. *marks: how
   many more marks the character before it bears. */
static size_t show(const char *text, size_t length, unsigned int *marks,
		   char piece_r[static PIECE_SIZE])
{
	gunichar character = length == 0 ? 0 : g_utf8_get_char(text);
	bool mark = length > 0 && is_mark(character) && *marks > 0;

	*marks = mark ? *marks - 1 : 0;
	if (length == 0)
		return (size_t)g_snprintf(piece_r, PIECE_SIZE, "\\x%02x", (unsigned char)*text);
	if (character == '\n' || character == '\t')
		return (size_t)g_snprintf(piece_r, PIECE_SIZE, "\\%c",
					  character == '\n' ? 'n' : 't');
	if (character < 0x20 || character == 0x7f)
		return (size_t)g_snprintf(piece_r, PIECE_SIZE, "\\x%02x", character);
	if (!mark && (!g_unichar_isprint(character) || g_unichar_iszerowidth(character)))
		return (size_t)g_snprintf(piece_r, PIECE_SIZE, "\\u{%x}", character);
	memcpy(piece_r, text, length);
	piece_r[length] = '\0';
	if (mark)
		return 0;
	*marks = g_unichar_isalnum(character) ? MARKS_MAX : 0;
	return g_unichar_iswide(character) ? 2 : 1;
}

/* The length of a text of nothing but printable ASCII; 0 when there is anything
   else in it. */
static size_t plain_length(const char *text)
{
	size_t length = 0;

	while (text[length] >= 0x20 && text[length] < 0x7f)
		length++;
	return text[length] == '\0' ? length : 0;
}

/* Like terminal_text_append(), for any text. */
static size_t append_any(GString *to, const char *text, size_t columns)
{
	size_t used = 0;
	unsigned int marks = 0;
	/* Where to cut, should the rest not fit: room for the ellipsis is left. */
	size_t cut_length = to->len, cut_used = 0;

	while (*text != '\0') {
		size_t length = utf8_length(text);
		char piece[PIECE_SIZE];
		size_t width = show(text, length, &marks, piece);

		if (used + width > columns) {
			g_string_truncate(to, cut_length);
			if (columns > 0)
				g_string_append(to, ELLIPSIS);
			return cut_used + (columns > 0);
		}
		g_string_append(to, piece);
		used += width;
		if (used < columns) {
			cut_length = to->len;
			cut_used = used;
		}
		text += length == 0 ? 1 : length;
	}
	return used;
}

size_t terminal_text_append(GString *to, const char *text, size_t columns)
{
	size_t length = plain_length(text);

	if (length == 0 || length > columns)
		return append_any(to, text, columns);
	g_string_append_len(to, text, (gssize)length);
	return length;
}
