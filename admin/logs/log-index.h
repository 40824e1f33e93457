#ifndef PORTCULLIS_LOG_INDEX_H
#define PORTCULLIS_LOG_INDEX_H

#include <stdbool.h>
#include <stdint.h>

/* Finds the numbers of things by their hashes, for what is done at every login of a log. The
   things themselves stand in an array of the caller's. */
struct log_index {
	struct log_index_slot {
		uint32_t hash;
		uint32_t number; /* and 1; 0: none */
	} *slots;
	uint32_t size, used; /* a power of two, or 0 */
};

#define LOG_INDEX_NONE UINT32_MAX

/* Whether the thing of this number is the one that is looked for. */
typedef bool log_index_equal(const void *wanted, uint32_t number);

/* LOG_INDEX_NONE: there is none. */
uint32_t log_index_find(const struct log_index *index, uint64_t hash, log_index_equal *equal,
			const void *wanted);

/* Of what was not found. */
void log_index_add(struct log_index *index, uint64_t hash, uint32_t number);

void log_index_clear(struct log_index *index);

#endif
