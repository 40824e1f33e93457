#include "harmless-text.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

/* More is cut before it is looked at. */
#define BYTES_MAX ((size_t)4096)

static bool is_blank(gunichar character)
{
	switch (g_unichar_type(character)) {
	case G_UNICODE_CONTROL:
	case G_UNICODE_LINE_SEPARATOR:
	case G_UNICODE_PARAGRAPH_SEPARATOR:
	case G_UNICODE_SPACE_SEPARATOR:
		return true;
	default:
		return false;
	}
}

/* Neither seen nor a blank: directions, joiners, private and unassigned ones. */
static bool is_unseen(gunichar character)
{
	switch (g_unichar_type(character)) {
	case G_UNICODE_FORMAT:
	case G_UNICODE_SURROGATE:
	case G_UNICODE_PRIVATE_USE:
	case G_UNICODE_UNASSIGNED:
		return true;
	default:
		/* Marks upon marks write over the neighbouring lines. */
		return g_unichar_ismark(character);
	}
}

char *harmless_text(const char *text, size_t characters)
{
	char *valid = g_utf8_make_valid(text, (gssize)strnlen(text, BYTES_MAX));
	char *composed = g_utf8_normalize(valid, -1, G_NORMALIZE_NFC);
	GString *line = g_string_new(NULL);
	bool blank = false;
	size_t count = 0;

	for (const char *at = composed; *at != '\0'; at = g_utf8_next_char(at)) {
		gunichar character = g_utf8_get_char(at);

		if (is_unseen(character))
			continue;
		if (is_blank(character)) {
			blank = count > 0;
			continue;
		}
		if (count + (blank ? 2 : 1) >= characters) {
			g_string_append(line, "\xe2\x80\xa6");
			break;
		}
		if (blank) {
			g_string_append_c(line, ' ');
			count++;
		}
		g_string_append_unichar(line, character);
		count++;
		blank = false;
	}
	g_free(composed);
	g_free(valid);
	return g_string_free(line, FALSE);
}
