#include "store-gathering.h"

#include <glib.h>
#include <string.h>

#include "store-week.h"

bool *store_choose_rule_sets(const struct store *store, const struct store_filter *filter)
{
	size_t count = store_dictionaries_rule_set_count(store->dictionaries);
	bool *chosen = g_new0(bool, count);

	for (size_t i = 0; i < count; i++) {
		const struct store_rule_set *set =
			store_dictionaries_rule_set(store->dictionaries, i);

		chosen[i] = filter->rule == NULL && (set->rule_count > 0 || !filter->broken);
		for (size_t j = 0; filter->rule != NULL && j < set->rule_count; j++)
			chosen[i] |= strcmp(set->rules[j].title, filter->rule) == 0;
	}
	return chosen;
}

static uint64_t days_from_to(int64_t first_seen, int64_t last_seen)
{
	return (uint64_t)(last_seen / MILLISECONDS_A_DAY - first_seen / MILLISECONDS_A_DAY + 1);
}

uint64_t store_possible_days(int64_t days, int64_t first_seen, int64_t last_seen)
{
	return (uint64_t)MAX(MIN(days, (int64_t)days_from_to(first_seen, last_seen)), 1);
}

static bool is_same(const struct store_sighting *sighting, const struct store_sighting *other)
{
	return sighting->habit == other->habit && sighting->rules == other->rules &&
	       sighting->user_id == other->user_id && sighting->verified == other->verified;
}

static void keep_texts(struct store_gathering *gathering, const struct store_sighting *latest)
{
	g_strlcpy(gathering->client, latest->last_client, sizeof(gathering->client));
	g_strlcpy(gathering->whereabouts, latest->whereabouts, sizeof(gathering->whereabouts));
	gathering->sighting.last_client = gathering->client;
	gathering->sighting.whereabouts = gathering->whereabouts;
}

static void gather(struct store_gathering *gathering, const struct store_sighting *added)
{
	struct store_sighting *sum = &gathering->sighting;
	int64_t last_seen = MAX(sum->last_seen, added->last_seen);
	int64_t week = store_week(last_seen);

	sum->count += added->count;
	sum->rejected += added->rejected;
	sum->weeks = seen_weeks(sum, week) | seen_weeks(added, week);
	if (added->last_seen >= sum->last_seen) {
		keep_texts(gathering, added);
		sum->tls_below = added->tls_below;
	}
	sum->first_seen = MIN(sum->first_seen, added->first_seen);
	sum->last_seen = last_seen;
	sum->days = MIN(sum->days + added->days, days_from_to(sum->first_seen, last_seen));
}

/* Gives what was gathered. */
static bool give(struct store_gathering *gathering)
{
	struct store_sighting *sighting = &gathering->sighting;
	bool more = sighting->habit == NULL || sighting->last_seen < gathering->filter->since ||
		    gathering->visit(gathering->context, sighting);

	sighting->habit = NULL;
	return more;
}

static void begin(struct store_gathering *gathering, const struct store_sighting *row)
{
	gathering->sighting = *row;
	keep_texts(gathering, row);
	/* Most of them are of the same user as the one before. */
	if (g_strcmp0(gathering->user, row->user) != 0) {
		g_free(gathering->user);
		gathering->user = g_strdup(row->user);
	}
	gathering->sighting.user = gathering->user;
}

bool store_gathering_take(struct store_gathering *gathering, const struct store_sighting *row)
{
	if (gathering->sighting.habit != NULL && is_same(&gathering->sighting, row)) {
		gather(gathering, row);
		return true;
	}
	if (!give(gathering))
		return false;
	begin(gathering, row);
	return true;
}

void store_gathering_end(struct store_gathering *gathering)
{
	give(gathering);
}

void store_gathering_clear(struct store_gathering *gathering)
{
	g_clear_pointer(&gathering->user, g_free);
}
