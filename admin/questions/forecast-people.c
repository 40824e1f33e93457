#include "forecast-people.h"

/* So long before its last use of any, a device still came in its other ways. */
#define WAY_DAYS 30

bool affected_people_init(struct affected_people *people_r, const struct policy *policy,
			  struct store *store, int64_t now)
{
	*people_r = (struct affected_people){
		.policy = policy,
		.weights = device_weights_create(policy, store, now),
		.people = g_array_new(FALSE, FALSE, sizeof(struct affected_person)),
		.devices = g_array_new(FALSE, FALSE, sizeof(struct affected_device)),
		.ways = g_array_new(FALSE, FALSE, sizeof(struct affected_way)),
		.own_devices = devices_create(),
		.own_ways = g_array_new(FALSE, FALSE, sizeof(struct affected_way)),
	};
	return people_r->weights != NULL;
}

void affected_people_clear(struct affected_people *people)
{
	device_weights_free(people->weights);
	g_array_unref(people->people);
	g_array_unref(people->devices);
	g_array_unref(people->ways);
	devices_free(people->own_devices);
	g_array_unref(people->own_ways);
}

void affected_people_begin(struct affected_people *people)
{
	people->broken = 0;
	devices_begin(people->own_devices);
	g_array_set_size(people->own_ways, 0);
}

void affected_people_add(struct affected_people *people, const struct store_sighting *sighting,
			 const struct sighting_verdict *verdict)
{
	struct affected_way way = {
		.device = (guint32)devices_add(people->own_devices, sighting, verdict->broken,
					       verdict->untold),
		.habit = (guint32)sighting->habit->index,
		.last = sighting->last_seen,
	};

	people->broken |= verdict->broken;
	if (verdict->rejecting != 0)
		g_array_append_val(people->own_ways, way);
}

/* Whether people are told of the one sooner. */
static bool is_sooner(const struct rule *a, const struct rule *b)
{
	time_t told_a = MIN(a->schedule.notify, a->schedule.enforce);
	time_t told_b = MIN(b->schedule.notify, b->schedule.enforce);

	return told_a != told_b ? told_a < told_b : a->index < b->index;
}

/* Among the rests of one device, one for each rule, the index of the rule whose devices are
   given up as it is: of which people are told first, of those that it still breaks or, where
   it is repaired, broke. */
static guint find_like(const struct affected_people *people, const struct affected_device *rests,
		       guint count)
{
	const struct rule *rules = people->policy->rules;
	guint like = 0;

	for (guint i = 1; i < count; i++) {
		bool repaired = rests[i].rest.until_repaired > 0;
		bool like_repaired = rests[like].rest.until_repaired > 0;

		if (repaired == like_repaired
			    ? is_sooner(&rules[rests[i].rule], &rules[rests[like].rule])
			    : like_repaired)
			like = i;
	}
	return like;
}

static void add_device(struct affected_people *people, guint number, struct affected_person *person)
{
	const struct rule *rules = people->policy->rules;
	struct affected_device rests[RULES_MAX];
	guint count = 0, like;

	for (uint64_t left = people->broken; left != 0; left &= left - 1) {
		const struct rule *rule = &rules[__builtin_ctzll(left)];
		struct device_record record =
			devices_record(people->own_devices, number, UINT64_C(1) << rule->index);

		if (record.bad.last != 0)
			rests[count++] = (struct affected_device){
				.rest = device_rest_of(people->weights, &record, rule),
				.device = (guint16)number,
				.rule = (uint8_t)rule->index,
			};
	}
	if (count == 0)
		return;
	like = find_like(people, rests, count);
	device_weights_add(people->weights, &rests[like].rest);
	for (guint i = 0; i < count; i++) {
		rests[i].rest.rule = rests[like].rule;
		rests[i].rest.refused = rests[like].rest.refused;
	}
	g_array_append_vals(people->devices, rests, count);
	person->devices += count;
}

static void add_devices(struct affected_people *people, struct affected_person *person)
{
	for (guint i = 0; i < devices_count(people->own_devices); i++)
		add_device(people, i, person);
}

/* Those that a device has left long ago say nothing of how it comes. */
static void add_ways(struct affected_people *people, struct affected_person *person)
{
	const struct affected_way *ways = (const struct affected_way *)people->own_ways->data;

	for (guint i = 0; i < people->own_ways->len; i++) {
		int64_t last = 0;

		for (guint j = 0; j < people->own_ways->len; j++) {
			if (ways[j].device == ways[i].device)
				last = MAX(last, ways[j].last);
		}
		if (ways[i].last < last - WAY_DAYS * MILLISECONDS_A_DAY)
			continue;
		g_array_append_val(people->ways, ways[i]);
		person->ways++;
	}
}

void affected_people_end(struct affected_people *people, struct affected_person person)
{
	if (people->broken == 0 && !person.rejected)
		return;
	add_devices(people, &person);
	add_ways(people, &person);
	g_array_append_val(people->people, person);
}
