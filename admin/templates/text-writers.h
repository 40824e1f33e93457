#ifndef PORTCULLIS_TEXT_WRITERS_H
#define PORTCULLIS_TEXT_WRITERS_H

#include <glib.h>

#include "text-template.h"

/* Writes plain text, wrapped at 72 columns. */
struct plain_writer {
	struct text_writer writer; /* first */
	GString *out;              /* borrowed */
	enum text_block last;
	bool is_first;
	unsigned int number; /* of a numbered item */
};

void plain_writer_init(struct plain_writer *writer, GString *out);

/* Writes the blocks as HTML elements, everything escaped. */
struct html_writer {
	struct text_writer writer; /* first */
	GString *out;              /* borrowed */
	enum text_block last;
	bool in_list;
	const char *link; /* the one address that becomes a link, or NULL */
};

void html_writer_init(struct html_writer *writer, GString *out, const char *link);
/* Closes what is open. */
void html_writer_finish(struct html_writer *writer);

void html_append_escaped(GString *out, const char *text);

#endif
