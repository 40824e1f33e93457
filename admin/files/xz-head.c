#include "xz-head.h"

/* The format is that of https://tukaani.org/xz/xz-file-format.txt */
#define BLOCK ((size_t)12)
#define COMPRESSED_SIZE 0x40
#define UNCOMPRESSED_SIZE 0x80
#define LZMA2 0x21

/* How LZMA2 writes 64 MiB. */
#define DICTIONARY_MAX 28

/* All bytes of a number but the last have the highest bit. */
static size_t behind_number(const unsigned char *head, size_t length, size_t i)
{
	while (i < length && (head[i] & 0x80) != 0)
		i++;
	return i + 1;
}

bool xz_head_asks_for_too_much(const unsigned char *head, size_t length)
{
	size_t i = BLOCK + 2;
	unsigned int filters;

	/* No block begins with 0: then there is none. */
	if (length < i || head[BLOCK] == 0)
		return false;
	if ((head[BLOCK + 1] & COMPRESSED_SIZE) != 0)
		i = behind_number(head, length, i);
	if ((head[BLOCK + 1] & UNCOMPRESSED_SIZE) != 0)
		i = behind_number(head, length, i);
	/* Each has a number, how many bytes say how it works, and these. */
	for (filters = (head[BLOCK + 1] & 3U) + 1; filters > 0 && i + 2 < length; filters--) {
		if (head[i] == LZMA2)
			return (head[i + 2] & 0x3f) > DICTIONARY_MAX;
		i += 2 + (size_t)head[i + 1];
	}
	return false;
}
