#ifndef PORTCULLIS_HARMLESS_TEXT_H
#define PORTCULLIS_HARMLESS_TEXT_H

#include <stddef.h>

/* A copy of what a stranger sent, fit for one line of a mail or a page: valid UTF-8,
   without control characters, line breaks, and characters that turn the direction of
   text or cannot be seen; blanks are one each; at most that many characters, the last an
   ellipsis where it was cut. Only the first 4096 bytes are looked at. The caller frees
   it with g_free(). */
char *harmless_text(const char *text, size_t characters);

#endif
