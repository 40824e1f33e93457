#ifndef PORTCULLIS_ID_CACHE_H
#define PORTCULLIS_ID_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Remembers the ids of keys that came lately, in bounded memory. */
struct id_cache;

/* NULL when out of memory. */
struct id_cache *id_cache_create(void);
void id_cache_free(struct id_cache *cache);
void id_cache_clear(struct id_cache *cache);

/* False when the key is not remembered. */
bool id_cache_find(const struct id_cache *cache, const char *key, size_t length, int64_t *id_r);

/* Forgets another key where room is short; never fails. */
void id_cache_put(struct id_cache *cache, const char *key, size_t length, int64_t id);

#endif
