#ifndef PORTCULLIS_TEXT_FILE_H
#define PORTCULLIS_TEXT_FILE_H

#include <stddef.h>

/* Reads a whole file into memory, with a NUL behind it; a byte order mark at its
   begin is left out. The caller frees it. NULL with *error_r set to a text that
   lives until the thread's next error when the file cannot be read, is larger
   than size_max bytes, or memory is short. */
char *text_file_read(const char *path, size_t size_max, size_t *length_r, const char **error_r);

/* The same from a file that is open, which is closed; -1: errno says why it is not. */
char *text_file_read_close(int file, size_t size_max, size_t *length_r, const char **error_r);

#endif
