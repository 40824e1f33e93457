#include "admin/store/store-limits.h"
#include "batch.h"
#include "times.h"

/* How the entries of one kind are found, and added in the order of their texts, with ids in
   the order in which they came. */
struct dictionary {
	const char *finding;   /* $1: texts; gives ids, texts and whether they are verified */
	const char *reserving; /* $1: how many; gives ids */
};

static const struct dictionary users = {
	"SELECT id, name, verified, last_day, weeks FROM portcullis.users WHERE name = ANY ($1)",
	"SELECT nextval('portcullis.user_ids') FROM generate_series(1, $1)",
};
static const struct dictionary habits = {
	"SELECT id, key, true FROM portcullis.habits WHERE key = ANY ($1)",
	"SELECT nextval('portcullis.habit_ids') FROM generate_series(1, $1)",
};
static const struct dictionary rule_sets = {
	"SELECT id, text, true FROM portcullis.rule_sets WHERE text = ANY ($1)",
	"SELECT nextval('portcullis.rule_set_ids') FROM generate_series(1, $1)",
};

static bool is_unknown(const struct batch_entry *entry)
{
	return entry->id == 0 && entry->text != NULL;
}

/* Those that have no id; the caller frees the array. */
static GPtrArray *find_unknown(const struct batch_entries *entries)
{
	GPtrArray *unknown = g_ptr_array_new();

	for (guint i = 0; i < entries->all->len; i++) {
		if (is_unknown(g_ptr_array_index(entries->all, i)))
			g_ptr_array_add(unknown, g_ptr_array_index(entries->all, i));
	}
	return unknown;
}

static void take_user(struct batch_user *user, const PGresult *result, int row)
{
	const struct store_presence known = {.day = result_day(result, row, 3),
					     .weeks = (uint64_t)result_number(result, row, 4)};

	user->is_verified = result_number(result, row, 2) != 0;
	user->presence = known;
	user->is_present = store_presence_join(&user->presence, &user->added);
}

/* of_users: what there is to know of them, too. */
static void take_ids(const struct batch_entries *entries, const PGresult *result, bool of_users)
{
	for (int i = 0; i < PQntuples(result); i++) {
		struct batch_entry *entry =
			g_hash_table_lookup(entries->by_text, result_text(result, i, 1));

		if (entry == NULL)
			continue;
		entry->id = result_number(result, i, 0);
		if (of_users)
			take_user((struct batch_user *)entry, result, i);
	}
}

static bool find(struct store *store, const struct dictionary *dictionary,
		 const struct batch_entries *entries)
{
	GPtrArray *unknown = find_unknown(entries);
	struct parameters parameters = {0};
	GByteArray *texts = parameter_add_text_array(&parameters);
	PGresult *result;
	bool fine = true;

	for (guint i = 0; i < unknown->len; i++) {
		const struct batch_entry *entry = g_ptr_array_index(unknown, i);

		array_add_long_text(texts, entry->text);
	}
	if (unknown->len > 0) {
		result = postgresql_query(store, dictionary->finding, &parameters);
		fine = result != NULL;
		take_ids(entries, result, dictionary == &users);
		PQclear(result);
	}
	parameters_clear(&parameters);
	g_ptr_array_unref(unknown);
	return fine;
}

/* An array parameter with as many new ids as there are new entries. */
static bool add_ids(struct store *store, const struct dictionary *dictionary, guint count,
		    struct parameters *parameters)
{
	struct parameters asked = {0};
	GByteArray *ids = parameter_add_array(parameters, PARAMETER_BIGINT);
	PGresult *result;

	parameter_add(&asked, PARAMETER_INTEGER, count);
	result = postgresql_query(store, dictionary->reserving, &asked);
	if (result == NULL) {
		parameters_clear(parameters);
		return false;
	}
	for (int i = 0; i < PQntuples(result); i++)
		array_add(ids, PARAMETER_BIGINT, result_number(result, i, 0));
	PQclear(result);
	return true;
}

/* ---- users ---- */

static bool is_stranger(const struct batch_user *user)
{
	return !user->verified && user->entry.text[0] != '\0';
}

/* How many more strangers may be kept. Importers of several hosts do not see what the others
   just add, so there may be more, but no more than each of them adds at once. */
static bool read_room(struct store *store, int64_t *room_r)
{
	struct parameters parameters = {0};
	int64_t count;

	parameter_add(&parameters, PARAMETER_INTEGER, UNVERIFIED_USERS_MAX);
	if (postgresql_number(store,
			      "SELECT count(*) FROM (SELECT 1 FROM portcullis.users"
			      " WHERE NOT verified LIMIT $1) u",
			      &parameters, &count) <= 0)
		return false;
	*room_r = UNVERIFIED_USERS_MAX - count;
	return true;
}

/* Those of the unknown users who are kept, in a new array. NULL: the store fails. */
static GPtrArray *choose_users(struct store *store, const GPtrArray *unknown)
{
	GPtrArray *kept = g_ptr_array_new();
	int64_t room = -1;

	for (guint i = 0; i < unknown->len; i++) {
		struct batch_user *user = g_ptr_array_index(unknown, i);

		if (is_stranger(user)) {
			if (room < 0 && !read_room(store, &room)) {
				g_ptr_array_unref(kept);
				return NULL;
			}
			if (room == 0)
				continue;
			room--;
		}
		g_ptr_array_add(kept, user);
	}
	return kept;
}

static bool insert_users(struct store *store, const GPtrArray *added)
{
	struct parameters parameters = {0};
	GByteArray *names, *verified, *days, *weeks;

	if (added->len == 0)
		return true;
	if (!add_ids(store, &users, added->len, &parameters))
		return false;
	names = parameter_add_text_array(&parameters);
	verified = parameter_add_array(&parameters, PARAMETER_BOOLEAN);
	days = parameter_add_array(&parameters, PARAMETER_DAY);
	weeks = parameter_add_array(&parameters, PARAMETER_BIGINT);
	for (guint i = 0; i < added->len; i++) {
		const struct batch_user *user = g_ptr_array_index(added, i);

		array_add_text(names, user->entry.text);
		array_add(verified, PARAMETER_BOOLEAN, user->verified);
		array_add(days, PARAMETER_DAY, user->added.day);
		array_add(weeks, PARAMETER_BIGINT, (int64_t)user->added.weeks);
	}
	return postgresql_run(store,
			      "INSERT INTO portcullis.users (id, name, verified, last_day, weeks)"
			      " SELECT * FROM unnest($1, $2, $3, $4, $5) AS u (id, name)"
			      " ORDER BY name ON CONFLICT (name) DO NOTHING",
			      &parameters);
}

/* Somebody else may add the same at the same time: what is there counts. */
static bool add_users(struct store *store)
{
	struct batch *batch = store_postgresql(store)->batch;
	GPtrArray *unknown = find_unknown(&batch->users);
	GPtrArray *added = choose_users(store, unknown);
	bool fine = added != NULL && insert_users(store, added) &&
		    (added->len == 0 || find(store, &users, &batch->users));

	if (added != NULL)
		g_ptr_array_unref(added);
	g_ptr_array_unref(unknown);
	return fine;
}

/* Whoever of several hosts comes later sees what the others have noted. Bits of weeks are counted
   from the later one of the two last weeks. */
#define AHEAD(one, other) "(" WEEK_OF_DAY(one ".last_day") " - " WEEK_OF_DAY(other ".last_day") ")"
#define MOVED(one, other)                                                                          \
	"(CASE WHEN " AHEAD(other, one) " > 63 THEN 0 ELSE " one ".weeks"                          \
					" << greatest(0, " AHEAD(other, one) ") END)"
#define JOINED MOVED("u", "k") " | " MOVED("k", "u")

static const char noting_users[] =
	"UPDATE portcullis.users u SET verified = true,"
	" last_day = greatest(u.last_day, k.last_day), weeks = " JOINED
	" FROM (SELECT n.* FROM unnest($1, $2, $3) AS n (id, last_day, weeks)"
	"  JOIN portcullis.users l ON l.id = n.id ORDER BY n.id FOR UPDATE OF l) k"
	" WHERE u.id = k.id";

/* After the sightings: whoever removes some reckons their users anew after that, too. */
bool batch_note_users(struct store *store)
{
	const GPtrArray *all = store_postgresql(store)->batch->users.all;
	struct parameters parameters = {0};
	GByteArray *ids = parameter_add_array(&parameters, PARAMETER_BIGINT);
	GByteArray *days = parameter_add_array(&parameters, PARAMETER_DAY);
	GByteArray *weeks = parameter_add_array(&parameters, PARAMETER_BIGINT);
	bool any = false;

	for (guint i = 0; i < all->len; i++) {
		const struct batch_user *user = g_ptr_array_index(all, i);

		if (user->entry.text == NULL || user->entry.id == STORE_NOBODY || !user->verified ||
		    (user->is_verified && !user->is_present))
			continue;
		array_add(ids, PARAMETER_BIGINT, user->entry.id);
		array_add(days, PARAMETER_DAY, user->presence.day);
		array_add(weeks, PARAMETER_BIGINT, (int64_t)user->presence.weeks);
		any = true;
	}
	if (any)
		return postgresql_run(store, noting_users, &parameters);
	parameters_clear(&parameters);
	return true;
}

/* ---- rule sets ---- */

static bool add_rules(struct store *store)
{
	struct batch *batch = store_postgresql(store)->batch;
	GPtrArray *unknown = find_unknown(&batch->rules);
	struct parameters parameters = {0};
	GByteArray *texts;
	bool fine = unknown->len == 0;

	if (!fine && add_ids(store, &rule_sets, unknown->len, &parameters)) {
		texts = parameter_add_text_array(&parameters);
		for (guint i = 0; i < unknown->len; i++) {
			const struct batch_entry *entry = g_ptr_array_index(unknown, i);

			array_add_long_text(texts, entry->text);
		}
		fine = postgresql_run(store,
				      "INSERT INTO portcullis.rule_sets (id, text)"
				      " SELECT * FROM unnest($1, $2) AS r (id, text) ORDER BY text"
				      " ON CONFLICT DO NOTHING",
				      &parameters) &&
		       find(store, &rule_sets, &batch->rules);
	}
	g_ptr_array_unref(unknown);
	return fine;
}

/* ---- habits ---- */

#define HABIT_COLUMNS                                                                              \
	"id, key, source, service, port, tls, country, mechanism, client_id, tls_version, of_log"

static void add_numbers(struct parameters *parameters, enum parameter_type type,
			const GPtrArray *added, int (*number)(const struct store_habit *habit))
{
	GByteArray *array = parameter_add_array(parameters, type);

	for (guint i = 0; i < added->len; i++) {
		const struct batch_habit *habit = g_ptr_array_index(added, i);

		array_add(array, type, number(&habit->habit));
	}
}

static int source_of(const struct store_habit *habit)
{
	return habit->source;
}

static int service_of(const struct store_habit *habit)
{
	return habit->service;
}

static int port_of(const struct store_habit *habit)
{
	return habit->port;
}

static int tls_of(const struct store_habit *habit)
{
	return habit->tls;
}

static int version_of(const struct store_habit *habit)
{
	return habit->tls_version;
}

static int is_of_log(const struct store_habit *habit)
{
	return habit->of_log;
}

static void add_habit_parameters(struct parameters *parameters, const GPtrArray *added)
{
	GByteArray *keys = parameter_add_text_array(parameters);
	GByteArray *countries, *mechanisms, *client_ids;

	add_numbers(parameters, PARAMETER_SMALLINT, added, source_of);
	add_numbers(parameters, PARAMETER_SMALLINT, added, service_of);
	add_numbers(parameters, PARAMETER_INTEGER, added, port_of);
	add_numbers(parameters, PARAMETER_SMALLINT, added, tls_of);
	countries = parameter_add_text_array(parameters);
	mechanisms = parameter_add_text_array(parameters);
	client_ids = parameter_add_text_array(parameters);
	add_numbers(parameters, PARAMETER_SMALLINT, added, version_of);
	add_numbers(parameters, PARAMETER_BOOLEAN, added, is_of_log);
	for (guint i = 0; i < added->len; i++) {
		const struct batch_habit *habit = g_ptr_array_index(added, i);

		array_add_long_text(keys, habit->entry.text);
		array_add_text(countries, habit->habit.country.code);
		array_add_text(mechanisms, habit->mechanism);
		array_add_text(client_ids, habit->client_id);
	}
}

bool batch_add_habits(struct store *store, const GPtrArray *added)
{
	struct parameters parameters = {0};

	if (added->len == 0)
		return true;
	if (!add_ids(store, &habits, added->len, &parameters))
		return false;
	add_habit_parameters(&parameters, added);
	return postgresql_run(store,
			      "INSERT INTO portcullis.habits (" HABIT_COLUMNS ") SELECT *"
			      " FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
			      " AS h (" HABIT_COLUMNS ") ORDER BY key ON CONFLICT (key) DO NOTHING",
			      &parameters) &&
	       find(store, &habits, &store_postgresql(store)->batch->habits);
}

/* ---- the whole ---- */

bool batch_find_ids(struct store *store)
{
	struct batch *batch = store_postgresql(store)->batch;

	return find(store, &users, &batch->users) && add_users(store) &&
	       find(store, &rule_sets, &batch->rules) && add_rules(store) &&
	       find(store, &habits, &batch->habits);
}
