#include "notice-health.h"

#include <time.h>
#include <unistd.h>

#include "admin/delivery/address-map.h"
#include "admin/files/account-access.h"
#include "admin/notices/desk-list.h"
#include "admin/notices/failed-notices.h"
#include "admin/sightings/sighting-judge.h"

struct counting {
	struct notice_health *health;
	const struct address_map *addresses;
	GHashTable *failed;
	int64_t last_user;
};

static bool count(void *context, const struct store_sighting *sighting)
{
	struct counting *counting = context;

	if (!sighting_is_somebodys(sighting) || sighting->user_id == counting->last_user)
		return true;
	counting->last_user = sighting->user_id;
	counting->health->outside += address_map_is_outside(counting->addresses, sighting->user);
	counting->health->failed += g_hash_table_contains(counting->failed, sighting->user);
	return true;
}

static bool addresses_are_forbidden(const struct notice_settings *settings)
{
	return (settings->domains_file != NULL && access_is_denied(settings->domains_file, R_OK)) ||
	       (settings->address_map_kind == ADDRESS_MAP_FILE &&
		access_is_denied(settings->address_map, R_OK));
}

/* False when the store fails. */
static bool count_untold(struct notice_health *health, const struct inquiry *inquiry,
			 struct address_map *addresses)
{
	const struct edition edition = loaded_edition(&inquiry->loaded);
	struct notice_people *people = notice_people_create(&edition);
	const char *error;
	GArray *untold = desk_list_create(DESK_UNTOLD, people, inquiry->store, addresses,
					  time(NULL), &error);

	notice_people_free(people);
	if (untold != NULL) {
		health->untold = untold->len;
		g_array_unref(untold);
		return true;
	}
	/* The command of address-map does not answer: then it is not known how many those are. */
	return error != NULL;
}

/* False when the store fails. */
static bool count_offenders(struct notice_health *health, const struct inquiry *inquiry,
			    const struct address_map *addresses)
{
	static const struct store_filter offenders = {
		.verified = true, .broken = true, .names = true};
	struct counting counting = {
		.health = health,
		.addresses = addresses,
		.failed = failed_notices_find(inquiry->store, NULL, (int64_t)time(NULL) * 1000),
	};
	bool counted;

	if (counting.failed == NULL)
		return false;
	counted = store_each_sighting(inquiry->store, &offenders, count, &counting);
	g_hash_table_unref(counting.failed);
	return counted;
}

bool notice_health_find(struct notice_health *health_r, const struct inquiry *inquiry)
{
	const struct policy *policy = inquiry->loaded.policy;
	struct address_map *addresses;
	bool found;

	*health_r = (struct notice_health){0};
	if (!notices_are_configured(&policy->notices))
		return true;
	/* check-config says what is wrong with them. */
	addresses = address_map_open(policy, config_report_nothing, NULL);
	health_r->readable = addresses != NULL;
	health_r->forbidden = !health_r->readable && addresses_are_forbidden(&policy->notices);
	found = addresses == NULL || (count_offenders(health_r, inquiry, addresses) &&
				      count_untold(health_r, inquiry, addresses));
	address_map_close(addresses);
	return found;
}
