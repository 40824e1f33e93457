#ifndef PORTCULLIS_TERMINAL_TEXT_H
#define PORTCULLIS_TERMINAL_TEXT_H

#include <glib.h>

/* Appends what a stranger may have chosen, so that it stays on its line and does
   nothing to a terminal: control and invisible characters, marks that are not upon a
   letter, and bytes that are no UTF-8, come as \n, \t, \xNN or \u{NNNN}. Ends with an ellipsis where it
   would be wider than so many columns. Returns the columns that it takes. */
size_t terminal_text_append(GString *to, const char *text, size_t columns);

#endif
