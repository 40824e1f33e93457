#include "id-cache.h"

#include <glib.h>
#include <string.h>

#include "policy/fnv.h"

/* Strangers may make keys collide; then one pushes out the other, no more. */
#define SLOT_COUNT 4096
#define KEY_LENGTH_MAX 1024

struct id_cache {
	bool in_use; /* a slot is */
	struct slot {
		char *key; /* NULL: free */
		size_t length;
		int64_t id;
	} slots[SLOT_COUNT];
};

struct id_cache *id_cache_create(void)
{
	return g_new0(struct id_cache, 1);
}

void id_cache_clear(struct id_cache *cache)
{
	if (!cache->in_use)
		return;
	for (size_t i = 0; i < SLOT_COUNT; i++)
		g_free(cache->slots[i].key);
	memset(cache, 0, sizeof(*cache));
}

void id_cache_free(struct id_cache *cache)
{
	id_cache_clear(cache);
	g_free(cache);
}

static size_t slot_index(const char *key, size_t length)
{
	return fnv_hash(FNV_START, key, length) % SLOT_COUNT;
}

bool id_cache_find(const struct id_cache *cache, const char *key, size_t length, int64_t *id_r)
{
	const struct slot *slot = &cache->slots[slot_index(key, length)];

	if (slot->key == NULL || slot->length != length || memcmp(slot->key, key, length) != 0)
		return false;
	*id_r = slot->id;
	return true;
}

void id_cache_put(struct id_cache *cache, const char *key, size_t length, int64_t id)
{
	struct slot *slot = &cache->slots[slot_index(key, length)];

	if (length > KEY_LENGTH_MAX)
		return;
	cache->in_use = true;
	g_free(slot->key);
	/* Not NULL for a key of no length. */
	*slot = (struct slot){.key = g_malloc(length + 1), .length = length, .id = id};
	memcpy(slot->key, key, length);
}
