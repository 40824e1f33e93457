#ifndef PORTCULLIS_PLAIN_WRITER_H
#define PORTCULLIS_PLAIN_WRITER_H

#include <glib.h>

#include "text-template.h"

/* Writes plain text, wrapped at 72 columns where there are blanks. */
struct plain_writer {
	struct text_writer writer; /* first */
	GString *out;              /* borrowed */
	enum text_block last;
	bool is_first;
	unsigned int number; /* of a numbered item */
};

void plain_writer_init(struct plain_writer *writer, GString *out);

#endif
