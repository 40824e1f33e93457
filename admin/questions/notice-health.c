#include "notice-health.h"

#include <time.h>
#include <unistd.h>

#include "admin/delivery/address-map.h"
#include "admin/files/account-access.h"
#include "admin/notices/desk-list.h"
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
	int64_t offender; /* the last one, who was counted */
	struct notice_people *people;
	bool ended; /* as the store has failed */
	struct desk_search *untold;
	bool untold_ended;
	struct store_filter filter;
};

/* All sightings of his have come. */
static bool visit(void *context, const struct notice_candidate *candidate)
{
	struct notice_health_search *search = context;

	search->health->failed += candidate->failed && candidate->user_id == search->offender;
	mail_demand_add_plan(search->health->demand, &candidate->plan);
	search->untold_ended = search->untold_ended || !desk_list_add(search->untold, candidate);
	return true;
}

static struct notice_health_search *begin(struct notice_health *health,
					  const struct inquiry *inquiry,
					  struct address_map *addresses)
{
	struct notice_health_search *search = g_new0(struct notice_health_search, 1);
	const struct edition edition = loaded_edition(&inquiry->loaded);
	time_t now = time(NULL);

	health->demand = mail_demand_create();
	search->health = health;
	search->addresses = addresses;
	search->offender = STORE_NOBODY;
	search->people = notice_people_create(&edition);
	search->untold = desk_list_begin(DESK_UNTOLD, addresses, now);
	notice_people_join(search->people, inquiry->store);
	search->filter = notice_people_start(search->people, NULL, now, visit, search);
	return search;
}

struct notice_health_search *notice_health_begin(struct notice_health *health_r,
						 const struct inquiry *inquiry)
{
	const struct policy *policy = inquiry->loaded.policy;
	struct address_map *addresses;

	*health_r = (struct notice_health){0};
	if (!notices_are_configured(&policy->notices))
		return NULL;
	/* check-config says what is wrong with them. */
	addresses = address_map_open(policy, config_report_nothing, NULL);
	health_r->readable = addresses != NULL;
	health_r->forbidden = !health_r->readable && addresses_are_forbidden(&policy->notices);
	return addresses == NULL ? NULL : begin(health_r, inquiry, addresses);
}

const struct store_filter *notice_health_filter(const struct notice_health_search *search)
{
	return &search->filter;
}

static void count_offender(struct notice_health_search *search,
			   const struct store_sighting *sighting)
{
	if (sighting->rules->rule_count == 0 || !sighting_is_somebodys(sighting) ||
	    sighting->user_id == search->offender)
		return;
	search->offender = sighting->user_id;
	search->health->outside += address_map_is_outside(search->addresses, sighting->user);
}

void notice_health_take(struct notice_health_search *search, const struct store_sighting *sighting)
{
	/* That ends the one before. */
	search->ended = search->ended || !notice_people_take(search->people, sighting);
	count_offender(search, sighting);
}

bool notice_health_end(struct notice_health_search *search, bool read)
{
	const char *error;
	GArray *untold;
	bool fine;

	if (search == NULL)
		return read;
	read = notice_people_finish(search->people, read);
	untold = desk_list_end(search->untold, read, &error);
	/* The command of address-map does not answer: then it is not known how many those are. */
	fine = untold != NULL || error != NULL;
	if (untold != NULL)
		search->health->untold = untold->len;
	g_clear_pointer(&untold, g_array_unref);
	notice_people_free(search->people);
	address_map_close(search->addresses);
	g_free(search);
	return fine && read;
}

void notice_health_clear(struct notice_health *health)
{
	g_clear_pointer(&health->demand, mail_demand_free);
}
