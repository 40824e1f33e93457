#ifndef PORTCULLIS_UTF8_H
#define PORTCULLIS_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Length in bytes of the UTF-8 character (RFC 3629) that text begins with; 0
   when it begins with none, or with NUL. */
size_t utf8_length(const char *text);

/* True for UTF-8 without control characters (C0, DEL, C1): text that can stand
   on one line of a log or a letter. */
bool utf8_is_line(const char *text);

#endif
