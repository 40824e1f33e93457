#include "log-ways.h"

#include <string.h>

#include "admin/store/store-limits.h"
#include "policy/fnv.h"

void log_ways_init(struct log_ways *ways_r)
{
	*ways_r = (struct log_ways){.ways = g_array_new(FALSE, FALSE, sizeof(struct log_way)),
				    .texts = g_string_chunk_new(4096)};
}

void log_ways_clear(struct log_ways *ways)
{
	g_array_unref(ways->ways);
	log_index_clear(&ways->index);
	g_string_chunk_free(ways->texts);
}

struct wanted {
	const struct log_ways *ways;
	struct log_way way;
};

static bool is_wanted(const void *context, uint32_t number)
{
	const struct wanted *wanted = context;
	const struct log_way *way = &wanted->way, *other = log_ways_get(wanted->ways, number);

	return way->source == other->source && way->service == other->service &&
	       way->tls == other->tls && way->tls_version == other->tls_version &&
	       way->port == other->port && way->server == other->server &&
	       strcmp(way->mechanism, other->mechanism) == 0 &&
	       strcmp(way->client_id, other->client_id) == 0;
}

static uint64_t hash_of(const struct log_way *way)
{
	const uint32_t numbers[] = {(uint32_t)way->source << 24 | (uint32_t)way->service << 16 |
					    (uint32_t)way->tls << 8 | (uint32_t)way->tls_version,
				    (uint32_t)way->port << 16 ^ way->server};
	uint64_t hash = fnv_hash(FNV_START, numbers, sizeof(numbers));

	hash = fnv_hash(hash, way->mechanism, strlen(way->mechanism) + 1);
	return fnv_hash(hash, way->client_id, strlen(way->client_id));
}

static uint32_t add(struct log_ways *ways, const struct log_way *way, uint64_t hash)
{
	struct log_way copy = *way;

	copy.mechanism = g_string_chunk_insert_const(ways->texts, way->mechanism);
	copy.client_id = g_string_chunk_insert_const(ways->texts, way->client_id);
	g_array_append_val(ways->ways, copy);
	log_index_add(&ways->index, hash, ways->ways->len - 1);
	return ways->ways->len - 1;
}

uint32_t log_ways_find(struct log_ways *ways, const struct log_login *login, uint32_t server,
		       bool with_program)
{
	const struct wanted wanted = {
		.ways = ways,
		.way = {.source = login->source,
			.service = login->service,
			.tls = login->tls,
			.tls_version = login->tls_version,
			.port = login->port,
			.server = login->tls == LOG_TLS_UNMENTIONED ? server : 0,
			.mechanism = login->mechanism,
			.client_id = with_program ? login->client_id : ""}};
	uint64_t hash = hash_of(&wanted.way);
	uint32_t found = log_index_find(&ways->index, hash, is_wanted, &wanted);

	if (found != LOG_INDEX_NONE)
		return found;
	if (ways->ways->len >= HABITS_MAX && wanted.way.client_id[0] != '\0')
		return log_ways_find(ways, login, server, false);
	return add(ways, &wanted.way, hash);
}
