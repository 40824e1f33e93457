#include "store-activity.h"

#include <glib.h>
#include <strings.h>

#include "store-backend.h"
#include "store-week.h"

bool store_is_anonymous(const char *mechanism)
{
	return strcasecmp(mechanism, "ANONYMOUS") == 0;
}

bool store_is_presence(const struct store_sighting *sighting)
{
	return sighting->verified && !store_is_anonymous(sighting->habit->mechanism);
}

static uint64_t presence_weeks(const struct store_presence *presence, int64_t week)
{
	const struct store_sighting all = {.last_seen = presence->day * MILLISECONDS_A_DAY,
					   .weeks = presence->weeks};

	return seen_weeks(&all, week);
}

bool store_presence_join(struct store_presence *presence, const struct store_presence *other)
{
	struct store_presence sum = {.day = MAX(presence->day, other->day)};
	int64_t week = store_week(sum.day * MILLISECONDS_A_DAY);
	bool is_new;

	sum.weeks = presence_weeks(presence, week) | presence_weeks(other, week);
	is_new = sum.day != presence->day || sum.weeks != presence->weeks;
	*presence = sum;
	return is_new;
}

bool store_presence_add(struct store_presence *presence, const struct store_sighting *sighting)
{
	const struct store_presence seen = {.day = sighting->last_seen / MILLISECONDS_A_DAY,
					    .weeks = sighting->weeks};

	return store_presence_join(presence, &seen);
}

void store_presence_count(const struct store_presence *presence, bool lately, int64_t week,
			  struct store_activity *activity)
{
	uint64_t weeks = presence_weeks(presence, week);

	activity->lately += lately;
	for (unsigned int i = 0; i < STORE_ACTIVITY_WEEKS; i++)
		activity->weeks[i] += weeks >> i & 1;
}

/* ---- of a store that keeps no such thing ---- */

struct counting_activity {
	int64_t since, week, user_id;
	bool lately;
	struct store_presence presence; /* of the user */
	struct store_activity *activity;
};

static void count_user(struct counting_activity *counting)
{
	store_presence_count(&counting->presence, counting->lately, counting->week,
			     counting->activity);
	counting->lately = false;
	counting->presence = (struct store_presence){0};
}

static bool add_activity(void *context, const struct store_sighting *sighting)
{
	struct counting_activity *counting = context;

	if (sighting->user_id != counting->user_id)
		count_user(counting);
	counting->user_id = sighting->user_id;
	if (!store_is_presence(sighting) || sighting->user == NULL || sighting->user[0] == '\0')
		return true;
	counting->lately |= sighting->last_seen >= counting->since;
	store_presence_add(&counting->presence, sighting);
	return true;
}

static bool count_all(struct store *store, struct counting_activity *counting)
{
	const struct store_filter filter = {.verified = true, .names = true};
	bool fine = store_each_sighting(store, &filter, add_activity, counting);

	count_user(counting);
	return fine;
}

bool store_count_activity(struct store *store, int64_t since, int64_t week,
			  struct store_activity *activity_r)
{
	struct counting_activity counting = {.since = since, .week = week, .activity = activity_r};

	*activity_r = (struct store_activity){0};
	if (store->backend->count_activity == NULL)
		return count_all(store, &counting);
	return store->backend->count_activity(store, since, week, activity_r);
}
