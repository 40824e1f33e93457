#ifndef PORTCULLIS_TERMINAL_WIDTH_H
#define PORTCULLIS_TERMINAL_WIDTH_H

#include <stddef.h>

/* The columns of the terminal that standard output is: COLUMNS in the environment, or
   what the terminal says, or 80. SIZE_MAX where it is none, and nothing must be cut. */
size_t terminal_width(void);

#endif
