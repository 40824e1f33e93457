#include "store-notices.h"
#include "store-sqlite.h"

bool store_put_notice(struct store *store, struct store_notice *notice)
{
	sqlite3_stmt *row = store_statement(store, notice->id == 0 ? STATEMENT_ADD_NOTICE
								   : STATEMENT_UPDATE_NOTICE);

	if (row == NULL)
		return false;
	store_bind_text(row, 1, notice->user);
	store_bind_text(row, 2, notice->recipient);
	store_bind_text(row, 3, notice->message_id);
	store_bind_text(row, 4, notice_reason_name(notice->reason));
	store_bind_text(row, 5, notice->rules);
	sqlite3_bind_int(row, 6, notice->state);
	sqlite3_bind_int64(row, 7, notice->intended);
	sqlite3_bind_int64(row, 8, notice->settled);
	sqlite3_bind_int64(row, 9, notice->attempts);
	store_bind_text(row, 10, notice->error);
	if (notice->id != 0)
		sqlite3_bind_int64(row, 11, notice->id);
	if (!store_run(store, row))
		return false;
	if (notice->id == 0)
		notice->id = sqlite3_last_insert_rowid(store->database);
	return true;
}

static const char *column_text(sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	return text == NULL ? "" : text;
}

static struct store_notice read_notice(sqlite3_stmt *row)
{
	struct store_notice notice = {
		.id = sqlite3_column_int64(row, 0),
		.user = column_text(row, 1),
		.recipient = column_text(row, 2),
		.message_id = column_text(row, 3),
		.rules = column_text(row, 5),
		.intended = sqlite3_column_int64(row, 7),
		.settled = sqlite3_column_int64(row, 8),
		.attempts = (unsigned int)sqlite3_column_int64(row, 9),
		.error = column_text(row, 10),
	};
	int state = sqlite3_column_int(row, 6);

	/* Unknown only in a store that someone has written to by hand. */
	notice_reason_from_name(column_text(row, 4), &notice.reason);
	notice.state =
		state < 0 || state >= NOTICE_STATE_COUNT ? NOTICE_FAILED : (enum notice_state)state;
	return notice;
}

bool store_each_notice(struct store *store, const char *user, store_visit_notice *visit,
		       void *context)
{
	sqlite3_stmt *row = store_statement(store, user == NULL ? STATEMENT_ALL_NOTICES
								: STATEMENT_NOTICES_OF_USER);
	int step;

	if (row == NULL)
		return false;
	if (user != NULL)
		store_bind_text(row, 1, user);
	while ((step = store_step(store, row)) > 0) {
		struct store_notice notice = read_notice(row);

		if (!visit(context, &notice))
			break;
	}
	sqlite3_reset(row);
	return step >= 0;
}

bool store_count_notices(struct store *store, int64_t after, int64_t until, uint64_t *count_r)
{
	sqlite3_stmt *row = store_statement(store, STATEMENT_COUNT_NOTICES);
	int step;

	if (row == NULL)
		return false;
	sqlite3_bind_int(row, 1, NOTICE_HANDED_OVER);
	sqlite3_bind_int64(row, 2, after);
	sqlite3_bind_int64(row, 3, until);
	step = store_step(store, row);
	if (step > 0)
		*count_r = (uint64_t)sqlite3_column_int64(row, 0);
	sqlite3_reset(row);
	return step > 0;
}
