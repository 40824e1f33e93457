#include "sqlite.h"

#include "admin/store/store-gathering.h"

bool store_sqlite_begin_reading(struct store *store)
{
	if (!store_sqlite_begin_view(store))
		return false;
	if (store_sqlite_load_dictionaries(store))
		return true;
	store_sqlite_rollback(store);
	return false;
}

/* ---- sightings ---- */

/* The names of the users, beside all sightings: both are sorted by the user's id. Where only some
   users are asked for, each is looked up. */
struct names {
	sqlite3_stmt *row; /* NULL when there are none to tell */
	bool more;         /* the row is one */
};

static bool next_name(struct store *store, struct names *names)
{
	int step = store_sqlite_step(store, names->row);

	names->more = step > 0;
	return step >= 0;
}

static bool asks_for_few(const struct store_filter *filter)
{
	return filter->offenders || filter->broken || filter->rule != NULL;
}

static bool begin_names(struct store *store, const struct store_filter *filter,
			struct names *names_r)
{
	*names_r = (struct names){0};
	if (!filter->names || filter->user != NULL || asks_for_few(filter))
		return true;
	names_r->row = store_sqlite_statement(store, "SELECT id, name FROM users ORDER BY id");
	return next_name(store, names_r);
}

/* NULL when this user has no name, or no names are to be told. */
static bool find_name(struct store *store, struct names *names, int64_t user_id,
		      const char **name_r)
{
	*name_r = NULL;
	while (names->more && sqlite3_column_int64(names->row, 0) < user_id) {
		if (!next_name(store, names))
			return false;
	}
	if (names->more && sqlite3_column_int64(names->row, 0) == user_id)
		*name_r = store_sqlite_column_text(names->row, 1);
	return true;
}

#define SIGHTING_COLUMNS                                                                           \
	"user, verified, habit, rules, count, rejected, first_seen, last_seen, last_client,"       \
	" weeks, whereabouts, tls_below, days"
#define NAME_COLUMN 13 /* behind them, or NULL */

static sqlite3_stmt *select_sightings(struct store *store, const struct store_filter *filter)
{
	sqlite3_stmt *row;

	if (filter->user == NULL && filter->offenders)
		return store_sqlite_statement(
			store, "SELECT " SIGHTING_COLUMNS
			       ", (SELECT name FROM users WHERE id = ?1) FROM sightings"
			       " WHERE user = ?1 ORDER BY"
			       " user, verified, habit, rules, server, day");
	if (filter->user == NULL && (filter->broken || filter->rule != NULL))
		return store_sqlite_statement(
			store, "SELECT " SIGHTING_COLUMNS
			       ", (SELECT name FROM users WHERE id = sightings.user) FROM sightings"
			       " WHERE broken = 1"
			       " ORDER BY user, verified, habit, rules, server, day");
	if (filter->user == NULL)
		return store_sqlite_statement(store, "SELECT " SIGHTING_COLUMNS
						     ", NULL FROM sightings ORDER BY user");
	row = store_sqlite_statement(
		store, "SELECT " SIGHTING_COLUMNS ", NULL FROM sightings"
		       " WHERE user = (SELECT id FROM users WHERE name = ?1) ORDER BY user");
	store_sqlite_bind_text(row, 1, filter->user);
	return row;
}

/* NULL: as for find_name(). */
static const char *name_of(sqlite3_stmt *row, const struct store_filter *filter)
{
	return filter->names ? (const char *)sqlite3_column_text(row, NAME_COLUMN) : NULL;
}

/* False when the filter does not want it, but for its time. */
static bool read_sighting(const struct store *store, sqlite3_stmt *row,
			  const struct store_filter *filter, const bool *chosen,
			  struct store_sighting *sighting_r)
{
	bool verified = sqlite3_column_int(row, 1) != 0;
	int64_t last_seen = sqlite3_column_int64(row, 7);
	const struct store_habit *habit;
	const struct store_rule_set *rules;

	if (!(verified ? filter->verified : filter->unverified))
		return false;
	rules = store_dictionaries_find_rule_set(store->dictionaries, sqlite3_column_int64(row, 3));
	if (rules == NULL || !chosen[rules->index])
		return false;
	habit = store_dictionaries_find_habit(store->dictionaries, sqlite3_column_int64(row, 2));
	if (habit == NULL)
		return false;
	*sighting_r = (struct store_sighting){
		.user_id = sqlite3_column_int64(row, 0),
		.user = filter->user != NULL ? filter->user : name_of(row, filter),
		.verified = verified,
		.habit = habit,
		.rules = rules,
		.count = (uint64_t)sqlite3_column_int64(row, 4),
		.rejected = (uint64_t)sqlite3_column_int64(row, 5),
		.first_seen = sqlite3_column_int64(row, 6),
		.last_seen = last_seen,
		.last_client = store_sqlite_column_text(row, 8),
		.weeks = (uint64_t)sqlite3_column_int64(row, 9),
		.days = store_possible_days(sqlite3_column_int64(row, 12),
					    sqlite3_column_int64(row, 6), last_seen),
		.whereabouts = store_sqlite_column_text(row, 10),
		.tls_below = (enum tls_version)store_sqlite_column_below(row, 11, TLS_V1_3 + 1),
	};
	return true;
}

/* What is needed to give them out. */
struct giving {
	struct store_gathering gathering;
	struct names names;
	const bool *chosen; /* rule sets */
	bool fine;          /* the store does not fail */
};

/* Takes a row. False: no more is wanted, or the store fails. */
static bool take(struct store *store, struct giving *giving, sqlite3_stmt *row)
{
	struct store_gathering *gathering = &giving->gathering;
	struct store_sighting sighting;

	if (!read_sighting(store, row, gathering->filter, giving->chosen, &sighting))
		return true;
	if (giving->names.row != NULL)
		giving->fine = find_name(store, &giving->names, sighting.user_id, &sighting.user);
	return giving->fine && store_gathering_take(gathering, &sighting);
}

/* Gives out the rows of a statement. 1 more are wanted, 0 not, -1 failure. */
static int give_rows(struct store *store, struct giving *giving, sqlite3_stmt *row)
{
	bool more = true;
	int step = 0;

	while (more && (step = store_sqlite_step(store, row)) > 0)
		more = take(store, giving, row);
	sqlite3_reset(row);
	return !giving->fine || step < 0 ? -1 : more;
}

static int give_people(struct store *store, struct giving *giving, sqlite3_stmt *row)
{
	struct store_sqlite_people people;
	bool begun = store_sqlite_people_begin(store, giving->gathering.filter, &people);
	int more = begun ? 1 : -1, found = 1;
	int64_t user;

	while (more > 0 && (found = store_sqlite_people_next(store, &people, &user)) > 0) {
		sqlite3_bind_int64(row, 1, user);
		more = give_rows(store, giving, row);
	}
	store_sqlite_people_end(&people);
	return found < 0 ? -1 : more;
}

bool store_sqlite_each_sighting(struct store *store, const struct store_filter *filter,
				store_visit_sighting *visit, void *context)
{
	bool *chosen = store_choose_rule_sets(store, filter);
	sqlite3_stmt *row = select_sightings(store, filter);
	struct giving giving = {
		.gathering = {.filter = filter, .visit = visit, .context = context},
		.chosen = chosen,
	};
	int more = -1;

	giving.fine = begin_names(store, filter, &giving.names);
	if (giving.fine)
		more = filter->user == NULL && filter->offenders ? give_people(store, &giving, row)
								 : give_rows(store, &giving, row);
	if (more > 0)
		store_gathering_end(&giving.gathering);
	store_gathering_clear(&giving.gathering);
	sqlite3_reset(giving.names.row);
	sqlite3_reset(row);
	g_free(chosen);
	return more >= 0;
}

/* ---- the rest ---- */

bool store_sqlite_each_day(struct store *store, int64_t since_day, store_visit_day *visit,
			   void *context)
{
	sqlite3_stmt *row = store_sqlite_statement(
		store, "SELECT day, sightings, unknown_country, lines, lost, set_aside,"
		       " last_line, confirmed FROM days WHERE day >= ?1 ORDER BY day");
	int step;

	sqlite3_bind_int64(row, 1, since_day);
	while ((step = store_sqlite_step(store, row)) > 0) {
		const struct store_day day = {
			.day = sqlite3_column_int64(row, 0),
			.sightings = (uint64_t)sqlite3_column_int64(row, 1),
			.unknown_country = (uint64_t)sqlite3_column_int64(row, 2),
			.lines = (uint64_t)sqlite3_column_int64(row, 3),
			.lost = (uint64_t)sqlite3_column_int64(row, 4),
			.set_aside = (uint64_t)sqlite3_column_int64(row, 5),
			.last_line = sqlite3_column_int64(row, 6),
			.confirmed = sqlite3_column_int(row, 7) != 0,
		};

		if (!visit(context, &day))
			break;
	}
	sqlite3_reset(row);
	return step >= 0;
}

bool store_sqlite_each_writer(struct store *store, store_visit_writer *visit, void *context)
{
	sqlite3_stmt *row = store_sqlite_statement(
		store, "SELECT host, source, lines, lost, last_seen, edition, edition_since"
		       " FROM writers"
		       " ORDER BY host, source");
	int step;

	while ((step = store_sqlite_step(store, row)) > 0) {
		struct store_writer writer = {
			.host = store_sqlite_column_text(row, 0),
			.source =
				(enum source)store_sqlite_column_below(row, 1, SOURCE_POSTFIX + 1),
			.lines = (uint64_t)sqlite3_column_int64(row, 2),
			.lost = (uint64_t)sqlite3_column_int64(row, 3),
			.last_seen = sqlite3_column_int64(row, 4),
			.edition_since = sqlite3_column_int64(row, 6),
		};

		g_strlcpy(writer.edition, store_sqlite_column_text(row, 5), sizeof(writer.edition));

		if (!visit(context, &writer))
			break;
	}
	sqlite3_reset(row);
	return step >= 0;
}

bool store_sqlite_totals(struct store *store, struct store_totals *totals_r)
{
	sqlite3_stmt *row = store_sqlite_statement(
		store, "SELECT last_import, lines, lost, set_aside FROM totals");
	int step;

	*totals_r = (struct store_totals){0};
	step = store_sqlite_step(store, row);
	if (step > 0) {
		*totals_r = (struct store_totals){
			.last_import = sqlite3_column_int64(row, 0),
			.lines = (uint64_t)sqlite3_column_int64(row, 1),
			.lost = (uint64_t)sqlite3_column_int64(row, 2),
			.set_aside = (uint64_t)sqlite3_column_int64(row, 3),
			.own_import = sqlite3_column_int64(row, 0),
		};
	}
	sqlite3_reset(row);
	return step >= 0;
}

bool store_sqlite_each_file(struct store *store, store_visit_file *visit, void *context)
{
	sqlite3_stmt *row = store_sqlite_statement(
		store, "SELECT id, name, device, inode, head, head_length, position, removed,"
		       " touched FROM files ORDER BY id");
	int step;

	while ((step = store_sqlite_step(store, row)) > 0) {
		const struct store_file file = {
			.id = sqlite3_column_int64(row, 0),
			.name = (char *)store_sqlite_column_text(row, 1),
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
