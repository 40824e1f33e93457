#include <string.h>

#include "postgresql.h"

/* So many at once. */
#define NOTICES_AT_ONCE 5000

/* Two parameters more. */
static void add_hand(struct store *store, struct parameters *parameters,
		     const struct store_notice *notice)
{
	parameter_add_text(parameters, notice->in_hand ? store->host : NULL);
	parameter_add(parameters, PARAMETER_BOOLEAN, notice->in_hand);
}

/* $1 to $13. */
static void add_columns(struct store *store, struct parameters *parameters,
			const struct store_notice *notice)
{
	parameter_add_text(parameters, notice->user);
	parameter_add_long_text(parameters, notice->recipient);
	parameter_add_text(parameters, notice->message_id);
	parameter_add_text(parameters, notice_reason_name(notice->reason));
	parameter_add_long_text(parameters, notice->rules);
	parameter_add(parameters, PARAMETER_SMALLINT, notice->state);
	parameter_add(parameters, PARAMETER_TIME, notice->intended);
	parameter_add(parameters, PARAMETER_TIME, notice->settled);
	parameter_add(parameters, PARAMETER_INTEGER, notice->attempts);
	parameter_add_long_text(parameters, notice->error);
	parameter_add_long_text(parameters, notice->dates);
	add_hand(store, parameters, notice);
}

static bool note_told(struct store *store, const char *user)
{
	struct parameters parameters = {0};

	parameter_add_text(&parameters, user);
	return postgresql_run(
		store, "UPDATE portcullis.users SET told = true WHERE name = $1 AND NOT told",
		&parameters);
}

static bool add_notice(struct store *store, struct store_notice *notice)
{
	struct parameters parameters = {0};

	if (!note_told(store, notice->user))
		return false;
	add_columns(store, &parameters, notice);
	return postgresql_number(store,
				 "INSERT INTO portcullis.notices (" NOTICE_COLUMNS
				 ", in_hand_of, in_hand_since) VALUES ($1, $2, $3, $4, $5, $6, $7,"
				 " $8, $9, $10, $11, $12, CASE WHEN $13 THEN now() END)"
				 " RETURNING id",
				 &parameters, &notice->id) > 0;
}

bool postgresql_put_notice(struct store *store, struct store_notice *notice)
{
	struct parameters parameters = {0};

	if (notice->id == 0)
		return add_notice(store, notice);
	parameter_add(&parameters, PARAMETER_BIGINT, notice->id);
	parameter_add(&parameters, PARAMETER_SMALLINT, NOTICE_INTENDED);
	parameter_add_long_text(&parameters, notice->recipient);
	parameter_add_text(&parameters, notice_reason_name(notice->reason));
	parameter_add_long_text(&parameters, notice->rules);
	parameter_add(&parameters, PARAMETER_SMALLINT, notice->state);
	parameter_add(&parameters, PARAMETER_TIME, notice->intended);
	parameter_add(&parameters, PARAMETER_TIME, notice->settled);
	parameter_add(&parameters, PARAMETER_INTEGER, notice->attempts);
	parameter_add_long_text(&parameters, notice->error);
	parameter_add_long_text(&parameters, notice->dates);
	add_hand(store, &parameters, notice);
	return postgresql_run(store,
			      "UPDATE portcullis.notices SET recipient = $3, reason = $4,"
			      " rules = $5, state = $6, intended = $7, settled = $8, attempts = $9,"
			      " error = $10, dates = $11, in_hand_of = $12,"
			      " in_hand_since = CASE WHEN $13 THEN now() END"
			      " WHERE id = $1 AND state = $2",
			      &parameters);
}

static struct store_notice read_notice(struct store *store, const PGresult *result, int row)
{
	const char *in_hand_of = result_text(result, row, 12);
	struct store_notice notice = {
		.id = result_number(result, row, 0),
		.user = result_text(result, row, 1),
		.recipient = result_text(result, row, 2),
		.message_id = result_text(result, row, 3),
		.rules = result_text(result, row, 5),
		.intended = result_time(result, row, 7),
		.settled = result_time(result, row, 8),
		.attempts = (unsigned int)result_number(result, row, 9),
		.error = result_text(result, row, 10),
		.dates = result_text(result, row, 11),
		.in_hand = in_hand_of[0] != '\0' && strcmp(in_hand_of, store->host) != 0,
	};
	int64_t state = result_number(result, row, 6);

	/* Unknown only in a store that someone has written to by hand. */
	notice_reason_from_name(result_text(result, row, 4), &notice.reason);
	notice.state =
		state < 0 || state >= NOTICE_STATE_COUNT ? NOTICE_FAILED : (enum notice_state)state;
	return notice;
}

static bool visit_ahead(struct store *store, const PGresult *notices, int first, int count,
			store_visit_notice *visit, void *context)
{
	for (int i = first; i < first + count; i++) {
		struct store_notice notice = read_notice(store, notices, i);

		if (!visit(context, &notice))
			break;
	}
	return true;
}

/* Takes the result over. *last_r: the id of the last one; it is left alone when no more is
   wanted or there. False when the store has failed. */
static bool visit_rows(struct store *store, PGresult *result, store_visit_notice *visit,
		       void *context, int64_t *last_r, bool *more_r)
{
	*more_r = PQntuples(result) == NOTICES_AT_ONCE;
	for (int i = 0; i < PQntuples(result); i++) {
		struct store_notice notice = read_notice(store, result, i);

		*last_r = notice.id;
		if (!visit(context, &notice)) {
			*more_r = false;
			break;
		}
	}
	PQclear(result);
	return result != NULL;
}

bool postgresql_each_notice(struct store *store, const char *user, store_visit_notice *visit,
			    void *context)
{
	int64_t last = 0;
	bool more = true, fine = true;
	int first, count;
	const PGresult *ahead =
		user == NULL ? NULL : postgresql_notices_ahead(store, user, &first, &count);

	if (ahead != NULL)
		return visit_ahead(store, ahead, first, count, visit, context);
	while (fine && more) {
		struct parameters parameters = {0};

		parameter_add(&parameters, PARAMETER_BIGINT, last);
		parameter_add(&parameters, PARAMETER_INTEGER, NOTICES_AT_ONCE);
		if (user != NULL)
			parameter_add_text(&parameters, user);
		fine = visit_rows(
			store,
			postgresql_query(store,
					 user == NULL
						 ? "SELECT id, " NOTICE_READ_COLUMNS
						   " FROM portcullis.notices WHERE id > $1"
						   " ORDER BY id LIMIT $2"
						 : "SELECT id, " NOTICE_READ_COLUMNS
						   " FROM portcullis.notices WHERE user_name = $3"
						   " AND id > $1 ORDER BY id LIMIT $2",
					 &parameters),
			visit, context, &last, &more);
	}
	return fine;
}

bool postgresql_find_notice(struct store *store, const char *message_id, store_visit_notice *visit,
			    void *context)
{
	struct parameters parameters = {0};
	int64_t last;
	bool more;

	parameter_add_text(&parameters, message_id);
	return visit_rows(store,
			  postgresql_query(store,
					   "SELECT id, " NOTICE_READ_COLUMNS
					   " FROM portcullis.notices WHERE message_id = $1"
					   " ORDER BY id LIMIT 1",
					   &parameters),
			  visit, context, &last, &more);
}

bool postgresql_fail_notice(struct store *store, int64_t id, int64_t now, const char *error)
{
	struct parameters parameters = {0};

	parameter_add(&parameters, PARAMETER_BIGINT, id);
	parameter_add(&parameters, PARAMETER_SMALLINT, NOTICE_FAILED);
	parameter_add_long_text(&parameters, error);
	parameter_add(&parameters, PARAMETER_TIME, now);
	return postgresql_run(store,
			      "UPDATE portcullis.notices SET state = $2, error = $3,"
			      " settled = coalesce(settled, $4) WHERE id = $1",
			      &parameters);
}

bool postgresql_count_notices(struct store *store, int64_t after, int64_t until, uint64_t *count_r)
{
	struct parameters parameters = {0};
	int64_t count;

	parameter_add(&parameters, PARAMETER_SMALLINT, NOTICE_HANDED_OVER);
	parameter_add(&parameters, PARAMETER_SMALLINT, NOTICE_FAILED);
	parameter_add(&parameters, PARAMETER_TIME, after == 0 ? 1 : after);
	parameter_add(&parameters, PARAMETER_TIME, until);
	if (postgresql_number(store,
			      "SELECT count(*) FROM portcullis.notices WHERE state IN ($1, $2)"
			      " AND settled > $3 AND settled <= $4",
			      &parameters, &count) <= 0)
		return false;
	*count_r = (uint64_t)count;
	return true;
}
