#ifndef PORTCULLIS_WRITE_ALL_H
#define PORTCULLIS_WRITE_ALL_H

#include <stdbool.h>
#include <stddef.h>

/* Writes all of it, where write(2) takes it in parts or is interrupted, too. False
   with errno set; some of it may be written then. */
bool write_all(int file, const void *bytes, size_t size);

#endif
