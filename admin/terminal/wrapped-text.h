#ifndef PORTCULLIS_WRAPPED_TEXT_H
#define PORTCULLIS_WRAPPED_TEXT_H

#include <stddef.h>

/* Prints a text to standard output and ends its line, in lines of at most so many columns,
   or in one where width is SIZE_MAX. column: where the cursor stands. Further lines are
   indented, by less where that would leave no room. Lines end at blanks, within a word
   that is longer than a line, and where the text has its own line breaks. The text is
   UTF-8, and can do nothing to a terminal. */
void wrapped_text_print(const char *text, size_t column, size_t indent, size_t width);

/* A line that fits the terminal: its further lines are indented. */
void wrapped_line_print(size_t indent, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
