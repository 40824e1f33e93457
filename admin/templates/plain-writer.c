#include "plain-writer.h"

#include <string.h>

#define COLUMNS 72

static void append_repeated(GString *out, char c, size_t count)
{
	for (size_t i = 0; i < count; i++)
		g_string_append_c(out, c);
}

/* The begin of the first line of a block, and as many blanks before the others. */
static void append_wrapped(GString *out, const char *prefix, const char *text)
{
	size_t indent = strlen(prefix), column = indent;
	bool at_start = true;

	g_string_append(out, prefix);
	while (*text != '\0') {
		size_t length = strcspn(text, " ");
		size_t width = (size_t)g_utf8_strlen(text, (gssize)length);

		if (!at_start && column + 1 + width > COLUMNS) {
			g_string_append_c(out, '\n');
			append_repeated(out, ' ', indent);
			column = indent;
		} else if (!at_start) {
			g_string_append_c(out, ' ');
			column++;
		}
		g_string_append_len(out, text, (gssize)length);
		column += width;
		at_start = false;
		text += length;
		text += strspn(text, " ");
	}
	g_string_append_c(out, '\n');
}

static void plain_write(struct text_writer *text_writer, enum text_block block, const char *text)
{
	struct plain_writer *writer = (struct plain_writer *)text_writer;
	bool is_item = block == TEXT_ITEM || block == TEXT_NUMBERED_ITEM;
	char prefix[16];

	if (!writer->is_first && !(is_item && block == writer->last) &&
	    writer->last != TEXT_SUBHEADING)
		g_string_append_c(writer->out, '\n');
	if (block != writer->last || writer->is_first)
		writer->number = 0;
	switch (block) {
	case TEXT_PARAGRAPH:
		append_wrapped(writer->out, "", text);
		break;
	case TEXT_HEADING:
		append_wrapped(writer->out, "", text);
		append_repeated(writer->out, '-', MIN((size_t)g_utf8_strlen(text, -1), COLUMNS));
		g_string_append_c(writer->out, '\n');
		break;
	case TEXT_SUBHEADING:
		append_wrapped(writer->out, "", text);
		break;
	case TEXT_ITEM:
		append_wrapped(writer->out, "- ", text);
		break;
	case TEXT_NUMBERED_ITEM:
		g_snprintf(prefix, sizeof(prefix), "%u. ", ++writer->number);
		append_wrapped(writer->out, prefix, text);
		break;
	}
	writer->last = block;
	writer->is_first = false;
}

void plain_writer_init(struct plain_writer *writer, GString *out)
{
	*writer = (struct plain_writer){
		.writer = {plain_write}, .out = out, .last = TEXT_PARAGRAPH, .is_first = true};
}
