#ifndef PORTCULLIS_XZ_HEAD_H
#define PORTCULLIS_XZ_HEAD_H

#include <stdbool.h>
#include <stddef.h>

/* What a file of xz says where it begins: its own head and that of its first block. */
#define XZ_HEAD_LENGTH ((size_t)12 + 1024)

/* Whether more memory is needed to unpack the first block than `xz -9` ever asks for: a dictionary
   of more than 64 MiB. The head may be shorter where the file is; of what is broken the answer is
   no. */
bool xz_head_asks_for_too_much(const unsigned char *head, size_t length);

#endif
