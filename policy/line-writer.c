#include "line-writer.h"

void line_put(struct line_writer *line, const char *bytes, size_t length)
{
	size_t room = line->size - line->length;

	if (length > room) {
		line->overflow = true;
		length = room;
	}
	memcpy(line->text + line->length, bytes, length);
	line->length += length;
}

void line_put_number(struct line_writer *line, unsigned long number, size_t digits)
{
	char text[sizeof("18446744073709551615") - 1];
	size_t start = sizeof(text);

	while (number > 0 || sizeof(text) - start < digits) {
		text[--start] = (char)('0' + number % 10);
		number /= 10;
	}
	line_put(line, text + start, sizeof(text) - start);
}

void line_put_hex(struct line_writer *line, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";

	line_put(line, (const char[]){digits[byte >> 4], digits[byte & 0xf]}, 2);
}
