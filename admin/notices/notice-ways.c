#include "notice-ways.h"

#include <glib.h>

#define SECOND INT64_C(1000)

static uint64_t bit_of(unsigned int rule)
{
	return UINT64_C(1) << rule;
}

static bool breaks(const struct notice_way *way, unsigned int rule)
{
	return (way->broken & ~way->allowed & bit_of(rule)) != 0;
}

/* How long is too long for a device that is still used. SCHEDULE_NEVER: nobody knows. */
static time_t long_rest(const struct device_record *record)
{
	time_t rest = 2 * DEVICE_REST_RHYTHMS * (time_t)(record->rhythm / SECOND);

	if (rest == 0)
		return SCHEDULE_NEVER;
	return MAX(rest + rest * NOTICE_FEW_DAYS / (record->bad_days - 1),
		   NOTICE_RESTED_DAYS * SECONDS_A_DAY);
}

/* Whoever is refused before the password is looked at is nobody, and not seen. */
static bool is_unseen(const struct rule *rule, time_t moment)
{
	return rule->reject == OUTCOME_REJECT_BEFORE && moment > rule->schedule.enforce;
}

/* SCHEDULE_NEVER: it will not. */
static time_t well_from(const struct device_record *record, const struct rule_past *past,
			const struct rule *rule)
{
	time_t last = (time_t)(record->bad.last / SECOND);
	time_t rest = long_rest(record), rested;

	if (device_is_repaired(record))
		return last +
		       MAX((time_t)(record->rhythm / SECOND), NOTICE_REPAIRED_DAYS * SECONDS_A_DAY);
	if (rest == SCHEDULE_NEVER)
		return SCHEDULE_NEVER;
	rested = MAX(last, past->told) + rest;
	return is_unseen(rule, rested) ? SCHEDULE_NEVER : rested;
}

time_t notice_device_well_from(const struct notice_person *person, size_t device,
			       const struct rule *rule)
{
	const struct device_record record =
		devices_record(person->devices, device, bit_of(rule->index));
	const struct rule_past past = notice_past_of_rule(person, rule->index);

	return record.bad.last == 0 ? SCHEDULE_NEVER : well_from(&record, &past, rule);
}

bool notice_way_has_changed(const struct notice_person *person, size_t way, unsigned int rule)
{
	const struct rule_past past = notice_past_of_rule(person, rule);
	struct device_record record;

	if (past.told == SCHEDULE_ALWAYS || !breaks(&person->ways[way], rule))
		return false;
	record = devices_record(person->devices, person->ways[way].device, bit_of(rule));
	return device_is_repaired(&record) && record.good.first / SECOND > past.told;
}

/* ---- one device ---- */

static void add_open(struct rule_ways *ways, const struct notice_way *way)
{
	if (way->first_seen < ways->first_open)
		ways->first_open = way->first_seen;
	if (way->last_seen > ways->last_open)
		ways->last_open = way->last_seen;
}

static void look_at_device(struct rule_ways *ways, const struct notice_person *person,
			   size_t device, const struct rule *rule, const struct rule_past *past,
			   bool ending, time_t now, uint64_t *open)
{
	const struct device_record record =
		devices_record(person->devices, device, bit_of(rule->index));
	enum device_state state = device_state(&record, now * SECOND);
	bool told = past->told >= record.bad.first / SECOND;
	bool is_open = state == DEVICE_OPEN || (state == DEVICE_RESTED && !told);

	if (record.bad.last == 0 || record.bad.last / SECOND <= past->fixed)
		return;
	ways->broken = true;
	ways->well = ways->well && now >= well_from(&record, past, rule);
	for (size_t i = 0; is_open && i < person->way_count; i++) {
		const struct notice_way *way = &person->ways[i];

		if (way->device != device || !breaks(way, rule->index) ||
		    ((way->ending & bit_of(rule->index)) != 0) != ending ||
		    way->last_seen <= past->fixed)
			continue;
		open[i] |= bit_of(rule->index);
		add_open(ways, way);
	}
}

struct rule_ways notice_look_at_ways(const struct notice_person *person, const struct rule *rule,
				     const struct rule_past *past, bool ending, time_t now,
				     uint64_t *open)
{
	struct rule_ways ways = {
		.first_open = SCHEDULE_NEVER, .last_open = SCHEDULE_ALWAYS, .well = true};

	for (size_t i = 0; i < devices_count(person->devices); i++)
		look_at_device(&ways, person, i, rule, past, ending, now, open);
	return ways;
}
