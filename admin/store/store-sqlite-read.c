#include "store-sqlite.h"

#include <stdlib.h>
#include <string.h>

/* ---- habits and rule sets, in memory ---- */

static void free_rule_set(struct store_rule_set *rule_set)
{
	for (size_t i = 0; i < rule_set->rule_count; i++)
		free(rule_set->rules[i].title);
	free(rule_set->rules);
}

void store_unload_dictionaries(struct store *store)
{
	for (size_t i = 0; i < store->habit_count; i++) {
		free((char *)store->habits[i].mechanism);
		free((char *)store->habits[i].client_id);
	}
	for (size_t i = 0; i < store->rule_set_count; i++)
		free_rule_set(&store->rule_sets[i]);
	free(store->habits);
	free(store->habit_row_ids);
	free(store->rule_sets);
	free(store->rule_set_row_ids);
	store->habits = NULL;
	store->habit_row_ids = NULL;
	store->habit_count = 0;
	store->rule_sets = NULL;
	store->rule_set_row_ids = NULL;
	store->rule_set_count = 0;
}

/* Doubles an array, and that of its ids, when its count is a power of two. */
static bool make_room(void **array, size_t size, int64_t **ids, size_t count)
{
	size_t room = count == 0 ? 16 : 2 * count;
	void *larger;

	if (count != 0 && (count < 16 || (count & (count - 1)) != 0))
		return true;
	larger = realloc(*array, room * size);
	if (larger == NULL)
		return false;
	*array = larger;
	larger = realloc(*ids, room * sizeof(**ids));
	if (larger == NULL)
		return false;
	*ids = larger;
	return true;
}

static const char *column_text(sqlite3_stmt *statement, int column)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);

	return text == NULL ? "" : text;
}

/* Out of range only in a store that someone has written to by hand. */
static int column_below(sqlite3_stmt *statement, int column, int limit)
{
	int number = sqlite3_column_int(statement, column);

	return number < 0 || number >= limit ? 0 : number;
}

static bool load_habit(struct store *store, sqlite3_stmt *statement)
{
	size_t index = store->habit_count;
	struct store_habit *habit;

	if (!make_room((void **)&store->habits, sizeof(*store->habits), &store->habit_row_ids,
		       index))
		return false;
	habit = &store->habits[index];
	*habit = (struct store_habit){
		.index = index,
		.source = (enum source)column_below(statement, 1, SOURCE_POSTFIX + 1),
		.service = (enum service)column_below(statement, 2, SERVICE_COUNT),
		.port = (uint16_t)sqlite3_column_int(statement, 3),
		.tls = (enum tls_state)column_below(statement, 4, TLS_IMPLICIT + 1),
		.mechanism = strdup(column_text(statement, 6)),
		.client_id = strdup(column_text(statement, 7)),
	};
	strncpy(habit->country.code, column_text(statement, 5), sizeof(habit->country.code) - 1);
	store->habit_row_ids[index] = sqlite3_column_int64(statement, 0);
	store->habit_count++;
	return habit->mechanism != NULL && habit->client_id != NULL;
}

/* Reads "country=enforce,encryption=notify", as store_add() writes it. */
static bool parse_rule_set(const char *text, struct store_rule_set *rule_set)
{
	size_t count = 0;

	for (const char *c = text; *c != '\0'; c++)
		count += *c == '=';
	rule_set->rules = calloc(count + 1, sizeof(*rule_set->rules));
	if (rule_set->rules == NULL)
		return false;
	while (rule_set->rule_count < count) {
		struct store_broken_rule *rule = &rule_set->rules[rule_set->rule_count];
		size_t length = strcspn(text, "=");
		size_t phase_length;
		char phase[16] = "";

		rule->title = strndup(text, length);
		if (rule->title == NULL)
			return false;
		rule_set->rule_count++;
		text += length + (text[length] == '=');
		phase_length = strcspn(text, ",");
		if (phase_length < sizeof(phase))
			memcpy(phase, text, phase_length);
		phase_from_name(phase, &rule->phase);
		text += phase_length + (text[phase_length] == ',');
	}
	return true;
}

static bool load_rule_set(struct store *store, sqlite3_stmt *statement)
{
	size_t index = store->rule_set_count;

	if (!make_room((void **)&store->rule_sets, sizeof(*store->rule_sets),
		       &store->rule_set_row_ids, index))
		return false;
	store->rule_sets[index] = (struct store_rule_set){.index = index};
	store->rule_set_row_ids[index] = sqlite3_column_int64(statement, 0);
	store->rule_set_count++;
	return parse_rule_set(column_text(statement, 1), &store->rule_sets[index]);
}

static bool load_all(struct store *store, enum statement which,
		     bool (*load)(struct store *store, sqlite3_stmt *statement))
{
	sqlite3_stmt *statement = store_statement(store, which);
	int step;

	if (statement == NULL)
		return false;
	while ((step = store_step(store, statement)) > 0) {
		if (!load(store, statement)) {
			sqlite3_reset(statement);
			return store_out_of_memory(store);
		}
	}
	return step == 0;
}

bool store_begin_reading(struct store *store)
{
	store_unload_dictionaries(store);
	if (!store_run(store, store_statement(store, STATEMENT_BEGIN)))
		return false;
	if (load_all(store, STATEMENT_ALL_HABITS, load_habit) &&
	    load_all(store, STATEMENT_ALL_RULE_SETS, load_rule_set))
		return true;
	store_rollback(store);
	return false;
}

size_t store_habit_count(const struct store *store)
{
	return store->habit_count;
}

const struct store_habit *store_habit(const struct store *store, size_t index)
{
	return &store->habits[index];
}

size_t store_rule_set_count(const struct store *store)
{
	return store->rule_set_count;
}

const struct store_rule_set *store_rule_set(const struct store *store, size_t index)
{
	return &store->rule_sets[index];
}

/* The index of an id, or count when there is none. */
static size_t find_id(const int64_t *ids, size_t count, int64_t id)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && ids[low] == id ? low : count;
}

/* ---- sightings ---- */

/* For each rule set, whether the filter wants it. */
static bool *choose_rule_sets(const struct store *store, const struct store_filter *filter)
{
	bool *chosen = calloc(store->rule_set_count + 1, sizeof(*chosen));

	if (chosen == NULL)
		return NULL;
	for (size_t i = 0; i < store->rule_set_count; i++) {
		const struct store_rule_set *set = &store->rule_sets[i];

		chosen[i] = filter->rule == NULL && (set->rule_count > 0 || !filter->broken);
		for (size_t j = 0; filter->rule != NULL && j < set->rule_count; j++)
			chosen[i] |= strcmp(set->rules[j].title, filter->rule) == 0;
	}
	return chosen;
}

/* Walks through the users beside the sightings: both are sorted by id. */
static bool find_name(struct store *store, sqlite3_stmt *users, bool *more, int64_t user_id,
		      const char **name_r)
{
	*name_r = NULL;
	while (*more && sqlite3_column_int64(users, 0) < user_id) {
		int step = store_step(store, users);

		if (step < 0)
			return false;
		*more = step > 0;
	}
	if (*more && sqlite3_column_int64(users, 0) == user_id)
		*name_r = column_text(users, 1);
	return true;
}

static bool read_sighting(const struct store *store, sqlite3_stmt *row,
			  const struct store_filter *filter, const bool *chosen,
			  struct store_sighting *sighting_r)
{
	bool verified = sqlite3_column_int(row, 1) != 0;
	int64_t last_seen = sqlite3_column_int64(row, 7);
	size_t habit, rules;

	if (last_seen < filter->since || !(verified ? filter->verified : filter->unverified))
		return false;
	rules = find_id(store->rule_set_row_ids, store->rule_set_count,
			sqlite3_column_int64(row, 3));
	if (rules == store->rule_set_count || !chosen[rules])
		return false;
	habit = find_id(store->habit_row_ids, store->habit_count, sqlite3_column_int64(row, 2));
	if (habit == store->habit_count)
		return false;
	*sighting_r = (struct store_sighting){
		.user_id = sqlite3_column_int64(row, 0),
		.verified = verified,
		.habit = &store->habits[habit],
		.rules = &store->rule_sets[rules],
		.count = (uint64_t)sqlite3_column_int64(row, 4),
		.rejected = (uint64_t)sqlite3_column_int64(row, 5),
		.first_seen = sqlite3_column_int64(row, 6),
		.last_seen = last_seen,
		.last_client = column_text(row, 8),
		.weeks = (uint64_t)sqlite3_column_int64(row, 9),
	};
	return true;
}

/* The users' statement, on its first row, in *users_r; NULL when there are no
   names to tell. */
static bool begin_names(struct store *store, const struct store_filter *filter,
			sqlite3_stmt **users_r, bool *more_r)
{
	int step;

	*users_r = NULL;
	*more_r = false;
	if (!filter->names || filter->user != NULL)
		return true;
	*users_r = store_statement(store, STATEMENT_ALL_USERS);
	if (*users_r == NULL)
		return false;
	step = store_step(store, *users_r);
	*more_r = step > 0;
	return step >= 0;
}

bool store_each_sighting(struct store *store, const struct store_filter *filter,
			 store_visit_sighting *visit, void *context)
{
	sqlite3_stmt *users, *row = NULL;
	bool more_users, fine = false;
	bool *chosen = choose_rule_sets(store, filter);
	struct store_sighting sighting;
	int step;

	if (chosen == NULL)
		return store_out_of_memory(store);
	if (!begin_names(store, filter, &users, &more_users))
		goto done;
	row = store_statement(store, filter->user == NULL ? STATEMENT_ALL_SIGHTINGS
							  : STATEMENT_SIGHTINGS_OF_USER);
	if (row == NULL)
		goto done;
	if (filter->user != NULL)
		store_bind_text(row, 1, filter->user);
	while ((step = store_step(store, row)) > 0) {
		if (!read_sighting(store, row, filter, chosen, &sighting))
			continue;
		sighting.user = filter->user;
		if (users != NULL &&
		    !find_name(store, users, &more_users, sighting.user_id, &sighting.user))
			goto done;
		if (!visit(context, &sighting))
			break;
	}
	fine = step >= 0;
done:
	sqlite3_reset(users);
	sqlite3_reset(row);
	free(chosen);
	return fine;
}

/* ---- the rest ---- */

bool store_each_day(struct store *store, int64_t since_day, store_visit_day *visit, void *context)
{
	sqlite3_stmt *row = store_statement(store, STATEMENT_DAYS);
	int step;

	if (row == NULL)
		return false;
	sqlite3_bind_int64(row, 1, since_day);
	while ((step = store_step(store, row)) > 0) {
		const struct store_day day = {
			.day = sqlite3_column_int64(row, 0),
			.sightings = (uint64_t)sqlite3_column_int64(row, 1),
			.unknown_country = (uint64_t)sqlite3_column_int64(row, 2),
			.lines = (uint64_t)sqlite3_column_int64(row, 3),
			.lost = (uint64_t)sqlite3_column_int64(row, 4),
			.set_aside = (uint64_t)sqlite3_column_int64(row, 5),
		};

		if (!visit(context, &day))
			break;
	}
	sqlite3_reset(row);
	return step >= 0;
}

bool store_each_writer(struct store *store, store_visit_writer *visit, void *context)
{
	sqlite3_stmt *row = store_statement(store, STATEMENT_WRITERS);
	int step;

	if (row == NULL)
		return false;
	while ((step = store_step(store, row)) > 0) {
		const struct store_writer writer = {
			.host = column_text(row, 0),
			.source = (enum source)column_below(row, 1, SOURCE_POSTFIX + 1),
			.lines = (uint64_t)sqlite3_column_int64(row, 2),
			.lost = (uint64_t)sqlite3_column_int64(row, 3),
			.last_seen = sqlite3_column_int64(row, 4),
		};

		if (!visit(context, &writer))
			break;
	}
	sqlite3_reset(row);
	return step >= 0;
}

bool store_totals(struct store *store, struct store_totals *totals_r)
{
	sqlite3_stmt *row = store_statement(store, STATEMENT_TOTALS);
	int step;

	*totals_r = (struct store_totals){0};
	if (row == NULL)
		return false;
	step = store_step(store, row);
	if (step > 0) {
		*totals_r = (struct store_totals){
			.last_import = sqlite3_column_int64(row, 0),
			.lines = (uint64_t)sqlite3_column_int64(row, 1),
			.lost = (uint64_t)sqlite3_column_int64(row, 2),
			.set_aside = (uint64_t)sqlite3_column_int64(row, 3),
		};
	}
	sqlite3_reset(row);
	return step >= 0;
}

bool store_each_file(struct store *store, store_visit_file *visit, void *context)
{
	sqlite3_stmt *row = store_statement(store, STATEMENT_FILES);
	int step;

	if (row == NULL)
		return false;
	while ((step = store_step(store, row)) > 0) {
		const struct store_file file = {
			.id = sqlite3_column_int64(row, 0),
			.name = (char *)column_text(row, 1),
			.device = (uint64_t)sqlite3_column_int64(row, 2),
			.inode = (uint64_t)sqlite3_column_int64(row, 3),
			.head = (uint64_t)sqlite3_column_int64(row, 4),
			.head_length = (uint64_t)sqlite3_column_int64(row, 5),
			.position = (uint64_t)sqlite3_column_int64(row, 6),
			.removed = sqlite3_column_int(row, 7) != 0,
			.touched = sqlite3_column_int64(row, 8),
		};

		if (!visit(context, &file))
			break;
	}
	sqlite3_reset(row);
	return step >= 0;
}
