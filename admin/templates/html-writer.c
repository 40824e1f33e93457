#include "html-writer.h"

#include <string.h>

static const char *entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	}
	return "&#39;";
}

static void append_escaped(GString *out, const char *text, size_t length)
{
	while (length > 0) {
		size_t harmless = MIN(strcspn(text, "&<>\"'"), length);

		g_string_append_len(out, text, (gssize)harmless);
		text += harmless;
		length -= harmless;
		if (length > 0) {
			g_string_append(out, entity(*text++));
			length--;
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

/* mark: "<" or "</" */
static void append_tag(GString *out, const char *mark, const char *name, const char *end)
{
	g_string_append(out, mark);
	g_string_append(out, name);
	g_string_append(out, end);
}

static void html_write(struct text_writer *text_writer, enum text_block block, const char *text)
{
	struct html_writer *writer = (struct html_writer *)text_writer;

	if (writer->in_list && block != writer->last)
		html_writer_finish(writer);
	if (is_item(block) && !writer->in_list) {
		append_tag(writer->out, "<", list_element(block), ">\n");
		writer->in_list = true;
	}
	append_tag(writer->out, "<", element(block), ">");
	if (writer->link != NULL)
		append_linked(writer->out, text, writer->link);
	else
		html_append_escaped(writer->out, text);
	append_tag(writer->out, "</", element(block), ">\n");
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
		append_tag(writer->out, "</", list_element(writer->last), ">\n");
	writer->in_list = false;
}
