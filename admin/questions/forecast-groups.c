#include "forecast-groups.h"

#include <string.h>

#include "admin/sightings/mail-program.h"

static void free_group(gpointer group)
{
	g_free(((struct forecast_group *)group)->name);
}

struct forecast_groups forecast_groups_create(const struct store *store)
{
	struct forecast_groups groups = {.store = store};

	for (int i = 0; i < GROUPING_COUNT; i++) {
		groups.groups[i] = g_array_new(FALSE, FALSE, sizeof(struct forecast_group));
		g_array_set_clear_func(groups.groups[i], free_group);
		groups.known[i] = g_hash_table_new(g_str_hash, g_str_equal);
		groups.of_habit[i] = g_array_new(FALSE, TRUE, sizeof(guint));
	}
	return groups;
}

static void forget_habits(struct forecast_groups *groups)
{
	for (int i = 0; i < GROUPING_COUNT; i++) {
		g_clear_pointer(&groups->known[i], g_hash_table_unref);
		g_clear_pointer(&groups->of_habit[i], g_array_unref);
	}
}

void forecast_groups_free(struct forecast_groups *groups)
{
	forget_habits(groups);
	for (int i = 0; i < GROUPING_COUNT; i++)
		g_clear_pointer(&groups->groups[i], g_array_unref);
}

static char *name_of(enum grouping grouping, const struct store_habit *habit)
{
	char *program;

	if (grouping == GROUPED_BY_SERVICE)
		return g_strdup(service_name(habit->service));
	if (grouping == GROUPED_BY_COUNTRY)
		return g_strdup(habit->country.code);
	program = mail_program_versionless(habit->client_id);
	return program == NULL ? g_strdup("") : program;
}

/* 1 + the index of the group of that name, which is made if there is none. */
static guint find_or_make(struct forecast_groups *groups, enum grouping grouping, char *name)
{
	GArray *made = groups->groups[grouping];
	guint number = GPOINTER_TO_UINT(g_hash_table_lookup(groups->known[grouping], name));

	if (number == 0) {
		const struct forecast_group group = {.name = name};

		g_array_append_val(made, group);
		number = made->len;
		g_hash_table_insert(groups->known[grouping], name, GUINT_TO_POINTER(number));
	} else {
		g_free(name);
	}
	return number;
}

guint forecast_group_of(struct forecast_groups *groups, enum grouping grouping, size_t habit)
{
	GArray *numbers = groups->of_habit[grouping];
	guint *number;

	if (habit >= numbers->len)
		g_array_set_size(numbers, (guint)habit + 1);
	number = &g_array_index(numbers, guint, habit);
	if (*number == 0)
		*number = find_or_make(groups, grouping,
				       name_of(grouping, store_habit(groups->store, habit)));
	return *number - 1;
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
	forget_habits(groups);
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
