#include "batch.h"

#include <string.h>

#include "admin/store/store-week.h"

/* So many rows are sent at once; the transaction goes on. */
#define BATCH_ROWS_MAX 50000

/* ---- what it is made of ---- */

static void free_entry(gpointer pointer)
{
	struct batch_entry *entry = pointer;

	g_free(entry->text);
	g_free(entry);
}

static void free_habit(gpointer pointer)
{
	struct batch_habit *habit = pointer;

	g_free(habit->mechanism);
	g_free(habit->client_id);
	free_entry(&habit->entry);
}

static void free_row(gpointer pointer)
{
	struct batch_row *row = pointer;

	g_free(row->client);
	g_free(row->whereabouts);
	g_free(row);
}

static void begin_entries(struct batch_entries *entries_r, GDestroyNotify free_one)
{
	entries_r->all = g_ptr_array_new_with_free_func(free_one);
	entries_r->by_text = g_hash_table_new(g_str_hash, g_str_equal);
	entries_r->by_id = g_hash_table_new(g_int64_hash, g_int64_equal);
}

static void clear_entries(struct batch_entries *entries)
{
	g_hash_table_remove_all(entries->by_text);
	g_hash_table_remove_all(entries->by_id);
	g_ptr_array_set_size(entries->all, 0);
}

static void end_entries(struct batch_entries *entries)
{
	g_hash_table_unref(entries->by_text);
	g_hash_table_unref(entries->by_id);
	g_ptr_array_unref(entries->all);
}

/* The pointers stand for what they point to: each is there once. */
static guint hash_key(gconstpointer pointer)
{
	const struct batch_key *key = pointer;
	guint hash = g_direct_hash(key->user) >> 4;

	hash = hash * 31 + (g_direct_hash(key->habit) >> 4);
	hash = hash * 31 + (g_direct_hash(key->rules) >> 4);
	return ((hash * 31 + (guint)key->server) * 31 + (guint)key->day) * 31 + key->verified;
}

static gboolean equal_keys(gconstpointer left, gconstpointer right)
{
	const struct batch_key *one = left, *other = right;

	return one->user == other->user && one->habit == other->habit &&
	       one->rules == other->rules && one->verified == other->verified &&
	       one->server == other->server && one->day == other->day;
}

struct batch *batch_create(void)
{
	struct batch *batch = g_new0(struct batch, 1);

	begin_entries(&batch->users, free_entry);
	begin_entries(&batch->habits, free_habit);
	begin_entries(&batch->rules, free_entry);
	batch->rows = g_ptr_array_new_with_free_func(free_row);
	batch->rows_by_key = g_hash_table_new(hash_key, equal_keys);
	batch->covered = g_array_new(FALSE, FALSE, sizeof(struct batch_key));
	return batch;
}

void batch_clear(struct batch *batch)
{
	g_hash_table_remove_all(batch->rows_by_key);
	g_ptr_array_set_size(batch->rows, 0);
	g_array_set_size(batch->covered, 0);
	clear_entries(&batch->users);
	clear_entries(&batch->habits);
	clear_entries(&batch->rules);
	batch->nobody = NULL;
}

void batch_free(struct batch *batch)
{
	g_hash_table_unref(batch->rows_by_key);
	g_ptr_array_unref(batch->rows);
	g_array_unref(batch->covered);
	end_entries(&batch->users);
	end_entries(&batch->habits);
	end_entries(&batch->rules);
	g_free(batch);
}

/* ---- users, habits and rule sets ---- */

/* Finds the entry of a text, which is taken over, or adds one of that size. */
static void *find_or_add(struct batch_entries *entries, char *text, size_t size)
{
	struct batch_entry *entry = g_hash_table_lookup(entries->by_text, text);

	if (entry != NULL) {
		g_free(text);
		return entry;
	}
	entry = g_malloc0(size);
	entry->text = text;
	g_ptr_array_add(entries->all, entry);
	g_hash_table_insert(entries->by_text, text, entry);
	return entry;
}

/* The same of an id. */
static void *find_or_add_id(struct batch_entries *entries, int64_t id, size_t size)
{
	struct batch_entry *entry = g_hash_table_lookup(entries->by_id, &id);

	if (entry != NULL)
		return entry;
	entry = g_malloc0(size);
	entry->id = id;
	g_ptr_array_add(entries->all, entry);
	g_hash_table_insert(entries->by_id, &entry->id, entry);
	return entry;
}

static struct batch_user *nobody(struct batch *batch)
{
	if (batch->nobody == NULL) {
		batch->nobody = g_new0(struct batch_user, 1);
		g_ptr_array_add(batch->users.all, batch->nobody);
	}
	return batch->nobody;
}

struct batch_user *batch_user(struct batch *batch, const char *name, bool verified)
{
	struct batch_user *user;

	if (name == NULL)
		return nobody(batch);
	user = find_or_add(&batch->users, text_as_stored(name), sizeof(*user));
	user->verified |= verified;
	return user;
}

struct batch_habit *batch_habit(struct batch *batch, const struct store_habit *habit,
				const char *client_id)
{
	char *mechanism = text_as_stored(habit->mechanism);
	char *program = text_as_stored(client_id);
	char *key = g_strdup_printf("%d %d %d %d %d %d %s %s\n%s", habit->source, habit->service,
				    habit->port, habit->tls, habit->tls_version, habit->of_log,
				    habit->country.code, mechanism, program);
	struct batch_habit *found = find_or_add(&batch->habits, key, sizeof(*found));

	if (found->mechanism != NULL) {
		g_free(mechanism);
		g_free(program);
		return found;
	}
	found->habit = *habit;
	found->mechanism = mechanism;
	found->client_id = program;
	return found;
}

struct batch_rules *batch_rules(struct batch *batch, const struct store_rule_set *rules)
{
	return find_or_add(&batch->rules, store_rule_set_format(rules), sizeof(struct batch_rules));
}

struct batch_key batch_key_of_ids(struct batch *batch, int64_t user, bool verified, int64_t habit,
				  int64_t rules)
{
	return (struct batch_key){
		.user = user == STORE_NOBODY
				? nobody(batch)
				: find_or_add_id(&batch->users, user, sizeof(struct batch_user)),
		.habit = find_or_add_id(&batch->habits, habit, sizeof(struct batch_habit)),
		.rules = find_or_add_id(&batch->rules, rules, sizeof(struct batch_rules)),
		.verified = verified,
	};
}

/* ---- adding up ---- */

static bool is_within(int64_t day, int64_t first, int64_t last)
{
	return day >= first && day <= last;
}

/* How many days a row was not seen on before: those outside of what it spans, or one of a week
   of which nothing was known. */
static uint64_t new_days(const struct store_sighting *sum, const struct store_sighting *added)
{
	int64_t first = sum->first_seen / MILLISECONDS_A_DAY;
	int64_t last = sum->last_seen / MILLISECONDS_A_DAY;
	int64_t from = added->first_seen / MILLISECONDS_A_DAY;
	int64_t to = added->last_seen / MILLISECONDS_A_DAY;
	int64_t weeks = store_week(sum->last_seen) - store_week(added->last_seen), most;

	if (from >= first && to <= last)
		return weeks > 63 || (sum->weeks >> weeks & 1) == 0;
	most = (int64_t)added->days - is_within(from, first, last) - is_within(to, first, last);
	return (uint64_t)MIN(MAX(0, to - last) + MAX(0, first - from), MAX(1, most));
}

static void keep_latest(struct batch_row *row, const struct store_sighting *added)
{
	g_free(row->client);
	g_free(row->whereabouts);
	row->client = added->last_client[0] == '\0' ? NULL : g_strdup(added->last_client);
	row->whereabouts = g_strdup(added->whereabouts);
	row->sum.tls_below = added->tls_below;
}

/* As the database adds it to a row of its own; see batch-flush.c. */
static void add_up(struct batch_row *row, const struct store_sighting *added)
{
	struct store_sighting *sum = &row->sum;
	int64_t last_seen = MAX(sum->last_seen, added->last_seen);
	int64_t week = store_week(last_seen);

	sum->count += added->count;
	sum->rejected += added->rejected;
	sum->days += new_days(sum, added);
	sum->weeks = seen_weeks(sum, week) | seen_weeks(added, week);
	if (added->last_seen >= sum->last_seen)
		keep_latest(row, added);
	sum->first_seen = MIN(sum->first_seen, added->first_seen);
	sum->last_seen = last_seen;
}

struct batch_row *batch_add(struct batch *batch, const struct batch_key *key,
			    const struct store_sighting *sighting)
{
	struct batch_row *row = g_hash_table_lookup(batch->rows_by_key, key);

	if (row != NULL) {
		add_up(row, sighting);
		return row;
	}
	row = g_new0(struct batch_row, 1);
	row->key = *key;
	row->sum = *sighting;
	keep_latest(row, sighting);
	g_ptr_array_add(batch->rows, row);
	g_hash_table_insert(batch->rows_by_key, &row->key, row);
	return row;
}

static void take_out(struct batch *batch, struct batch_row *row)
{
	g_hash_table_remove(batch->rows_by_key, &row->key);
	row->is_gone = true;
}

void batch_cover(struct batch *batch, const struct batch_key *key)
{
	struct batch_row *row = g_hash_table_lookup(batch->rows_by_key, key);

	if (row != NULL)
		take_out(batch, row);
	g_array_append_val(batch->covered, *key);
}

void batch_move(struct batch *batch, struct batch_row *row, const struct batch_key *key)
{
	struct store_sighting sum = row->sum;

	sum.last_client = row->client == NULL ? "" : row->client;
	sum.whereabouts = row->whereabouts;
	take_out(batch, row);
	batch_add(batch, key, &sum);
}

/* ---- the whole ---- */

/* What logs tell is held against what was sent. */
static bool make_room(struct store *store, int64_t server)
{
	struct batch *batch = store_postgresql(store)->batch;
	bool of_logs = server != 0;
	bool fine = (batch->of_logs == of_logs &&
		     batch->rows->len + batch->covered->len < BATCH_ROWS_MAX) ||
		    postgresql_flush(store);

	fine = fine && (!of_logs || postgresql_send_covers_of(store, server));

	batch->of_logs = of_logs;
	return fine;
}

static bool add_of_log(struct store *store, struct batch_key *key,
		       const struct store_sighting *sighting)
{
	struct batch *batch = store_postgresql(store)->batch;
	/* A version of TLS only logs know. */
	int covered = sighting->tls_below == TLS_VERSION_UNKNOWN
			      ? postgresql_is_covered(store, sighting)
			      : 0;

	if (covered < 0)
		return false;
	if (covered > 0 || !sighting->settled) {
		key->server = sighting->server;
		key->day = sighting->last_seen / MILLISECONDS_A_DAY;
	}
	/* What was added of that day for the same way counts by it, too. */
	if (covered > 0)
		batch_cover(batch, key);
	else
		batch_add(batch, key, sighting);
	return true;
}

/* Of logins that are told of together, the last one is all whose time is known. */
static struct store_sighting last_of(const struct store_sighting *sighting)
{
	struct store_sighting last = *sighting;

	last.first_seen = last.last_seen;
	last.count = MIN(1, last.count);
	last.rejected = MIN(1, last.rejected);
	last.weeks = last.days = 1;
	return last;
}

static bool add(struct store *store, const struct store_sighting *sighting)
{
	struct batch *batch = store_postgresql(store)->batch;
	struct batch_key key;

	if (!make_room(store, sighting->server))
		return false;
	key = (struct batch_key){
		.user = batch_user(batch, sighting->user, sighting->verified),
		.habit = batch_habit(batch, sighting->habit,
				     sighting->user == NULL ? "" : sighting->habit->client_id),
		.rules = batch_rules(batch, sighting->rules),
		.verified = sighting->verified,
	};
	if (sighting->server != 0)
		return add_of_log(store, &key, sighting);
	batch_add(batch, &key, sighting);
	return true;
}

/* What is to be forgotten is not recorded. */
bool postgresql_add(struct store *store, const struct store_sighting *sighting)
{
	int64_t before = 0;
	int ordered = postgresql_find_order(store, sighting->user, &before);
	struct store_sighting last;

	if (ordered < 0)
		return false;
	if (ordered == 0 || sighting->first_seen >= before)
		return add(store, sighting);
	if (sighting->last_seen < before)
		return true;
	last = last_of(sighting);
	return add(store, &last);
}
