#include "notice-health.h"

#include <time.h>
#include <unistd.h>

#include "admin/delivery/address-map.h"
#include "admin/files/account-access.h"
#include "admin/notices/desk-list.h"
#include "admin/notices/failed-notices.h"
#include "admin/sightings/sighting-judge.h"

static bool addresses_are_forbidden(const struct notice_settings *settings)
{
	return (settings->domains_file != NULL && access_is_denied(settings->domains_file, R_OK)) ||
	       (settings->address_map_kind == ADDRESS_MAP_FILE &&
		access_is_denied(settings->address_map, R_OK));
}

struct notice_health_search {
	struct notice_health *health;
	struct address_map *addresses;
	GHashTable *failed; /* users */
	int64_t last_user;  /* who was counted */
	struct notice_people *people;
	struct desk_search *untold;
	bool untold_ended;
	struct store_filter filter;
};

static struct notice_health_search *begin(struct notice_health *health,
					  const struct inquiry *inquiry,
					  struct address_map *addresses)
{
	struct notice_health_search *search = g_new0(struct notice_health_search, 1);
	const struct edition edition = loaded_edition(&inquiry->loaded);

	search->health = health;
	search->addresses = addresses;
	search->people = notice_people_create(&edition);
	search->untold = desk_list_begin(DESK_UNTOLD, search->people, inquiry->store, addresses,
					 time(NULL), &search->filter);
	search->failed = failed_notices_find(inquiry->store, NULL, (int64_t)time(NULL) * 1000);
	return search;
}

bool notice_health_begin(struct notice_health *health_r, const struct inquiry *inquiry,
			 struct notice_health_search **search_r)
{
	const struct policy *policy = inquiry->loaded.policy;
	struct address_map *addresses;

	*health_r = (struct notice_health){0};
	*search_r = NULL;
	if (!notices_are_configured(&policy->notices))
		return true;
	/* check-config says what is wrong with them. */
	addresses = address_map_open(policy, config_report_nothing, NULL);
	health_r->readable = addresses != NULL;
	health_r->forbidden = !health_r->readable && addresses_are_forbidden(&policy->notices);
	if (addresses == NULL)
		return true;
	*search_r = begin(health_r, inquiry, addresses);
	if ((*search_r)->failed != NULL)
		return true;
	notice_health_end(*search_r, false);
	*search_r = NULL;
	return false;
}

const struct store_filter *notice_health_filter(const struct notice_health_search *search)
{
	return &search->filter;
}

static void count_offender(struct notice_health_search *search,
			   const struct store_sighting *sighting)
{
	if (sighting->rules->rule_count == 0 || !sighting_is_somebodys(sighting) ||
	    sighting->user_id == search->last_user)
		return;
	search->last_user = sighting->user_id;
	search->health->outside += address_map_is_outside(search->addresses, sighting->user);
	search->health->failed += g_hash_table_contains(search->failed, sighting->user);
}

void notice_health_take(struct notice_health_search *search, const struct store_sighting *sighting)
{
	count_offender(search, sighting);
	if (!search->untold_ended)
		search->untold_ended = !notice_people_take(search->people, sighting);
}

bool notice_health_end(struct notice_health_search *search, bool read)
{
	const char *error;
	GArray *untold;
	bool fine;

	if (search == NULL)
		return read;
	untold = desk_list_end(search->untold, read, &error);
	/* The command of address-map does not answer: then it is not known how many those are. */
	fine = untold != NULL || error != NULL;
	if (untold != NULL)
		search->health->untold = untold->len;
	g_clear_pointer(&untold, g_array_unref);
	g_clear_pointer(&search->failed, g_hash_table_unref);
	notice_people_free(search->people);
	address_map_close(search->addresses);
	g_free(search);
	return fine && read;
}
