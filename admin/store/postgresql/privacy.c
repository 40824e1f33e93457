#include "postgresql.h"

/* An expiry that removes the same rows may be in the way. */
#define FORGET_TRIALS 10

/* Runs SQL with a name. *found: set when it changed anything. */
static bool run_with_name(struct store *store, const char *sql, const char *name, bool *found)
{
	struct parameters parameters = {0};
	int64_t changed = 0;

	parameter_add_text(&parameters, name);
	if (!postgresql_change(store, sql, &parameters, &changed))
		return false;
	*found |= changed > 0;
	return true;
}

/* Habits and rule sets of others do not go with him; his alone do. */
static bool remove_user(struct store *store, const char *user, bool *found)
{
	bool ignored = false;

	return run_with_name(store,
			     "CREATE TEMPORARY TABLE forgotten ON COMMIT DROP AS SELECT DISTINCT"
			     " habit, rules FROM portcullis.sightings WHERE user_id ="
			     " (SELECT id FROM portcullis.users WHERE name = $1)",
			     user, &ignored) &&
	       run_with_name(store,
			     "DELETE FROM portcullis.sightings WHERE user_id ="
			     " (SELECT id FROM portcullis.users WHERE name = $1)",
			     user, found) &&
	       run_with_name(store, "DELETE FROM portcullis.users WHERE name = $1", user, found) &&
	       postgresql_execute(store,
				  "DELETE FROM portcullis.habits h WHERE id IN (SELECT habit"
				  " FROM forgotten) AND NOT EXISTS (SELECT 1"
				  " FROM portcullis.sightings WHERE habit = h.id);"
				  "DELETE FROM portcullis.rule_sets r WHERE id IN (SELECT rules"
				  " FROM forgotten) AND NOT EXISTS (SELECT 1"
				  " FROM portcullis.sightings WHERE rules = r.id)");
}

/* What is not told of yet, of which importers that run take notice. */
static bool remove_connections(struct store *store, const char *user, bool *found)
{
	return run_with_name(store,
			     "UPDATE portcullis.log_joins SET change = change + 1 WHERE host IN"
			     " (SELECT host FROM portcullis.log_connections WHERE user_name = $1)",
			     user, found) &&
	       run_with_name(store, "DELETE FROM portcullis.log_connections WHERE user_name = $1",
			     user, found);
}

/* His lines; importers take them out of what their servers read. */
static bool remove_grace(struct store *store, const char *user, bool *found)
{
	return run_with_name(
		store,
		"UPDATE portcullis.shared_texts SET version = version + 1, changed = now(), text ="
		" (SELECT convert_to(coalesce(string_agg(line || E'\\n', '' ORDER BY place), ''), "
		"'UTF8')"
		"  FROM regexp_split_to_table(rtrim(convert_from(text, 'UTF8'), E'\\n'), E'\\n')"
		"  WITH ORDINALITY AS l (line, place) WHERE NOT starts_with(line, $1 || ' '))"
		" WHERE name = 'grace' AND strpos(E'\\n' || convert_from(text, 'UTF8'),"
		"  E'\\n' || $1 || ' ') > 0",
		user, found);
}

static bool forget(struct store *store, const char *user, int64_t before, bool *found)
{
	if (!postgresql_begin_forgetting(store))
		return false;
	if (postgresql_lock(store, LOCK_DICTIONARIES) && postgresql_order(store, user, before) &&
	    remove_user(store, user, found) &&
	    run_with_name(store, "DELETE FROM portcullis.notices WHERE user_name = $1", user,
			  found) &&
	    remove_connections(store, user, found) && remove_grace(store, user, found))
		return postgresql_commit(store);
	postgresql_rollback(store);
	return false;
}

bool postgresql_forget(struct store *store, const char *user, int64_t before, bool *found_r,
		       bool *wiped_r)
{
	int trials = 0;

	/* What the server's files still have of it, its vacuum overwrites. */
	*wiped_r = true;
	do {
		*found_r = false;
		if (forget(store, user, before, found_r))
			return true;
	} while (store->failure.again && ++trials < FORGET_TRIALS);
	return false;
}
