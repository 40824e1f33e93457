#include "offender-list.h"

#include <stdlib.h>
#include <string.h>

#include "admin/sightings/sighting-judge.h"

void offender_list_begin(struct offender_list *list_r, const struct policy *policy, time_t at)
{
	*list_r = (struct offender_list){
		.offenders = g_array_new(FALSE, FALSE, sizeof(struct offender)),
		.policy = policy,
		.at = at,
		.strings = g_string_chunk_new(65536),
	};
}

void offender_list_end(struct offender_list *list)
{
	g_string_chunk_free(list->strings);
	g_array_free(list->offenders, TRUE);
}

static enum phase phase_now(const struct offender_list *list, const char *title)
{
	const struct rule *rule = policy_rule(list->policy, title);

	return rule == NULL ? PHASE_OFF : schedule_phase(&rule->schedule, list->at);
}

/* By what is told apart in the answer. */
static int compare_way(gconstpointer one, gconstpointer other)
{
	const struct offender *a = one, *b = other;
	const struct store_habit *x = a->habit, *y = b->habit;
	int order = strcmp(a->rule->title, b->rule->title);

	if (order == 0)
		order = (int)b->verified - (int)a->verified;
	if (order == 0)
		order = (int)x->service - (int)y->service;
	if (order == 0)
		order = (int)x->port - (int)y->port;
	if (order == 0)
		order = (int)x->tls - (int)y->tls;
	if (order == 0)
		order = strcmp(x->country.code, y->country.code);
	if (order == 0)
		order = strcmp(x->mechanism, y->mechanism);
	return order == 0 ? strcmp(x->client_id, y->client_id) : order;
}

static void merge(struct offender *into, const struct offender *from)
{
	into->count += from->count;
	if (from->first_seen < into->first_seen)
		into->first_seen = from->first_seen;
	if (from->last_seen > into->last_seen) {
		into->last_seen = from->last_seen;
		into->last_client = from->last_client;
	}
}

/* Drops what was not used since the list's beginning, of the user who was visited last. Of
   a way that is older the store knows one number, for all the time. */
static void keep_recent(struct offender_list *list)
{
	GArray *all = list->offenders;
	guint kept = list->user_begin;

	for (guint i = list->user_begin; i < all->len; i++) {
		struct offender *way = &g_array_index(all, struct offender, i);

		if (way->last_seen < list->since)
			continue;
		if (way->first_seen < list->since)
			way->count = 0;
		g_array_index(all, struct offender, kept++) = *way;
	}
	g_array_set_size(all, kept);
}

/* A rule's phases change, and then the same way is stored once more: joins those
   of the user who was visited last. */
static void end_user(struct offender_list *list)
{
	GArray *all = list->offenders;
	struct offender *ways = &g_array_index(all, struct offender, list->user_begin);
	guint count = all->len - list->user_begin, kept = 0;

	if (count > 1)
		qsort(ways, count, sizeof(*ways), compare_way);
	for (guint i = 1; i < count; i++) {
		if (compare_way(&ways[kept], &ways[i]) == 0)
			merge(&ways[kept], &ways[i]);
		else
			ways[++kept] = ways[i];
	}
	if (count > 0)
		g_array_set_size(all, list->user_begin + kept + 1);
	keep_recent(list);
	list->user_begin = all->len;
}

static const char *keep_user(struct offender_list *list, const struct store_sighting *sighting)
{
	if (list->user_begin < list->offenders->len)
		return g_array_index(list->offenders, struct offender, list->user_begin).user;
	return sighting->user == NULL ? NULL : g_string_chunk_insert(list->strings, sighting->user);
}

static bool collect(void *context, const struct store_sighting *sighting)
{
	struct offender_list *list = context;
	GArray *all = list->offenders;
	struct offender offender = {
		.user_id = sighting->user_id,
		.verified = sighting_is_somebodys(sighting),
		.habit = sighting->habit,
		.count = sighting->count,
		.first_seen = sighting->first_seen,
		.last_seen = sighting->last_seen,
		.last_client = "",
	};

	if (!offender.verified && !list->unverified)
		return true;
	if (all->len > 0 &&
	    g_array_index(all, struct offender, all->len - 1).user_id != sighting->user_id)
		end_user(list);
	if (sighting->last_client[0] != '\0')
		offender.last_client = g_string_chunk_insert(list->strings, sighting->last_client);
	for (size_t i = 0; i < sighting->rules->rule_count; i++) {
		offender.rule = &sighting->rules->rules[i];
		if (list->rule != NULL && strcmp(list->rule, offender.rule->title) != 0)
			continue;
		offender.phase = phase_now(list, offender.rule->title);
		if (list->phase != NULL && *list->phase != offender.phase)
			continue;
		offender.user = keep_user(list, sighting);
		g_array_append_val(all, offender);
	}
	return true;
}

bool offender_list_fill(struct offender_list *list, struct store *store,
			const struct store_filter *filter)
{
	list->rule = filter->rule;
	list->unverified = filter->unverified;
	if (!store_each_sighting(store, filter, collect, list))
		return false;
	end_user(list);
	return true;
}

/* ---- sorting ---- */

typedef int compare(const struct offender *a, const struct offender *b);

static int compare_user(const struct offender *a, const struct offender *b)
{
	return g_strcmp0(a->user, b->user);
}

static int compare_rule(const struct offender *a, const struct offender *b)
{
	return strcmp(a->rule->title, b->rule->title);
}

static int compare_count(const struct offender *a, const struct offender *b)
{
	return (a->count < b->count) - (a->count > b->count);
}

static int compare_first(const struct offender *a, const struct offender *b)
{
	return (a->first_seen > b->first_seen) - (a->first_seen < b->first_seen);
}

static int compare_last(const struct offender *a, const struct offender *b)
{
	return (a->last_seen < b->last_seen) - (a->last_seen > b->last_seen);
}

static const struct order {
	const char *name;
	compare *compare;
} orders[] = {
	{"user", compare_user},   {"rule", compare_rule}, {"count", compare_count},
	{"first", compare_first}, {"last", compare_last},
};

static const struct order *find_order(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(orders); i++) {
		if (strcmp(orders[i].name, name) == 0)
			return &orders[i];
	}
	return NULL;
}

bool offender_order_exists(const char *name)
{
	return find_order(name) != NULL;
}

static int compare_offenders(gconstpointer one, gconstpointer other, gpointer context)
{
	const struct order *wanted = context;
	const struct offender *a = one, *b = other;
	int order = wanted->compare(a, b);

	if (order == 0)
		order = compare_user(a, b);
	return order == 0 ? compare_way(a, b) : order;
}

void offender_list_sort(struct offender_list *list, const char *order)
{
	g_array_sort_with_data(list->offenders, compare_offenders, (gpointer)find_order(order));
}
