#include "user-ways.h"

struct search {
	GArray *ways;
	const struct sighting_judge *judge;
	struct devices *devices;
};

static struct user_way *find_way(GArray *ways, const struct store_sighting *sighting, bool verified)
{
	for (guint i = 0; i < ways->len; i++) {
		struct user_way *way = &g_array_index(ways, struct user_way, i);

		if (way->habit == sighting->habit && way->verified == verified)
			return way;
	}
	return NULL;
}

static void add_to_device(const struct search *search, struct user_way *way,
			  const struct store_sighting *sighting,
			  const struct sighting_verdict *verdict)
{
	if (way->verified)
		way->device = devices_add(search->devices, sighting,
					  verdict->broken | verdict->exempt, verdict->untold);
}

/* A way is stored once more for each set of rules that it broke over time: the
   latest knows the address. */
static bool add(void *context, const struct store_sighting *sighting)
{
	struct search *search = context;
	bool verified = sighting_is_somebodys(sighting);
	const struct sighting_verdict verdict = sighting_judge_ask(search->judge, sighting);
	struct user_way *way = find_way(search->ways, sighting, verified);

	if (way == NULL) {
		struct user_way new = {.habit = sighting->habit,
				       .verified = verified,
				       .first_seen = sighting->first_seen,
				       .last_seen = INT64_MIN};

		g_array_append_val(search->ways, new);
		way = &g_array_index(search->ways, struct user_way, search->ways->len - 1);
	}
	add_to_device(search, way, sighting, &verdict);
	way->count += sighting->count;
	if (sighting->first_seen < way->first_seen)
		way->first_seen = sighting->first_seen;
	if (sighting->last_seen <= way->last_seen)
		return true;
	way->last_seen = sighting->last_seen;
	g_strlcpy(way->last_client, sighting->last_client, sizeof(way->last_client));
	way->verdict = verdict;
	return true;
}

static int compare(gconstpointer one, gconstpointer other)
{
	const struct user_way *a = one, *b = other;

	if (a->verified != b->verified)
		return a->verified ? -1 : 1;
	return (a->last_seen < b->last_seen) - (a->last_seen > b->last_seen);
}

GArray *user_ways_find(struct store *store, const struct sighting_judge *judge, const char *user,
		       struct devices *devices)
{
	const struct store_filter filter = {
		.user = user, .verified = true, .unverified = true, .names = true};
	struct search search = {.ways = g_array_new(FALSE, FALSE, sizeof(struct user_way)),
				.judge = judge,
				.devices = devices};

	if (!store_each_sighting(store, &filter, add, &search)) {
		g_array_free(search.ways, TRUE);
		return NULL;
	}
	g_array_sort(search.ways, compare);
	return search.ways;
}
