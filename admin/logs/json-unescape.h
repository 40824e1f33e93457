#ifndef PORTCULLIS_JSON_UNESCAPE_H
#define PORTCULLIS_JSON_UNESCAPE_H

#include <stddef.h>

/* Resolves the escapes of JSON strings (RFC 8259, section 7) in any text, which
   need not be JSON as a whole: "\u00e9" becomes an e with an acute accent. What is
   no escape stays. The result is not longer than the text, and ends in a NUL; the
   caller frees it with g_free(). */
char *json_unescape(const char *text, size_t length, size_t *length_r);

/* The same into room for as many bytes as the text has; no NUL ends it. Returns how long it
   is. */
size_t json_unescape_into(const char *text, size_t length, char *plain_r);

#endif
