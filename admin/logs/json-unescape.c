#include "json-unescape.h"

#include <glib.h>
#include <string.h>

/* The unit of UTF-16 in "\uXXXX", or -1. */
static int code_unit(const char *text, size_t length)
{
	int unit = 0;

	if (length < 6 || text[0] != '\\' || text[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		if (!g_ascii_isxdigit(text[i]))
			return -1;
		unit = unit * 16 + g_ascii_xdigit_value(text[i]);
	}
	return unit;
}

/* Returns how long the escape is, 0 when there is none. */
static size_t character(const char *text, size_t length, gunichar *character_r)
{
	static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	int unit = code_unit(text, length), low;
	const char *letter;

	if (unit >= 0xd800 && unit < 0xdc00) {
		low = code_unit(text + 6, length - 6);
		if (low < 0xdc00 || low > 0xdfff)
			return 0;
		*character_r =
			0x10000 + ((gunichar)(unit - 0xd800) << 10) + (gunichar)(low - 0xdc00);
		return 12;
	}
	if (unit >= 0) {
		*character_r = (gunichar)unit;
		return unit >= 0xdc00 && unit < 0xe000 ? 0 : 6;
	}
	if (length < 2 || text[0] != '\\' || text[1] == '\0')
		return 0;
	letter = strchr(letters, text[1]);
	if (letter == NULL)
		return 0;
	*character_r = (gunichar)meanings[letter - letters];
	return 2;
}

size_t json_unescape_into(const char *text, size_t length, char *plain_r)
{
	char *end = plain_r;

	for (;;) {
		const char *backslash = memchr(text, '\\', length);
		size_t plain = backslash == NULL ? length : (size_t)(backslash - text);
		size_t escape;
		gunichar found;

		memcpy(end, text, plain);
		end += plain;
		text += plain;
		length -= plain;
		if (length == 0)
			return (size_t)(end - plain_r);
		escape = character(text, length, &found);
		if (escape > 0) {
			end += g_unichar_to_utf8(found, end);
		} else {
			*end++ = *text;
			escape = 1;
		}
		text += escape;
		length -= escape;
	}
}

char *json_unescape(const char *text, size_t length, size_t *length_r)
{
	char *plain = g_malloc(length + 1);

	*length_r = json_unescape_into(text, length, plain);
	plain[*length_r] = '\0';
	return plain;
}
