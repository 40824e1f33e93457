#include "last-look.h"

/* Who covers a time does not see what another importer adds of it in a transaction of its own,
   and that one does not see what is covered. So at its end, each looks once more, under a lock
   that it holds from there to COMMIT: whoever is second sees the first. Those who cover do not
   see each other's rows, and share it; who adds what waits is alone.

   It is the last lock of a transaction, and nobody who has it waits: rows that others hold are
   passed over, as they look themselves later on. So it is held for a moment, and nobody waits for
   who waits for him. */

struct last_look {
	GHashTable *witnesses, *logs; /* ids of servers that covered, and of whose rows wait */
	int64_t first, last;          /* days */
};

struct last_look *last_look_create(void)
{
	struct last_look *look = g_new0(struct last_look, 1);

	look->witnesses = g_hash_table_new(NULL, NULL);
	look->logs = g_hash_table_new(NULL, NULL);
	last_look_clear(look);
	return look;
}

void last_look_free(struct last_look *look)
{
	g_hash_table_unref(look->witnesses);
	g_hash_table_unref(look->logs);
	g_free(look);
}

void last_look_clear(struct last_look *look)
{
	g_hash_table_remove_all(look->witnesses);
	g_hash_table_remove_all(look->logs);
	look->first = INT64_MAX;
	look->last = INT64_MIN;
}

static void note(struct last_look *look, GHashTable *servers, int64_t server, int64_t first,
		 int64_t last)
{
	g_hash_table_add(servers, GINT_TO_POINTER((int)server));
	look->first = MIN(look->first, first);
	look->last = MAX(look->last, last);
}

/* What worse witnesses told may reach into the day after it. */
void last_look_at_witness(struct last_look *look, int64_t server, int64_t day)
{
	note(look, look->witnesses, server, day, day + 1);
}

void last_look_at_log(struct last_look *look, int64_t server, int64_t day)
{
	note(look, look->logs, server, day, day);
}

static void add_ids(GString *sql, GHashTable *servers)
{
	const char *separator = "";
	GHashTableIter iter;
	gpointer id;

	g_string_append(sql, "'{");
	g_hash_table_iter_init(&iter, servers);
	while (g_hash_table_iter_next(&iter, &id, NULL)) {
		g_string_append_printf(sql, "%s%d", separator, GPOINTER_TO_INT(id));
		separator = ",";
	}
	g_string_append(sql, "}'::integer[]");
}

/* Two statements, as the second one must see what was committed until it had the lock; in one
   message, as this is done for each batch. */
bool postgresql_look_last(struct store *store)
{
	const struct last_look *look = store_postgresql(store)->last_look;
	bool alone = g_hash_table_size(look->logs) > 0;
	GString *sql;
	bool fine;

	if (!alone && g_hash_table_size(look->witnesses) == 0)
		return true;
	sql = g_string_new(NULL);
	g_string_append_printf(sql, "SELECT pg_advisory_xact_lock%s(" LOCK_CLASS ", %d);",
			       alone ? "" : "_shared", LOCK_COVERAGE);
	g_string_append(sql, "SELECT portcullis.remove_covered_at_last(servers.ids,");
	g_string_append_printf(sql, " DATE '1970-01-01' + %d, DATE '1970-01-01' + %d)",
			       (int)look->first, (int)look->last);
	g_string_append(sql, " FROM (SELECT " WORSE_THAN_BEGIN);
	add_ids(sql, look->witnesses);
	g_string_append(sql, WORSE_THAN_END " || ");
	add_ids(sql, look->logs);
	g_string_append(sql, " AS ids) servers WHERE servers.ids <> '{}'");
	fine = postgresql_execute(store, sql->str);
	g_string_free(sql, TRUE);
	return fine;
}
