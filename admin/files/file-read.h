#ifndef PORTCULLIS_FILE_READ_H
#define PORTCULLIS_FILE_READ_H

#include <stddef.h>

/* Reads all of what file_open() of file-open.h opened, as text_file_read() of
   policy/text-file.h does, and closes it: file_read(file_open(...), ...). The caller frees
   the text with free(). NULL with *error_r set to a text that lives until the thread's next
   one, and errno as file_open() has it, or EIO. */
char *file_read(int descriptor, size_t size_max, size_t *length_r, const char **error_r);

#endif
