#include "log-index.h"

#include <glib.h>

#define SIZE_MIN 64

/* The lower bits of some hashes are the worse ones. */
static uint32_t fold(uint64_t hash)
{
	return (uint32_t)(hash ^ hash >> 32);
}

uint32_t log_index_find(const struct log_index *index, uint64_t hash, log_index_equal *equal,
			const void *wanted)
{
	uint32_t folded = fold(hash);

	if (index->size == 0)
		return LOG_INDEX_NONE;
	for (uint32_t i = folded & (index->size - 1); index->slots[i].number != 0;
	     i = (i + 1) & (index->size - 1)) {
		if (index->slots[i].hash == folded && equal(wanted, index->slots[i].number - 1))
			return index->slots[i].number - 1;
	}
	return LOG_INDEX_NONE;
}

static void put(struct log_index *index, struct log_index_slot slot)
{
	uint32_t i = slot.hash & (index->size - 1);

	while (index->slots[i].number != 0)
		i = (i + 1) & (index->size - 1);
	index->slots[i] = slot;
}

/* At least a third stays free. */
static void make_room(struct log_index *index)
{
	struct log_index larger = {.size = index->size == 0 ? SIZE_MIN : 2 * index->size,
				   .used = index->used};

	if (3 * (uint64_t)index->used < 2 * (uint64_t)index->size)
		return;
	larger.slots = g_new0(struct log_index_slot, larger.size);
	for (uint32_t i = 0; i < index->size; i++) {
		if (index->slots[i].number != 0)
			put(&larger, index->slots[i]);
	}
	g_free(index->slots);
	*index = larger;
}

void log_index_add(struct log_index *index, uint64_t hash, uint32_t number)
{
	make_room(index);
	put(index, (struct log_index_slot){fold(hash), number + 1});
	index->used++;
}

void log_index_clear(struct log_index *index)
{
	g_free(index->slots);
	*index = (struct log_index){0};
}
