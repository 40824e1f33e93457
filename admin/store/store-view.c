#include "store-view.h"

#include <glib.h>
#include <string.h>

#include "store-backend.h"

struct store_view {
	struct store store;
	const struct store_view_holder *functions;
	void *holder;
};

static struct store_view *view_of(struct store *store)
{
	return (struct store_view *)store;
}

/* ---- what needs nothing done ---- */

static bool begin_reading(struct store *store)
{
	(void)store;
	return true;
}

static bool commit(struct store *store)
{
	(void)store;
	return true;
}

static void rollback(struct store *store)
{
	(void)store;
}

static bool each_notice(struct store *store, const char *user, store_visit_notice *visit,
			void *context)
{
	(void)store;
	(void)user;
	(void)visit;
	(void)context;
	return true;
}

/* ---- sightings ---- */

struct selection {
	const struct store_filter *filter;
	GHashTable *offenders; /* NULL: all users */
	store_visit_sighting *visit;
	void *context;
};

static bool breaks(const struct store_rule_set *rules, const char *title)
{
	for (size_t i = 0; i < rules->rule_count; i++) {
		if (strcmp(rules->rules[i].title, title) == 0)
			return true;
	}
	return false;
}

static bool is_selected(const struct selection *selection, const struct store_sighting *sighting)
{
	const struct store_filter *filter = selection->filter;

	if (sighting->last_seen < filter->since ||
	    !(sighting->verified ? filter->verified : filter->unverified))
		return false;
	if (filter->user != NULL && g_strcmp0(sighting->user, filter->user) != 0)
		return false;
	if (filter->rule != NULL)
		return breaks(sighting->rules, filter->rule);
	if (filter->broken && sighting->rules->rule_count == 0)
		return false;
	return selection->offenders == NULL ||
	       g_hash_table_contains(selection->offenders, &sighting->user_id);
}

static bool select_sighting(void *context, const struct store_sighting *sighting)
{
	const struct selection *selection = context;

	return !is_selected(selection, sighting) || selection->visit(selection->context, sighting);
}

static bool note_offender(void *context, const struct store_sighting *sighting)
{
	GHashTable *offenders = context;

	if (sighting->verified && sighting->rules->rule_count > 0)
		g_hash_table_add(offenders,
				 g_memdup2(&sighting->user_id, sizeof(sighting->user_id)));
	return true;
}

static bool each_sighting(struct store *store, const struct store_filter *filter,
			  store_visit_sighting *visit, void *context)
{
	struct store_view *view = view_of(store);
	struct selection selection = {.filter = filter, .visit = visit, .context = context};

	if (filter->offenders && filter->habits == NULL && !filter->told) {
		selection.offenders =
			g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
		view->functions->each_sighting(view->holder, note_offender, selection.offenders);
	}
	view->functions->each_sighting(view->holder, select_sighting, &selection);
	if (selection.offenders != NULL)
		g_hash_table_unref(selection.offenders);
	return true;
}

/* ---- days and writers ---- */

struct days_since {
	int64_t since;
	store_visit_day *visit;
	void *context;
};

static bool visit_day(void *context, const struct store_day *day)
{
	const struct days_since *days = context;

	return day->day < days->since || days->visit(days->context, day);
}

static bool each_day(struct store *store, int64_t since_day, store_visit_day *visit, void *context)
{
	struct store_view *view = view_of(store);
	struct days_since days = {since_day, visit, context};

	view->functions->each_day(view->holder, visit_day, &days);
	return true;
}

static bool each_writer(struct store *store, store_visit_writer *visit, void *context)
{
	struct store_view *view = view_of(store);

	view->functions->each_writer(view->holder, visit, context);
	return true;
}

static bool add_writer_lines(void *context, const struct store_writer *writer)
{
	struct store_totals *totals = context;

	totals->lines += writer->lines;
	totals->lost += writer->lost;
	return true;
}

static bool totals(struct store *store, struct store_totals *totals_r)
{
	*totals_r = (struct store_totals){0};
	return each_writer(store, add_writer_lines, totals_r);
}

/* ---- the store ---- */

/* Nothing that writes. */
static const struct store_backend backend = {
	.close = store_free,
	.begin_reading = begin_reading,
	.commit = commit,
	.rollback = rollback,
	.each_sighting = each_sighting,
	.each_day = each_day,
	.each_writer = each_writer,
	.totals = totals,
	.each_notice = each_notice,
};

struct store *store_view_create(const struct store_view_holder *functions, void *holder)
{
	struct store_view *view = g_new0(struct store_view, 1);

	store_init(&view->store, &backend, "in memory", NULL);
	view->functions = functions;
	view->holder = holder;
	return &view->store;
}

const struct store_habit *store_view_add_habit(struct store *view, const struct store_habit *habit)
{
	size_t index = store_habit_count(view);

	store_dictionaries_add_habit(view->dictionaries, (int64_t)index + 1, habit);
	return store_habit(view, index);
}

const struct store_rule_set *store_view_add_rule_set(struct store *view,
						     const struct store_rule_set *rule_set)
{
	size_t index = store_rule_set_count(view);
	char *text = store_rule_set_format(rule_set);

	store_dictionaries_add_rule_set(view->dictionaries, (int64_t)index + 1, text);
	g_free(text);
	return store_rule_set(view, index);
}
