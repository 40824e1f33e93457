#ifndef PORTCULLIS_TRUSTED_FILE_H
#define PORTCULLIS_TRUSTED_FILE_H

#include <stddef.h>

/* text_file_read() of text-file.h, of a file in a directory that other accounts may write to,
   such as the journal's: neither directory nor file may be a symbolic link, and the file must be
   a regular one that the directory's owner or root made, and have no other name. Nothing is
   waited for. errno says as well why it could not be opened. */
char *trusted_file_read(const char *path, size_t size_max, size_t *length_r, const char **error_r);

#endif
