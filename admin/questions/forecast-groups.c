#include "forecast-groups.h"

#include <string.h>

#include "admin/sightings/mail-program.h"

static void free_group(gpointer group)
{
	g_free(((struct forecast_group *)group)->name);
}

/* The index of a name's group, which is made if there is none. */
static guint group_index(GArray *groups, GHashTable *known, const char *name)
{
	struct forecast_group group = {0};
	gpointer index;

	if (g_hash_table_lookup_extended(known, name, NULL, &index))
		return GPOINTER_TO_UINT(index);
	group.name = g_strdup(name);
	g_array_append_val(groups, group);
	g_hash_table_insert(known, group.name, GUINT_TO_POINTER(groups->len - 1));
	return groups->len - 1;
}

struct forecast_groups forecast_groups_create(const struct store *store)
{
	size_t count = store_habit_count(store);
	struct forecast_groups groups = {.of_habit = g_new0(guint, GROUPING_COUNT * count + 1)};
	GHashTable *known[GROUPING_COUNT];

	for (int i = 0; i < GROUPING_COUNT; i++) {
		groups.groups[i] = g_array_new(FALSE, FALSE, sizeof(struct forecast_group));
		g_array_set_clear_func(groups.groups[i], free_group);
		known[i] = g_hash_table_new(g_str_hash, g_str_equal);
	}
	for (size_t i = 0; i < count; i++) {
		const struct store_habit *habit = store_habit(store, i);
		char *program = mail_program_versionless(habit->client_id);
		const char *const names[GROUPING_COUNT] = {
			[GROUPED_BY_SERVICE] = service_name(habit->service),
			[GROUPED_BY_PROGRAM] = program == NULL ? "" : program,
			[GROUPED_BY_COUNTRY] = habit->country.code,
		};

		for (size_t j = 0; j < GROUPING_COUNT; j++)
			groups.of_habit[GROUPING_COUNT * i + j] =
				group_index(groups.groups[j], known[j], names[j]);
		g_free(program);
	}
	for (int i = 0; i < GROUPING_COUNT; i++)
		g_hash_table_destroy(known[i]);
	return groups;
}

void forecast_groups_free(struct forecast_groups *groups)
{
	for (int i = 0; i < GROUPING_COUNT; i++)
		g_clear_pointer(&groups->groups[i], g_array_unref);
	g_clear_pointer(&groups->of_habit, g_free);
}

guint forecast_group_of(const struct forecast_groups *groups, enum grouping grouping, size_t habit)
{
	return groups->of_habit[GROUPING_COUNT * habit + (size_t)grouping];
}

static int compare_groups(gconstpointer one, gconstpointer other)
{
	const struct forecast_group *a = one, *b = other;

	if (a->users != b->users)
		return a->users < b->users ? 1 : -1;
	return strcmp(a->name, b->name);
}

void forecast_groups_sort(struct forecast_groups *groups)
{
	for (int i = 0; i < GROUPING_COUNT; i++) {
		GArray *sorted = groups->groups[i];
		guint len = 0;

		g_array_sort(sorted, compare_groups);
		while (len < sorted->len &&
		       g_array_index(sorted, struct forecast_group, len).users >= 0.5)
			len++;
		g_array_set_size(sorted, len);
	}
}
