#include "admin/store/store-limits.h"
#include "batch.h"
#include "last-look.h"
#include "times.h"

/* ---- arrays of rows ---- */

/* Six arrays: the keys' columns. */
struct key_arrays {
	GByteArray *users, *verified, *habits, *rules, *servers, *days;
};

static struct key_arrays add_key_arrays(struct parameters *parameters)
{
	struct key_arrays arrays;

	arrays.users = parameter_add_array(parameters, PARAMETER_BIGINT);
	arrays.verified = parameter_add_array(parameters, PARAMETER_BOOLEAN);
	arrays.habits = parameter_add_array(parameters, PARAMETER_BIGINT);
	arrays.rules = parameter_add_array(parameters, PARAMETER_BIGINT);
	arrays.servers = parameter_add_array(parameters, PARAMETER_INTEGER);
	arrays.days = parameter_add_array(parameters, PARAMETER_DAY);
	return arrays;
}

static void add_key(const struct key_arrays *arrays, const struct batch_key *key)
{
	array_add(arrays->users, PARAMETER_BIGINT, key->user->entry.id);
	array_add(arrays->verified, PARAMETER_BOOLEAN, key->verified);
	array_add(arrays->habits, PARAMETER_BIGINT, key->habit->entry.id);
	array_add(arrays->rules, PARAMETER_BIGINT, key->rules->entry.id);
	array_add(arrays->servers, PARAMETER_INTEGER, key->server);
	array_add(arrays->days, PARAMETER_DAY, key->day);
}

/* ---- what is covered ---- */

static bool remove_waiting(struct store *store)
{
	const GArray *covered = store_postgresql(store)->batch->covered;
	struct parameters parameters = {0};
	struct key_arrays arrays = add_key_arrays(&parameters);
	bool any = false;

	for (guint i = 0; i < covered->len; i++) {
		const struct batch_key *key = &g_array_index(covered, struct batch_key, i);

		/* Otherwise there is none. */
		if (key->habit->entry.id == 0)
			continue;
		add_key(&arrays, key);
		any = true;
	}
	if (any)
		return postgresql_run(store,
				      "SELECT portcullis.remove_waiting($1, $2, $3, $4, $5, $6)",
				      &parameters);
	parameters_clear(&parameters);
	return true;
}

/* ---- limits ---- */

static struct batch_key without_program(struct batch *batch, const struct batch_key *key)
{
	struct batch_key other = *key;

	other.habit = batch_habit(batch, &key->habit->habit, "");
	return other;
}

/* Users who were one too many. Of the habits that this makes, ids are found, too. */
static void gather_nobody(struct batch *batch)
{
	guint count = batch->rows->len;

	for (guint i = 0; i < count; i++) {
		struct batch_row *row = g_ptr_array_index(batch->rows, i);
		struct batch_key key;

		if (row->is_gone || row->key.user->entry.id != STORE_NOBODY ||
		    row->key.user->entry.text == NULL)
			continue;
		key = without_program(batch, &row->key);
		key.user = batch_user(batch, NULL, false);
		batch_move(batch, row, &key);
	}
}

/* Places of the rows that the database does not have, with how many ways it has of the user;
   nobody's count without a limit. */
static PGresult *find_new_rows(struct store *store)
{
	const GPtrArray *rows = store_postgresql(store)->batch->rows;
	struct parameters parameters = {0};
	struct key_arrays arrays = add_key_arrays(&parameters);
	GByteArray *places = parameter_add_array(&parameters, PARAMETER_INTEGER);

	for (guint i = 0; i < rows->len; i++) {
		const struct batch_row *row = g_ptr_array_index(rows, i);

		if (row->is_gone || row->key.user->entry.id == STORE_NOBODY)
			continue;
		add_key(&arrays, &row->key);
		array_add(places, PARAMETER_INTEGER, i);
	}
	return postgresql_query(
		store,
		"WITH added AS MATERIALIZED (SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)"
		"  AS k (user_id, verified, habit, rules, server, day, place)"
		"  WHERE NOT EXISTS (SELECT 1 FROM portcullis.sightings s"
		"   WHERE (s.user_id, s.verified, s.habit, s.rules, s.server, s.day)"
		"   = (k.user_id, k.verified, k.habit, k.rules, k.server, k.day))),"
		/* Once for each user, who may have thousands of both. */
		" ways AS MATERIALIZED (SELECT user_id, verified, (SELECT count(*) FROM"
		"  (SELECT DISTINCT s.habit, s.rules FROM portcullis.sightings s"
		"   WHERE s.user_id = u.user_id AND s.verified = u.verified) w) AS count"
		"  FROM (SELECT DISTINCT user_id, verified FROM added) u)"
		" SELECT place, count FROM added JOIN ways USING (user_id, verified)"
		" ORDER BY place",
		&parameters);
}

/* How many ways each user has with what is added now. */
struct limits {
	struct store *store;
	struct batch *batch;
	GHashTable *added;  /* by user and whether verified: a number of ways */
	GHashTable *ways;   /* that were counted, by "user verified habit rules" */
	GPtrArray *habits;  /* to be added */
	GHashTable *chosen; /* the same, to find them */
	int64_t habit_room; /* -1: not read yet */
};

static gpointer user_key(const struct batch_key *key)
{
	return (char *)key->user + key->verified;
}

static int64_t rows_max(const struct batch_key *key)
{
	if (key->verified)
		return VERIFIED_ROWS_MAX;
	return key->user->entry.text != NULL && key->user->entry.text[0] == '\0'
		       ? NAMELESS_ROWS_MAX
		       : UNVERIFIED_ROWS_MAX;
}

static void count_way(struct limits *limits, const struct batch_key *key)
{
	char *way = g_strdup_printf("%p %d %p %p", (void *)key->user, key->verified,
				    (void *)key->habit, (void *)key->rules);
	gpointer user = user_key(key);

	if (g_hash_table_add(limits->ways, way))
		g_hash_table_insert(
			limits->added, user,
			GINT_TO_POINTER(GPOINTER_TO_INT(g_hash_table_lookup(limits->added, user)) +
					1));
}

static bool read_habit_room(struct limits *limits)
{
	struct parameters parameters = {0};
	int64_t count;

	parameter_add(&parameters, PARAMETER_INTEGER, HABITS_MAX);
	if (postgresql_number(limits->store,
			      "SELECT count(*) FROM (SELECT 1 FROM portcullis.habits LIMIT $1) h",
			      &parameters, &count) <= 0)
		return false;
	limits->habit_room = HABITS_MAX - count;
	return true;
}

/* Whether there is room for the habit; it is added if so. 1 yes, 0 no, -1 failure. */
static int choose_habit(struct limits *limits, struct batch_habit *habit, bool verified)
{
	if (habit->entry.id != 0 || g_hash_table_contains(limits->chosen, habit))
		return 1;
	if (limits->habit_room < 0 && !read_habit_room(limits))
		return -1;
	if (!verified && habit->client_id[0] != '\0' && limits->habit_room <= 0)
		return 0;
	limits->habit_room--;
	g_ptr_array_add(limits->habits, habit);
	g_hash_table_add(limits->chosen, habit);
	return 1;
}

/* A row that is new, or without its program, or even nobody's, where there are too many: then
   nothing is left of the program, in no table. */
static bool choose_row(struct limits *limits, struct batch_row *row, int64_t count)
{
	struct batch_key key = row->key;
	int room;

	count += GPOINTER_TO_INT(g_hash_table_lookup(limits->added, user_key(&key)));
	if (count >= rows_max(&key)) {
		key = without_program(limits->batch, &key);
		if (!key.verified && count >= 2 * rows_max(&key))
			key.user = batch_user(limits->batch, NULL, false);
	} else {
		room = choose_habit(limits, key.habit, key.verified);
		if (room < 0)
			return false;
		if (room == 0)
			key = without_program(limits->batch, &key);
	}
	if (key.habit != row->key.habit || key.user != row->key.user)
		batch_move(limits->batch, row, &key);
	count_way(limits, &key);
	return true;
}

static bool choose_rows(struct limits *limits, const PGresult *new_rows)
{
	const GPtrArray *rows = limits->batch->rows;

	for (int i = 0; i < PQntuples(new_rows); i++) {
		struct batch_row *row =
			g_ptr_array_index(rows, (guint)result_number(new_rows, i, 0));

		if (!choose_row(limits, row, result_number(new_rows, i, 1)))
			return false;
	}
	/* Those that came of it, which no limit keeps out; some of their habits may be new. */
	for (guint i = 0; i < rows->len; i++) {
		struct batch_row *row = g_ptr_array_index(rows, i);

		if (!row->is_gone && choose_habit(limits, row->key.habit, true) < 0)
			return false;
	}
	return true;
}

static bool keep_limits(struct store *store)
{
	PGresult *new_rows = find_new_rows(store);
	struct limits limits = {
		.store = store,
		.batch = store_postgresql(store)->batch,
		.added = g_hash_table_new(NULL, NULL),
		.ways = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.habits = g_ptr_array_new(),
		.chosen = g_hash_table_new(NULL, NULL),
		.habit_room = -1,
	};
	bool fine = new_rows != NULL && choose_rows(&limits, new_rows) &&
		    batch_add_habits(store, limits.habits);

	PQclear(new_rows);
	g_hash_table_unref(limits.added);
	g_hash_table_unref(limits.ways);
	g_hash_table_unref(limits.chosen);
	g_ptr_array_unref(limits.habits);
	return fine;
}

/* ---- rows ---- */

#define WEEKS_LATER "(" WEEK_OF("excluded.last_seen") " - " WEEK_OF("s.last_seen") ")"
#define WEEKS_EARLIER "(" WEEK_OF("s.last_seen") " - " WEEK_OF("excluded.last_seen") ")"

/* Of bits that would be moved by more than there are, none are left. */
#define MOVED(bits, operation, by)                                                                 \
	"CASE WHEN " by " > 63 THEN 0 ELSE " bits operation "greatest(0, " by ") END"

/* As new_days() of batch.c. */
#define FIRST DAY_OF("s.first_seen")
#define LAST DAY_OF("s.last_seen")
#define FROM DAY_OF("excluded.first_seen")
#define TO DAY_OF("excluded.last_seen")
#define IS_WITHIN(day) "(" day " BETWEEN " FIRST " AND " LAST ")::integer"
#define NEW_DAYS                                                                                   \
	"CASE WHEN " FROM " >= " FIRST " AND " TO " <= " LAST " THEN CASE WHEN (" MOVED(           \
		"s.weeks", " >> ", WEEKS_EARLIER) ") & 1 = 0 THEN 1 ELSE 0 END"                    \
						  " ELSE least(greatest(0, " TO " - " LAST         \
						  ") + greatest(0, " FIRST " - " FROM "),"         \
						  " greatest(1, excluded.days - " IS_WITHIN(       \
							  FROM) " - " IS_WITHIN(TO) ")) END"

#define LATEST(column)                                                                             \
	column " = CASE WHEN excluded.last_seen >= s.last_seen THEN excluded." column              \
	       " ELSE s." column " END"

static const char sending[] =
	"INSERT INTO portcullis.sightings AS s (user_id, verified, habit, rules, server, day,"
	" count, rejected, first_seen, last_seen, weeks, days, last_client, whereabouts, tls_below,"
	" broken) SELECT *, " IS_BROKEN(
		"rules") " FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9,"
			 "  $10, $11, $12, $13, $14, $15) AS n (user_id, verified, habit, rules)"
			 " ORDER BY 1, 2, 3, 4, 5, 6"
			 " ON CONFLICT (user_id, verified, habit, rules, server, day) DO UPDATE SET"
			 " count = s.count + excluded.count, rejected = s.rejected + "
			 "excluded.rejected,"
			 " first_seen = least(s.first_seen, excluded.first_seen),"
			 " last_seen = greatest(s.last_seen, excluded.last_seen),"
			 " weeks = (" MOVED("s.weeks", " << ", WEEKS_LATER) ") | (" MOVED(
				 "excluded.weeks", " << ",
				 WEEKS_EARLIER) "), days = s.days + " NEW_DAYS
						", " LATEST("last_client") ", " LATEST(
							"whereabouts") ", " LATEST("tls_below");

/* Eight arrays behind those of the key. */
static void add_sums(struct parameters *parameters, const GPtrArray *rows)
{
	GByteArray *counts = parameter_add_array(parameters, PARAMETER_BIGINT);
	GByteArray *rejected = parameter_add_array(parameters, PARAMETER_BIGINT);
	GByteArray *first = parameter_add_array(parameters, PARAMETER_TIME);
	GByteArray *last = parameter_add_array(parameters, PARAMETER_TIME);
	GByteArray *weeks = parameter_add_array(parameters, PARAMETER_BIGINT);
	GByteArray *days = parameter_add_array(parameters, PARAMETER_INTEGER);
	GByteArray *clients = parameter_add_text_array(parameters);
	GByteArray *whereabouts = parameter_add_text_array(parameters);
	GByteArray *versions = parameter_add_array(parameters, PARAMETER_SMALLINT);

	for (guint i = 0; i < rows->len; i++) {
		const struct batch_row *row = g_ptr_array_index(rows, i);

		if (row->is_gone)
			continue;
		array_add(counts, PARAMETER_BIGINT, (int64_t)row->sum.count);
		array_add(rejected, PARAMETER_BIGINT, (int64_t)row->sum.rejected);
		array_add(first, PARAMETER_TIME, row->sum.first_seen);
		array_add(last, PARAMETER_TIME, row->sum.last_seen);
		array_add(weeks, PARAMETER_BIGINT, (int64_t)row->sum.weeks);
		array_add(days, PARAMETER_INTEGER, (int64_t)row->sum.days);
		array_add_text(clients, row->client);
		array_add_text(whereabouts, row->whereabouts);
		array_add(versions, PARAMETER_SMALLINT, row->sum.tls_below);
	}
}

static bool send_rows(struct store *store)
{
	struct last_look *look = store_postgresql(store)->last_look;
	const GPtrArray *rows = store_postgresql(store)->batch->rows;
	struct parameters parameters = {0};
	struct key_arrays arrays = add_key_arrays(&parameters);

	for (guint i = 0; i < rows->len; i++) {
		const struct batch_row *row = g_ptr_array_index(rows, i);

		if (row->is_gone)
			continue;
		add_key(&arrays, &row->key);
		if (row->key.server != 0)
			last_look_at_log(look, row->key.server, row->key.day);
	}
	add_sums(&parameters, rows);
	return postgresql_run(store, sending, &parameters);
}

/* ---- the whole ---- */

/* When users came, as these rows say. Those that are known by their ids only were put elsewhere. */
static void find_presence(struct batch *batch)
{
	for (guint i = 0; i < batch->rows->len; i++) {
		const struct batch_row *row = g_ptr_array_index(batch->rows, i);

		if (!row->is_gone && row->key.user->entry.text != NULL && row->key.verified &&
		    !store_is_anonymous(row->key.habit->mechanism))
			store_presence_add(&row->key.user->added, &row->sum);
	}
}

static bool flush(struct store *store)
{
	struct batch *batch = store_postgresql(store)->batch;

	find_presence(batch);
	if (!postgresql_keep_dictionaries(store) || !batch_find_ids(store) ||
	    !remove_waiting(store))
		return false;
	gather_nobody(batch);
	return keep_limits(store) && send_rows(store) && batch_note_users(store);
}

bool postgresql_flush(struct store *store)
{
	struct store_postgresql *postgresql = store_postgresql(store);
	struct batch *batch = postgresql->batch;
	bool fine = (batch->rows->len == 0 && batch->covered->len == 0) || flush(store);

	batch_clear(batch);
	/* A gate may have brought a way that it did not have before. */
	g_clear_pointer(&postgresql->known_ways, g_hash_table_unref);
	return fine;
}
