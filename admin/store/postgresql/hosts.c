#include "postgresql.h"

/* What each host tells of itself, under its own name. */

bool postgresql_clock(struct store *store, int64_t *now_r)
{
	PGresult *result = postgresql_query(store, "SELECT clock_timestamp()", NULL);

	if (result == NULL)
		return false;
	*now_r = result_time(result, 0, 0);
	PQclear(result);
	return true;
}

bool postgresql_put_host(struct store *store, const struct store_host *host)
{
	struct parameters parameters = {0};

	parameter_add_text(&parameters, store->host);
	parameter_add_text(&parameters, host->portcullis);
	parameter_add_text(&parameters, host->dovecot);
	parameter_add_text(&parameters, host->postfix);
	parameter_add_text(&parameters, host->edition);
	parameter_add_text(&parameters, host->policy);
	parameter_add(&parameters, PARAMETER_TIME, host->country_database_built);
	parameter_add(&parameters, PARAMETER_BIGINT, (int64_t)host->backlog);
	parameter_add(&parameters, PARAMETER_TIME, host->backlog_since);
	parameter_add(&parameters, PARAMETER_BIGINT, host->clock_offset);
	return postgresql_run(
		store,
		"INSERT INTO portcullis.hosts AS h (name, portcullis, dovecot, postfix, edition,"
		" policy, country_database_built, backlog, backlog_since, clock_offset,"
		" edition_since, told) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, now(), "
		"now())"
		" ON CONFLICT (name) DO UPDATE SET portcullis = excluded.portcullis,"
		" dovecot = excluded.dovecot, postfix = excluded.postfix,"
		" edition = excluded.edition, edition_since = CASE"
		"  WHEN h.edition = excluded.edition THEN h.edition_since ELSE now() END,"
		" policy = excluded.policy,"
		" country_database_built = excluded.country_database_built,"
		" backlog = excluded.backlog, backlog_since = excluded.backlog_since,"
		" clock_offset = excluded.clock_offset, told = now()",
		&parameters);
}

/* NULL where it is NULL. */
static const char *text_or_null(const PGresult *result, int row, int column)
{
	return PQgetisnull(result, row, column) ? NULL : result_text(result, row, column);
}

static struct store_host read_host(const PGresult *result, int row)
{
	struct store_host host = {
		.name = result_text(result, row, 0),
		.portcullis = result_text(result, row, 1),
		.dovecot = text_or_null(result, row, 2),
		.postfix = text_or_null(result, row, 3),
		.edition_since = result_time(result, row, 5),
		.country_database_built = result_time(result, row, 7),
		.backlog = (uint64_t)result_number(result, row, 8),
		.backlog_since = result_time(result, row, 9),
		.clock_offset = result_number(result, row, 10),
		.told = result_time(result, row, 11),
	};

	g_strlcpy(host.edition, result_text(result, row, 4), sizeof(host.edition));
	g_strlcpy(host.policy, result_text(result, row, 6), sizeof(host.policy));
	return host;
}

bool postgresql_each_host(struct store *store, store_visit_host *visit, void *context)
{
	PGresult *result = postgresql_query(
		store,
		"SELECT name, portcullis, dovecot, postfix, edition, edition_since, policy,"
		" country_database_built, backlog, backlog_since, clock_offset, told"
		" FROM portcullis.hosts ORDER BY name",
		NULL);
	bool more = true;

	if (result == NULL)
		return false;
	for (int i = 0; more && i < PQntuples(result); i++) {
		const struct store_host host = read_host(result, i);

		more = visit(context, &host);
	}
	PQclear(result);
	return true;
}

bool postgresql_forget_host(struct store *store, const char *name, bool *found_r)
{
	struct parameters parameters = {0};
	int64_t changed = 0;

	parameter_add_text(&parameters, name);
	if (postgresql_begin(store) &&
	    postgresql_change(store, "DELETE FROM portcullis.hosts WHERE name = $1", &parameters,
			      &changed) &&
	    postgresql_end_orders_of(store, name) && postgresql_commit(store)) {
		*found_r = changed > 0;
		return true;
	}
	parameters_clear(&parameters);
	postgresql_rollback(store);
	return false;
}
