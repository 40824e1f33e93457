#include "desk-list.h"

#include <string.h>

#include "admin/sightings/mail-program.h"
#include "admin/sightings/sighting-text.h"

struct desk_search {
	enum desk_list list;
	struct address_map *addresses;
	time_t now;
	GArray *entries;
	const char *error;
};

/* Its name without version, and where it comes; not a comma in it. The caller frees it with
   g_free(). */
static char *describe(const struct notice_sighting *sighting)
{
	char *versionless = mail_program_versionless(sighting->client_id);
	char *name =
		versionless == NULL ? program_format(sighting->client_id) : g_strdup(versionless);
	char *text = sighting->port == 0
			     ? g_strdup_printf("%s %s", name, service_name(sighting->service))
			     : g_strdup_printf("%s %s:%u", name, service_name(sighting->service),
					       sighting->port);

	g_free(versionless);
	g_free(name);
	return g_strdelimit(text, ",", ' ');
}

/* Of what is open for some rules, each once: sets devices and first_seen. */
static void set_devices(struct desk_entry *entry, const struct notice_candidate *candidate)
{
	GPtrArray *devices = g_ptr_array_new_with_free_func(g_free);

	entry->first_seen = SCHEDULE_NEVER;
	for (size_t i = 0; i < candidate->person.way_count; i++) {
		char *device;

		if ((candidate->open[i] & entry->rules) == 0)
			continue;
		entry->first_seen = MIN(entry->first_seen, candidate->person.ways[i].first_seen);
		device = describe(&candidate->sightings[i]);
		if (g_ptr_array_find_with_equal_func(devices, device, g_str_equal, NULL))
			g_free(device);
		else
			g_ptr_array_add(devices, device);
	}
	g_ptr_array_add(devices, NULL);
	entry->devices = g_strjoinv(",", (char **)devices->pdata);
	g_ptr_array_unref(devices);
}

static void set_date(struct desk_entry *entry, const struct notice_plan *plan, time_t now)
{
	entry->date = SCHEDULE_NEVER;
	for (uint64_t left = entry->rules; left != 0; left &= left - 1) {
		time_t date = plan->enforce[__builtin_ctzll(left)];

		if (date > now)
			entry->date = MIN(entry->date, date);
	}
}

/* Sets why and rules; false: the person can be told. */
static bool is_untold(struct desk_entry *entry, const struct notice_plan *plan,
		      enum address_found found)
{
	if (plan->untold != 0 && found != ADDRESS_FOUND) {
		entry->why = found == ADDRESS_OUTSIDE ? "other domain" : "no address";
		entry->rules = plan->untold;
	} else if (plan->failed != 0) {
		entry->why = "mail failed";
		entry->rules = plan->failed;
	} else {
		entry->why = "seen too late";
		entry->rules = plan->late;
	}
	return entry->rules != 0;
}

bool desk_list_add(void *context, const struct notice_candidate *candidate)
{
	struct desk_search *search = context;
	const struct notice_plan *plan = &candidate->plan;
	struct desk_entry entry = {.rules = plan->rules, .mails = plan->warnings};
	char address[MAIL_ADDRESS_SIZE];
	enum address_found found;

	if (search->list == DESK_CALLS ? !notice_needs_call(plan)
				       : plan->untold == 0 && !notice_is_untold(plan))
		return true;
	found = address_map_find(search->addresses, candidate->user, address, &search->error);
	if (found == ADDRESS_FAILED)
		return false;
	if (search->list == DESK_UNTOLD && !is_untold(&entry, plan, found))
		return true;
	entry.user = g_strdup(candidate->user);
	entry.address = found == ADDRESS_FOUND ? g_strdup(address) : NULL;
	set_devices(&entry, candidate);
	set_date(&entry, plan, search->now);
	g_array_append_val(search->entries, entry);
	return true;
}

static void clear_entry(gpointer entry)
{
	g_free(((struct desk_entry *)entry)->user);
	g_free(((struct desk_entry *)entry)->address);
	g_free(((struct desk_entry *)entry)->devices);
}

static int compare_entries(gconstpointer one, gconstpointer other)
{
	const struct desk_entry *a = one, *b = other;

	if (a->date != b->date)
		return a->date < b->date ? -1 : 1;
	return strcmp(a->user, b->user);
}

struct desk_search *desk_list_begin(enum desk_list list, struct address_map *addresses, time_t now)
{
	struct desk_search *search = g_new0(struct desk_search, 1);

	search->list = list;
	search->addresses = addresses;
	search->now = now;
	search->entries = g_array_new(FALSE, FALSE, sizeof(struct desk_entry));
	g_array_set_clear_func(search->entries, clear_entry);
	return search;
}

GArray *desk_list_end(struct desk_search *search, bool fine, const char **error_r)
{
	GArray *entries = search->entries;

	*error_r = search->error;
	if (fine && search->error == NULL)
		g_array_sort(entries, compare_entries);
	else
		g_clear_pointer(&entries, g_array_unref);
	g_free(search);
	return entries;
}

GArray *desk_list_create(enum desk_list list, struct notice_people *people, struct store *store,
			 struct address_map *addresses, time_t now, const char **error_r)
{
	struct desk_search *search = desk_list_begin(list, addresses, now);

	notice_people_join(people, store);
	return desk_list_end(search, notice_people_each(people, NULL, now, desk_list_add, search),
			     error_r);
}
