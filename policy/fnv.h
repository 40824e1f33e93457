#ifndef PORTCULLIS_FNV_H
#define PORTCULLIS_FNV_H

#include <stddef.h>
#include <stdint.h>

#define FNV_START UINT64_C(14695981039346656037)

/* FNV-1a, 64 bits (RFC 9923). Goes on where an earlier hash ended, the first
   time with FNV_START or a seed. Not for what a stranger may choose on purpose. */
static inline uint64_t fnv_hash(uint64_t hash, const void *bytes, size_t length)
{
	const unsigned char *byte = bytes;

	for (; length > 0; length--, byte++)
		/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): it loses the bytes of numbers */
		hash = (hash ^ *byte) * UINT64_C(1099511628211);
	return hash;
}

#endif
