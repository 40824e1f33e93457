#include "due-list.h"

#include <string.h>

struct due_list {
	GArray *entries; /* of struct due_entry */
	GStringChunk *names;
	struct due_counts counts;
	struct mail_demand *demand;
};

static bool has_news(const struct notice_candidate *candidate)
{
	return candidate->plan.fixed != 0 || candidate->intended_id != 0;
}

static void count_open(struct due_counts *counts, const struct notice_candidate *candidate)
{
	if (candidate->plan.rules == 0)
		return;
	counts->open_failed += candidate->failed;
	counts->untold += notice_is_untold(&candidate->plan);
	counts->to_call += notice_needs_call(&candidate->plan);
}

static bool add_entry(void *context, const struct notice_candidate *candidate)
{
	struct due_list *list = context;
	const struct notice_plan *plan = &candidate->plan;
	struct due_entry entry = {
		.mail = plan->due,
		.reason = plan->reason,
		.rules = notice_plan_told(plan),
		.untold = plan->untold != 0,
		.tried = candidate->intended_attempts > 0,
		.first_date = plan->first_date,
	};

	count_open(&list->counts, candidate);
	mail_demand_add_plan(list->demand, plan);
	list->counts.waiting += plan->waits;
	if (plan->waits || (!plan->due && !has_news(candidate)))
		return true;
	entry.user = g_string_chunk_insert(list->names, candidate->user);
	g_array_append_val(list->entries, entry);
	list->counts.due += plan->due;
	return true;
}

/* What is only recorded comes first, good news last; between them who was never told, then
   whose mail was not tried in vain, so that full mailboxes take nobody's place, and then the
   person whose access ends the soonest. */
static int compare_entries(gconstpointer one, gconstpointer other)
{
	const struct due_entry *a = one, *b = other;
	bool a_fixed = a->mail && a->reason == NOTICE_FIXED;
	bool b_fixed = b->mail && b->reason == NOTICE_FIXED;

	if (a->mail != b->mail)
		return a->mail ? 1 : -1;
	if (a_fixed != b_fixed)
		return a_fixed ? 1 : -1;
	if (a->untold != b->untold)
		return a->untold ? -1 : 1;
	if (a->tried != b->tried)
		return a->tried ? 1 : -1;
	if ((a->reason == NOTICE_REFUSED) != (b->reason == NOTICE_REFUSED))
		return a->reason == NOTICE_REFUSED ? -1 : 1;
	if (a->first_date != b->first_date)
		return a->first_date < b->first_date ? -1 : 1;
	return strcmp(a->user, b->user);
}

struct due_list *due_list_read(struct notice_people *people, struct store *store, time_t now)
{
	struct due_list *list = g_new0(struct due_list, 1);

	list->entries = g_array_new(FALSE, FALSE, sizeof(struct due_entry));
	list->names = g_string_chunk_new(65536);
	list->demand = mail_demand_create();
	notice_people_join(people, store);
	if (!notice_people_each(people, NULL, now, add_entry, list)) {
		due_list_free(list);
		return NULL;
	}
	g_array_sort(list->entries, compare_entries);
	return list;
}

struct due_list *due_list_create(struct notice_people *people, struct store *store, time_t now)
{
	struct due_list *list;

	if (!store_begin_reading(store))
		return NULL;
	list = due_list_read(people, store, now);
	if (list == NULL) {
		store_rollback(store);
	} else if (!store_commit(store)) {
		due_list_free(list);
		list = NULL;
	}
	return list;
}

void due_list_free(struct due_list *list)
{
	if (list == NULL)
		return;
	g_array_unref(list->entries);
	g_string_chunk_free(list->names);
	mail_demand_free(list->demand);
	g_free(list);
}

size_t due_list_length(const struct due_list *list)
{
	return list->entries->len;
}

const struct due_entry *due_list_entry(const struct due_list *list, size_t index)
{
	return &g_array_index(list->entries, struct due_entry, index);
}

const struct due_counts *due_list_counts(const struct due_list *list)
{
	return &list->counts;
}

struct mail_demand *due_list_demand(const struct due_list *list)
{
	return list->demand;
}

bool due_list_each(const struct due_list *list, struct address_map *addresses,
		   due_list_visit *visit, void *context, const char **error_r)
{
	bool fine = true;

	for (guint i = 0; i < list->entries->len; i++) {
		const struct due_entry *entry = due_list_entry(list, i);
		char address[MAIL_ADDRESS_SIZE];
		enum address_found found;

		if (!entry->mail)
			continue;
		found = address_map_find(addresses, entry->user, address, error_r);
		fine = fine && found != ADDRESS_FAILED;
		visit(context, entry, found, found == ADDRESS_FOUND ? address : NULL);
	}
	return fine;
}
