#include "store-dictionaries.h"

#include <glib.h>
#include <string.h>

struct store_dictionaries {
	/* By index. */
	GPtrArray *habits;
	GPtrArray *rule_sets;

	/* Their ids, as int64_t, in the same order. */
	GArray *habit_ids;
	GArray *rule_set_ids;

	/* The texts that they are made of. */
	GStringChunk *texts;
};

static void free_rule_set(void *pointer)
{
	struct store_rule_set *rule_set = pointer;

	g_free(rule_set->rules);
	g_free(rule_set);
}

struct store_dictionaries *store_dictionaries_create(void)
{
	struct store_dictionaries *dictionaries = g_new(struct store_dictionaries, 1);

	dictionaries->habits = g_ptr_array_new_with_free_func(g_free);
	dictionaries->rule_sets = g_ptr_array_new_with_free_func(free_rule_set);
	dictionaries->habit_ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
	dictionaries->rule_set_ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
	dictionaries->texts = g_string_chunk_new(4096);
	return dictionaries;
}

void store_dictionaries_free(struct store_dictionaries *dictionaries)
{
	g_ptr_array_unref(dictionaries->habits);
	g_ptr_array_unref(dictionaries->rule_sets);
	g_array_unref(dictionaries->habit_ids);
	g_array_unref(dictionaries->rule_set_ids);
	g_string_chunk_free(dictionaries->texts);
	g_free(dictionaries);
}

void store_dictionaries_clear(struct store_dictionaries *dictionaries)
{
	g_ptr_array_set_size(dictionaries->habits, 0);
	g_ptr_array_set_size(dictionaries->rule_sets, 0);
	g_array_set_size(dictionaries->habit_ids, 0);
	g_array_set_size(dictionaries->rule_set_ids, 0);
	g_string_chunk_clear(dictionaries->texts);
}

/* What has this id, or NULL. Done for each sighting that is read. */
static void *find(const GPtrArray *found, const GArray *ids, int64_t id)
{
	size_t low = 0, high = ids->len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (g_array_index(ids, int64_t, middle) < id)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == ids->len || g_array_index(ids, int64_t, low) != id)
		return NULL;
	return g_ptr_array_index(found, low);
}

/* ---- habits ---- */

void store_dictionaries_add_habit(struct store_dictionaries *dictionaries, int64_t id,
				  const struct store_habit *habit)
{
	struct store_habit *copy = g_memdup2(habit, sizeof(*habit));

	copy->index = dictionaries->habits->len;
	copy->mechanism = g_string_chunk_insert_const(dictionaries->texts, habit->mechanism);
	/* Most are as the machine is called, and come once. */
	copy->client_id = habit->client_id[0] == '\0'
				  ? ""
				  : g_string_chunk_insert(dictionaries->texts, habit->client_id);
	g_ptr_array_add(dictionaries->habits, copy);
	g_array_append_val(dictionaries->habit_ids, id);
}

const struct store_habit *store_dictionaries_find_habit(
	const struct store_dictionaries *dictionaries, int64_t id)
{
	return find(dictionaries->habits, dictionaries->habit_ids, id);
}

size_t store_dictionaries_habit_count(const struct store_dictionaries *dictionaries)
{
	return dictionaries->habits->len;
}

const struct store_habit *store_dictionaries_habit(const struct store_dictionaries *dictionaries,
						   size_t index)
{
	return g_ptr_array_index(dictionaries->habits, index);
}

int64_t store_dictionaries_habit_id(const struct store_dictionaries *dictionaries, size_t index)
{
	return g_array_index(dictionaries->habit_ids, int64_t, index);
}

/* ---- rule sets ---- */

char *store_rule_set_format(const struct store_rule_set *rule_set)
{
	GString *text = g_string_new(NULL);

	for (size_t i = 0; i < rule_set->rule_count; i++) {
		if (i > 0)
			g_string_append_c(text, ',');
		g_string_append(text, rule_set->rules[i].title);
		g_string_append_c(text, '=');
		g_string_append(text, phase_name(rule_set->rules[i].phase));
	}
	return g_string_free(text, FALSE);
}

/* What is no rule stands only in a store that someone has written to by hand. */
static void parse_rule_set(GStringChunk *texts, const char *text, struct store_rule_set *rule_set)
{
	char **parts = g_strsplit(text, ",", -1);

	rule_set->rules = g_new0(struct store_broken_rule, g_strv_length(parts));
	for (char **part = parts; *part != NULL; part++) {
		struct store_broken_rule *rule = &rule_set->rules[rule_set->rule_count];
		char *equals = strchr(*part, '=');

		if (equals == NULL)
			continue;
		rule->title = g_string_chunk_insert_len(texts, *part, equals - *part);
		phase_from_name(equals + 1, &rule->phase);
		rule_set->rule_count++;
	}
	g_strfreev(parts);
}

void store_dictionaries_add_rule_set(struct store_dictionaries *dictionaries, int64_t id,
				     const char *text)
{
	struct store_rule_set *rule_set = g_new0(struct store_rule_set, 1);

	rule_set->index = dictionaries->rule_sets->len;
	parse_rule_set(dictionaries->texts, text, rule_set);
	g_ptr_array_add(dictionaries->rule_sets, rule_set);
	g_array_append_val(dictionaries->rule_set_ids, id);
}

const struct store_rule_set *store_dictionaries_find_rule_set(
	const struct store_dictionaries *dictionaries, int64_t id)
{
	return find(dictionaries->rule_sets, dictionaries->rule_set_ids, id);
}

size_t store_dictionaries_rule_set_count(const struct store_dictionaries *dictionaries)
{
	return dictionaries->rule_sets->len;
}

const struct store_rule_set *store_dictionaries_rule_set(
	const struct store_dictionaries *dictionaries, size_t index)
{
	return g_ptr_array_index(dictionaries->rule_sets, index);
}

int64_t store_dictionaries_rule_set_id(const struct store_dictionaries *dictionaries, size_t index)
{
	return g_array_index(dictionaries->rule_set_ids, int64_t, index);
}
