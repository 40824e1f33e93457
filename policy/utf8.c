#include "utf8.h"

static bool continues(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

size_t utf8_length(const char *text)
{
	const unsigned char *bytes = (const unsigned char *)text;

	if (bytes[0] == '\0')
		return 0;
	if (bytes[0] < 0x80)
		return 1;
	if (bytes[0] < 0xc2 || bytes[0] > 0xf4 || !continues(bytes[1]))
		return 0;
	if (bytes[0] < 0xe0)
		return 2;
	/* Neither what a shorter sequence can say, nor surrogates, nor more
	   than U+10FFFF. */
	if ((bytes[0] == 0xe0 && bytes[1] < 0xa0) || (bytes[0] == 0xed && bytes[1] > 0x9f) ||
	    (bytes[0] == 0xf0 && bytes[1] < 0x90) || (bytes[0] == 0xf4 && bytes[1] > 0x8f) ||
	    !continues(bytes[2]))
		return 0;
	if (bytes[0] < 0xf0)
		return 3;
	return continues(bytes[3]) ? 4 : 0;
}

bool utf8_is_line(const char *text)
{
	while (*text != '\0') {
		const unsigned char *bytes = (const unsigned char *)text;
		size_t length = utf8_length(text);

		if (length == 0 || bytes[0] < 0x20 || bytes[0] == 0x7f)
			return false;
		if (bytes[0] == 0xc2 && bytes[1] < 0xa0)
			return false;
		text += length;
	}
	return true;
}
