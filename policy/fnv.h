#ifndef PORTCULLIS_FNV_H
#define PORTCULLIS_FNV_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

/* Eight bytes at a time, for long texts; the values are others. */
static inline uint64_t fnv_hash_words(uint64_t hash, const char *text, size_t length)
{
	uint64_t word;

	for (; length >= sizeof(word); text += sizeof(word), length -= sizeof(word)) {
		memcpy(&word, text, sizeof(word));
		hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 32;
	}
	return fnv_hash(hash, text, length);
}

#endif
