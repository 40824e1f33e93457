#include "sqlite.h"

#define NOTICE_COLUMNS                                                                             \
	"user, recipient, message_id, reason, rules, state, intended, settled, attempts, error, "  \
	"dates"

/* Binds ?1 to ?11. */
static sqlite3_stmt *bind_notice(sqlite3_stmt *statement, const struct store_notice *notice)
{
	store_sqlite_bind_text(statement, 1, notice->user);
	store_sqlite_bind_text(statement, 2, notice->recipient);
	store_sqlite_bind_text(statement, 3, notice->message_id);
	store_sqlite_bind_text(statement, 4, notice_reason_name(notice->reason));
	store_sqlite_bind_text(statement, 5, notice->rules);
	sqlite3_bind_int(statement, 6, notice->state);
	sqlite3_bind_int64(statement, 7, notice->intended);
	sqlite3_bind_int64(statement, 8, notice->settled);
	sqlite3_bind_int64(statement, 9, notice->attempts);
	store_sqlite_bind_text(statement, 10, notice->error);
	store_sqlite_bind_text(statement, 11, notice->dates);
	return statement;
}

static bool note_told(struct store *store, const char *user)
{
	sqlite3_stmt *update = store_sqlite_statement(
		store, "UPDATE users SET told = 1 WHERE name = ?1 AND told = 0");

	store_sqlite_bind_text(update, 1, user);
	return store_sqlite_run(store, update);
}

static bool add_notice(struct store *store, struct store_notice *notice)
{
	sqlite3_stmt *addition =
		store_sqlite_statement(store, "INSERT INTO notices (" NOTICE_COLUMNS ")"
					      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
					      " ?11)");

	return store_sqlite_insert(store, bind_notice(addition, notice), &notice->id) &&
	       note_told(store, notice->user);
}

bool store_sqlite_put_notice(struct store *store, struct store_notice *notice)
{
	sqlite3_stmt *update;

	if (notice->id == 0)
		return add_notice(store, notice);
	update = store_sqlite_statement(
		store, "UPDATE notices SET recipient = ?2, reason = ?4, rules = ?5, state = ?6,"
		       " intended = ?7, settled = ?8, attempts = ?9, error = ?10, dates = ?11"
		       " WHERE id = ?12 AND state = ?13");
	bind_notice(update, notice);
	sqlite3_bind_int64(update, 12, notice->id);
	sqlite3_bind_int(update, 13, NOTICE_INTENDED);
	return store_sqlite_run(store, update);
}

static struct store_notice read_notice(sqlite3_stmt *row)
{
	struct store_notice notice = {
		.id = sqlite3_column_int64(row, 0),
		.user = store_sqlite_column_text(row, 1),
		.recipient = store_sqlite_column_text(row, 2),
		.message_id = store_sqlite_column_text(row, 3),
		.rules = store_sqlite_column_text(row, 5),
		.intended = sqlite3_column_int64(row, 7),
		.settled = sqlite3_column_int64(row, 8),
		.attempts = (unsigned int)sqlite3_column_int64(row, 9),
		.error = store_sqlite_column_text(row, 10),
		.dates = store_sqlite_column_text(row, 11),
	};
	int state = sqlite3_column_int(row, 6);

	/* Unknown only in a store that someone has written to by hand. */
	notice_reason_from_name(store_sqlite_column_text(row, 4), &notice.reason);
	notice.state =
		state < 0 || state >= NOTICE_STATE_COUNT ? NOTICE_FAILED : (enum notice_state)state;
	return notice;
}

static sqlite3_stmt *select_notices(struct store *store, const char *user)
{
	sqlite3_stmt *row;

	if (user == NULL)
		return store_sqlite_statement(store, "SELECT id, " NOTICE_COLUMNS
						     " FROM notices ORDER BY id");
	row = store_sqlite_statement(store, "SELECT id, " NOTICE_COLUMNS
					    " FROM notices WHERE user = ?1 ORDER BY id");
	store_sqlite_bind_text(row, 1, user);
	return row;
}

static bool visit_rows(struct store *store, sqlite3_stmt *row, store_visit_notice *visit,
		       void *context)
{
	int step;

	while ((step = store_sqlite_step(store, row)) > 0) {
		struct store_notice notice = read_notice(row);

		if (!visit(context, &notice))
			break;
	}
	sqlite3_reset(row);
	return step >= 0;
}

bool store_sqlite_each_notice(struct store *store, const char *user, store_visit_notice *visit,
			      void *context)
{
	return visit_rows(store, select_notices(store, user), visit, context);
}

bool store_sqlite_find_notice(struct store *store, const char *message_id,
			      store_visit_notice *visit, void *context)
{
	sqlite3_stmt *row = store_sqlite_statement(
		store, "SELECT id, " NOTICE_COLUMNS " FROM notices WHERE message_id = ?1 LIMIT 1");

	store_sqlite_bind_text(row, 1, message_id);
	return visit_rows(store, row, visit, context);
}

bool store_sqlite_fail_notice(struct store *store, int64_t id, int64_t now, const char *error)
{
	sqlite3_stmt *update = store_sqlite_statement(
		store, "UPDATE notices SET state = ?2, error = ?3,"
		       " settled = CASE settled WHEN 0 THEN ?4 ELSE settled END WHERE id = ?1");

	sqlite3_bind_int64(update, 1, id);
	sqlite3_bind_int(update, 2, NOTICE_FAILED);
	store_sqlite_bind_text(update, 3, error);
	sqlite3_bind_int64(update, 4, now);
	return store_sqlite_run(store, update);
}

bool store_sqlite_count_notices(struct store *store, int64_t after, int64_t until,
				uint64_t *count_r)
{
	sqlite3_stmt *statement = store_sqlite_statement(
		store, "SELECT count(*) FROM notices"
		       " WHERE state IN (?1, ?4) AND settled > ?2 AND settled <= ?3");
	int64_t count;

	sqlite3_bind_int(statement, 1, NOTICE_HANDED_OVER);
	sqlite3_bind_int64(statement, 2, after);
	sqlite3_bind_int64(statement, 3, until);
	sqlite3_bind_int(statement, 4, NOTICE_FAILED);
	if (store_sqlite_number(store, statement, &count) <= 0)
		return false;
	*count_r = (uint64_t)count;
	return true;
}
