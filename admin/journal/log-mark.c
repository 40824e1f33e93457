#define _GNU_SOURCE /* memrchr() */
#include "log-mark.h"

#include <glib.h>
#include <string.h>

/* The first bytes of SHA-256; never 0. */
static uint64_t hash(const char *text, size_t length)
{
	GChecksum *checksum = g_checksum_new(G_CHECKSUM_SHA256);
	guint8 digest[32];
	gsize size = sizeof(digest);
	uint64_t number;

	g_checksum_update(checksum, (const guchar *)text, (gssize)length);
	g_checksum_get_digest(checksum, digest, &size);
	g_checksum_free(checksum);
	memcpy(&number, digest, sizeof(number));
	return number == 0 ? 1 : number;
}

void log_mark_heads(const char *text, size_t length, uint64_t heads_r[static STORE_LOG_HEADS])
{
	for (size_t i = 0; i < STORE_LOG_HEADS; i++) {
		size_t size = (size_t)LOG_MARK_HEAD_MIN << i;

		heads_r[i] = length >= size ? hash(text, size) : 0;
	}
}

size_t log_mark_agreement(const uint64_t heads[static STORE_LOG_HEADS],
			  const uint64_t others[static STORE_LOG_HEADS])
{
	size_t count = 0;

	while (count < STORE_LOG_HEADS && heads[count] != 0 && others[count] != 0) {
		if (heads[count] != others[count])
			return 0;
		count++;
	}
	return count;
}

uint64_t log_mark_line(const char *text, size_t length)
{
	size_t tail = MIN(length, LOG_MARK_TAIL);

	return hash(text + length - tail, tail);
}

uint64_t log_mark_last_line(const char *text, size_t length)
{
	const char *newline;

	if (length > 0 && text[length - 1] == '\n')
		length--;
	newline = memrchr(text, '\n', length);
	if (newline != NULL) {
		length -= (size_t)(newline + 1 - text);
		text = newline + 1;
	}
	return log_mark_line(text, length);
}
