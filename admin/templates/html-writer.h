#ifndef PORTCULLIS_HTML_WRITER_H
#define PORTCULLIS_HTML_WRITER_H

#include <glib.h>

#include "text-template.h"

/* Writes the blocks as HTML elements, everything escaped. */
struct html_writer {
	struct text_writer writer; /* first */
	GString *out;              /* borrowed */
	enum text_block last;
	bool in_list;
	const char *link; /* borrowed: the one address that becomes a link; NULL: none does */
};

void html_writer_init(struct html_writer *writer, GString *out, const char *link);
/* Closes a list that is open. */
void html_writer_finish(struct html_writer *writer);

void html_append_escaped(GString *out, const char *text);

#endif
