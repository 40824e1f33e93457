#include "user-devices.h"

static uint64_t rules_of(const struct user_way *way)
{
	return way->verdict.broken | way->verdict.exempt;
}

static bool is_of(const struct user_way *way, size_t device)
{
	return way->verified && way->device == device;
}

static uint64_t broken_rules(const GArray *ways, size_t device)
{
	uint64_t rules = 0;

	for (guint i = 0; i < ways->len; i++) {
		const struct user_way *way = &g_array_index(ways, struct user_way, i);

		if (is_of(way, device))
			rules |= rules_of(way);
	}
	return rules;
}

/* The higher the worse. */
static unsigned int severity(enum device_state state)
{
	static const unsigned int severities[] = {
		[DEVICE_KEEPS] = 0,
		[DEVICE_REPAIRED] = 1,
		[DEVICE_RESTED] = 2,
		[DEVICE_OPEN] = 3,
	};

	return severities[state];
}

static void find_state(struct user_device *found, const struct devices *devices, size_t device,
		       uint64_t rules, int64_t now)
{
	for (; rules != 0; rules &= rules - 1) {
		uint64_t rule = rules & -rules;
		const struct device_record record = devices_record(devices, device, rule);
		enum device_state state = device_state(&record, now);

		if (severity(state) > severity(found->state))
			found->state = state;
		if (severity(state) > severity(DEVICE_REPAIRED))
			found->rules |= rule;
	}
}

/* The ways come with the latest first. */
static const struct user_way *choose_way(const GArray *ways, size_t device, uint64_t rules)
{
	const struct user_way *latest = NULL;

	for (guint i = 0; i < ways->len; i++) {
		const struct user_way *way = &g_array_index(ways, struct user_way, i);

		if (!is_of(way, device))
			continue;
		if (rules == 0 || (rules_of(way) & rules) != 0)
			return way;
		if (latest == NULL)
			latest = way;
	}
	return latest;
}

static int compare(gconstpointer one, gconstpointer other)
{
	int64_t a = ((const struct user_device *)one)->device->last_seen;
	int64_t b = ((const struct user_device *)other)->device->last_seen;

	return (a < b) - (a > b);
}

GArray *user_devices_find(const GArray *ways, const struct devices *devices, int64_t now)
{
	GArray *found = g_array_new(FALSE, FALSE, sizeof(struct user_device));

	for (size_t i = 0; i < devices_count(devices); i++) {
		uint64_t rules = broken_rules(ways, i);
		struct user_device device = {.device = devices_get(devices, i),
					     .record = devices_record(devices, i, rules)};

		find_state(&device, devices, i, rules, now);
		device.way = choose_way(ways, i, device.rules);
		g_array_append_val(found, device);
	}
	g_array_sort(found, compare);
	return found;
}
