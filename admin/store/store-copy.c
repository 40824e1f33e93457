#include "store-copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>

#include "store-backend.h"

/* Each store has a copy.c that knows which columns these are. */
const char *const store_table_columns[STORE_TABLE_COUNT] = {
	[TABLE_HABITS] = "iiiiitttib",    [TABLE_RULE_SETS] = "il",
	[TABLE_USERS] = "itbdib",         [TABLE_SIGHTINGS] = "ibiiidiiTTiitti",
	[TABLE_SERVERS] = "itii",         [TABLE_NAMED_TLS] = "iiT",
	[TABLE_COVERAGE] = "idTT",        [TABLE_DAYS] = "diiiiiib",
	[TABLE_WRITERS] = "tiiiTtT",      [TABLE_TOTALS] = "Tiii",
	[TABLE_HOSTS] = "tttttTtTiTiT",   [TABLE_FILES] = "iliiiiibT",
	[TABLE_LOGS] = "ilxiiliiiiiiT",   [TABLE_LOG_JOINS] = "ii",
	[TABLE_LOG_SERVICES] = "ttbb",    [TABLE_LOG_CONNECTIONS] = "ittTiitTibbtt",
	[TABLE_NOTICES] = "itlllliTTill", [TABLE_SHARED_TEXTS] = "tixTT",
	[TABLE_TAKEN_IN] = "T",
};

const char *const store_table_names[STORE_TABLE_COUNT] = {
	[TABLE_HABITS] = "habits",
	[TABLE_RULE_SETS] = "rule_sets",
	[TABLE_USERS] = "users",
	[TABLE_SIGHTINGS] = "sightings",
	[TABLE_SERVERS] = "servers",
	[TABLE_NAMED_TLS] = "named_tls",
	[TABLE_COVERAGE] = "coverage",
	[TABLE_DAYS] = "days",
	[TABLE_WRITERS] = "writers",
	[TABLE_TOTALS] = "totals",
	[TABLE_HOSTS] = "hosts",
	[TABLE_FILES] = "files",
	[TABLE_LOGS] = "logs",
	[TABLE_LOG_JOINS] = "log_joins",
	[TABLE_LOG_SERVICES] = "log_services",
	[TABLE_LOG_CONNECTIONS] = "log_connections",
	[TABLE_NOTICES] = "notices",
	[TABLE_SHARED_TEXTS] = "shared_texts",
	[TABLE_TAKEN_IN] = "taken_in",
};

bool store_read_table(struct store *store, enum store_table table, store_visit_row *visit,
		      void *context)
{
	return store->backend->read_table(store, table, visit, context);
}

bool store_count_table(struct store *store, enum store_table table, int64_t *count_r)
{
	return store->backend->count_table(store, table, count_r);
}

bool store_write_row(struct store *store, enum store_table table, const struct store_value values[])
{
	return store->backend->write_row(store, table, values);
}

bool store_end_copy(struct store *store)
{
	return store->backend->end_copy(store);
}

/* ---- the whole ---- */

struct copy {
	struct store *from, *to;
	void (*progress)(void *context);
	void *context;
	struct store *failed; /* NULL: none */
	enum store_table table;
	int64_t rows; /* of the table */
};

static bool fail(struct copy *copy, struct store *store)
{
	copy->failed = store;
	return false;
}

static bool write_row(void *context, const struct store_value values[])
{
	struct copy *copy = context;

	copy->rows++;
	if (copy->progress != NULL)
		copy->progress(copy->context);
	return store_write_row(copy->to, copy->table, values) || fail(copy, copy->to);
}

/* An importer writes them where it has nothing to import, too. */
static bool is_never_empty(enum store_table table)
{
	return table == TABLE_TOTALS || table == TABLE_LOG_JOINS || table == TABLE_HOSTS;
}

static bool is_empty(struct copy *copy, enum store_table table)
{
	int64_t count;

	if (is_never_empty(table))
		return true;
	if (!store_count_table(copy->to, table, &count))
		return fail(copy, copy->to);
	if (count == 0)
		return true;
	store_fail(copy->to, EX_CANTCREAT, "it is not empty; copy into a new store");
	return fail(copy, copy->to);
}

static bool copy_table(struct copy *copy, enum store_table table)
{
	copy->table = table;
	copy->rows = 0;
	if (!is_empty(copy, table))
		return false;
	if (!store_read_table(copy->from, table, write_row, copy) && copy->failed == NULL)
		return fail(copy, copy->from);
	return copy->failed == NULL;
}

static bool compare(struct copy *copy, enum store_table table)
{
	int64_t before, after;
	char text[200];

	if (!store_count_table(copy->from, table, &before))
		return fail(copy, copy->from);
	if (!store_count_table(copy->to, table, &after))
		return fail(copy, copy->to);
	if (before == after || (before < after && is_never_empty(table)))
		return true;
	snprintf(text, sizeof(text),
		 "of %" PRId64 " rows of %s, it has %" PRId64 "; nothing is kept", before,
		 store_table_names[table], after);
	store_fail(copy->to, EX_SOFTWARE, text);
	return fail(copy, copy->to);
}

static bool note_order(void *context, const struct store_order *order)
{
	(void)order;
	*(bool *)context = true;
	return false;
}

/* Hosts that import into the other one then would know nothing of an order. */
static bool check_orders(struct copy *copy)
{
	bool is_open = false;

	if (!store_each_order(copy->from, note_order, &is_open))
		return fail(copy, copy->from);
	if (!is_open)
		return true;
	store_fail(copy->from, EX_TEMPFAIL,
		   "hosts are still to forget somebody; 'portcullis store check' names them");
	return fail(copy, copy->from);
}

static bool copy_all(struct copy *copy)
{
	if (!check_orders(copy))
		return false;
	for (enum store_table table = 0; table < STORE_TABLE_COUNT; table++) {
		if (!copy_table(copy, table))
			return false;
	}
	if (!store_end_copy(copy->to))
		return fail(copy, copy->to);
	for (enum store_table table = 0; table < STORE_TABLE_COUNT; table++) {
		if (!compare(copy, table))
			return false;
	}
	return store_commit(copy->to) || fail(copy, copy->to);
}

bool store_copy(struct store *from, struct store *to, void (*progress)(void *context),
		void *context, struct store **told)
{
	struct copy copy = {.from = from, .to = to, .progress = progress, .context = context};
	bool fine;

	if (!store_begin_reading(from)) {
		*told = from;
		return false;
	}
	fine = (store_begin(to) || fail(&copy, to)) && copy_all(&copy);
	if (!fine)
		store_rollback(to);
	store_rollback(from);
	*told = copy.failed;
	return fine;
}
