#include "text-writers.h"

#include <string.h>

#define COLUMNS 72

/* --- Plain text --- */

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

/* --- HTML --- */

static void append_escaped(GString *out, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		switch (text[i]) {
		case '&':
			g_string_append(out, "&amp;");
			break;
		case '<':
			g_string_append(out, "&lt;");
			break;
		case '>':
			g_string_append(out, "&gt;");
			break;
		case '"':
			g_string_append(out, "&quot;");
			break;
		case '\'':
			g_string_append(out, "&#39;");
			break;
		default:
			g_string_append_c(out, text[i]);
		}
	}
}

void html_append_escaped(GString *out, const char *text)
{
	append_escaped(out, text, strlen(text));
}

static void append_linked(GString *out, const char *text, const char *link)
{
	const char *at;

	while ((at = strstr(text, link)) != NULL) {
		append_escaped(out, text, (size_t)(at - text));
		g_string_append(out, "<a href=\"");
		html_append_escaped(out, link);
		g_string_append(out, "\">");
		html_append_escaped(out, link);
		g_string_append(out, "</a>");
		text = at + strlen(link);
	}
	html_append_escaped(out, text);
}

static bool is_item(enum text_block block)
{
	return block == TEXT_ITEM || block == TEXT_NUMBERED_ITEM;
}

static const char *element(enum text_block block)
{
	switch (block) {
	case TEXT_HEADING:
		return "h2";
	case TEXT_SUBHEADING:
		return "h3";
	case TEXT_ITEM:
	case TEXT_NUMBERED_ITEM:
		return "li";
	case TEXT_PARAGRAPH:
		break;
	}
	return "p";
}

static const char *list_element(enum text_block block)
{
	return block == TEXT_ITEM ? "ul" : "ol";
}

static void html_write(struct text_writer *text_writer, enum text_block block, const char *text)
{
	struct html_writer *writer = (struct html_writer *)text_writer;

	if (writer->in_list && block != writer->last)
		html_writer_finish(writer);
	if (is_item(block) && !writer->in_list) {
		g_string_append_printf(writer->out, "<%s>\n", list_element(block));
		writer->in_list = true;
	}
	g_string_append_printf(writer->out, "<%s>", element(block));
	if (writer->link != NULL)
		append_linked(writer->out, text, writer->link);
	else
		html_append_escaped(writer->out, text);
	g_string_append_printf(writer->out, "</%s>\n", element(block));
	writer->last = block;
}

void html_writer_init(struct html_writer *writer, GString *out, const char *link)
{
	*writer = (struct html_writer){
		.writer = {html_write}, .out = out, .last = TEXT_PARAGRAPH, .link = link};
}

void html_writer_finish(struct html_writer *writer)
{
	if (writer->in_list)
		g_string_append_printf(writer->out, "</%s>\n", list_element(writer->last));
	writer->in_list = false;
}
