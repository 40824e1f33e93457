#ifndef PORTCULLIS_ID_CACHE_H
#define PORTCULLIS_ID_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Remembers the ids of keys that came lately, in bounded memory. */
struct id_cache;

struct id_cache *id_cache_create(void);
void id_cache_free(struct id_cache *cache);
void id_cache_clear(struct id_cache *cache);

/* False when the key is not remembered. */
bool id_cache_find(const struct id_cache *cache, const char *key, size_t length, int64_t *id_r);

/* Takes a copy of the key, and forgets another one where room is short. A key that is
   very long is not remembered. */
void id_cache_put(struct id_cache *cache, const char *key, size_t length, int64_t id);

#endif
