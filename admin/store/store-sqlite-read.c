#include "store-sqlite.h"

#include <string.h>

#include "store-week.h"

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

/* For each rule set, by its index, whether the filter wants it; the caller frees it. */
static bool *choose_rule_sets(const struct store *store, const struct store_filter *filter)
{
	size_t count = store_dictionaries_rule_set_count(store->dictionaries);
	bool *chosen = g_new0(bool, count);

	for (size_t i = 0; i < count; i++) {
		const struct store_rule_set *set =
			store_dictionaries_rule_set(store->dictionaries, i);

		chosen[i] = filter->rule == NULL && (set->rule_count > 0 || !filter->broken);
		for (size_t j = 0; filter->rule != NULL && j < set->rule_count; j++)
			chosen[i] |= strcmp(set->rules[j].title, filter->rule) == 0;
	}
	return chosen;
}

/* The names of the users, beside the sightings: both are sorted by the user's id. */
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

static bool begin_names(struct store *store, const struct store_filter *filter,
			struct names *names_r)
{
	*names_r = (struct names){0};
	if (!filter->names || filter->user != NULL)
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

/* Goes through the table twice, side by side. */
static sqlite3_stmt *select_of_offenders(struct store *store)
{
	return store_sqlite_statement(
		store,
		"SELECT " SIGHTING_COLUMNS " FROM (SELECT DISTINCT user FROM sightings"
		"  WHERE verified AND rules NOT IN (SELECT id FROM rule_sets WHERE text = ''))"
		" CROSS JOIN sightings USING (user) ORDER BY user");
}

static sqlite3_stmt *select_sightings(struct store *store, const struct store_filter *filter)
{
	sqlite3_stmt *row;

	if (filter->user == NULL && filter->offenders)
		return select_of_offenders(store);
	if (filter->user == NULL)
		return store_sqlite_statement(store, "SELECT " SIGHTING_COLUMNS
						     " FROM sightings ORDER BY user");
	row = store_sqlite_statement(
		store, "SELECT " SIGHTING_COLUMNS " FROM sightings"
		       " WHERE user = (SELECT id FROM users WHERE name = ?1) ORDER BY user");
	store_sqlite_bind_text(row, 1, filter->user);
	return row;
}

/* As of struct store_sighting, whatever someone has written to the store by hand. */
static uint64_t read_days(sqlite3_stmt *row, int column, int64_t first_seen, int64_t last_seen)
{
	int64_t span = last_seen / MILLISECONDS_A_DAY - first_seen / MILLISECONDS_A_DAY + 1;

	return (uint64_t)MAX(MIN(sqlite3_column_int64(row, column), span), 1);
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
		.user = filter->user,
		.verified = verified,
		.habit = habit,
		.rules = rules,
		.count = (uint64_t)sqlite3_column_int64(row, 4),
		.rejected = (uint64_t)sqlite3_column_int64(row, 5),
		.first_seen = sqlite3_column_int64(row, 6),
		.last_seen = last_seen,
		.last_client = store_sqlite_column_text(row, 8),
		.weeks = (uint64_t)sqlite3_column_int64(row, 9),
		.days = read_days(row, 12, sqlite3_column_int64(row, 6), last_seen),
		.whereabouts = store_sqlite_column_text(row, 10),
		.tls_below = (enum tls_version)store_sqlite_column_below(row, 11, TLS_V1_3 + 1),
	};
	return true;
}

/* Rows that differ by day and server only follow each other: they are one sighting, of which
   the latest tells client, whereabouts and version. */
struct gathered {
	struct store_sighting sighting; /* habit NULL: none */
	char client[64], whereabouts[128];
};

static bool is_same(const struct store_sighting *sighting, const struct store_sighting *other)
{
	return sighting->habit == other->habit && sighting->rules == other->rules &&
	       sighting->user_id == other->user_id && sighting->verified == other->verified;
}

static void keep_texts(struct gathered *gathered, const struct store_sighting *latest)
{
	g_strlcpy(gathered->client, latest->last_client, sizeof(gathered->client));
	g_strlcpy(gathered->whereabouts, latest->whereabouts, sizeof(gathered->whereabouts));
	gathered->sighting.last_client = gathered->client;
	gathered->sighting.whereabouts = gathered->whereabouts;
}

static void gather(struct gathered *gathered, const struct store_sighting *added)
{
	struct store_sighting *sum = &gathered->sighting;
	int64_t last_seen = MAX(sum->last_seen, added->last_seen);
	int64_t week = store_week(last_seen), span;

	sum->count += added->count;
	sum->rejected += added->rejected;
	sum->weeks = seen_weeks(sum, week) | seen_weeks(added, week);
	if (added->last_seen >= sum->last_seen) {
		keep_texts(gathered, added);
		sum->tls_below = added->tls_below;
	}
	sum->first_seen = MIN(sum->first_seen, added->first_seen);
	sum->last_seen = last_seen;
	span = last_seen / MILLISECONDS_A_DAY - sum->first_seen / MILLISECONDS_A_DAY + 1;
	sum->days = MIN(sum->days + added->days, (uint64_t)span);
}

/* What is needed to give them out. */
struct giving {
	struct store *store;
	const struct store_filter *filter;
	store_visit_sighting *visit;
	void *context;
	struct names names;
	struct gathered gathered;
	bool fine; /* the store does not fail */
};

/* Gives what was gathered; false: no more is wanted, or the store fails. */
static bool give(struct giving *giving)
{
	struct store_sighting *sighting = &giving->gathered.sighting;
	bool wanted = sighting->habit != NULL && sighting->last_seen >= giving->filter->since;

	if (wanted && giving->names.row != NULL)
		giving->fine = find_name(giving->store, &giving->names, sighting->user_id,
					 &sighting->user);
	if (!giving->fine || (wanted && !giving->visit(giving->context, sighting)))
		return false;
	sighting->habit = NULL;
	return true;
}

static bool take(struct giving *giving, const struct store_sighting *sighting)
{
	if (giving->gathered.sighting.habit != NULL &&
	    is_same(&giving->gathered.sighting, sighting)) {
		gather(&giving->gathered, sighting);
		return true;
	}
	if (!give(giving))
		return false;
	giving->gathered.sighting = *sighting;
	keep_texts(&giving->gathered, sighting);
	return true;
}

bool store_sqlite_each_sighting(struct store *store, const struct store_filter *filter,
				store_visit_sighting *visit, void *context)
{
	bool *chosen = choose_rule_sets(store, filter);
	sqlite3_stmt *row = select_sightings(store, filter);
	struct giving giving = {
		.store = store, .filter = filter, .visit = visit, .context = context};
	struct store_sighting sighting;
	bool more = giving.fine = begin_names(store, filter, &giving.names);
	int step = 0;

	while (more && (step = store_sqlite_step(store, row)) > 0)
		more = !read_sighting(store, row, filter, chosen, &sighting) ||
		       take(&giving, &sighting);
	if (more && step == 0)
		give(&giving);
	sqlite3_reset(giving.names.row);
	sqlite3_reset(row);
	g_free(chosen);
	return giving.fine && step >= 0;
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
