#include "schema.h"

/* Of tables of its own, an importer changes what it likes; of those that it shares, what it
   adds to. It deletes nowhere: triggers and functions of migrations.c see to the rest. Ids of
   tables that number themselves are not taken from their sequences. */
static const char writer[] =
	"GRANT SELECT ON ALL TABLES IN SCHEMA portcullis TO portcullis_writer;"
	"REVOKE SELECT ON notices, notifier FROM portcullis_writer;"
	"GRANT INSERT ON habits, rule_sets, servers TO portcullis_writer;"
	"GRANT INSERT, UPDATE (verified, last_day, weeks) ON users TO portcullis_writer;"
	"GRANT INSERT, UPDATE (count, rejected, first_seen, last_seen, weeks, days, tls_below,"
	" last_client, whereabouts) ON sightings TO portcullis_writer;"
	"GRANT INSERT, UPDATE (sightings, unknown_country, lines, lost, set_aside, last_line,"
	" confirmed) ON days TO portcullis_writer;"
	"GRANT INSERT, UPDATE (lines, lost, last_seen, edition, edition_since) ON writers"
	" TO portcullis_writer;"
	"GRANT INSERT, UPDATE (last_import, lines, lost, set_aside, whereabouts_definition)"
	" ON totals TO portcullis_writer;"
	"GRANT INSERT, UPDATE (portcullis, dovecot, postfix, edition, edition_since, policy,"
	" country_database_built, backlog, backlog_since, clock_offset, told) ON hosts"
	" TO portcullis_writer;"
	"GRANT INSERT, UPDATE (first, last) ON coverage TO portcullis_writer;"
	"GRANT INSERT, UPDATE (since) ON named_tls TO portcullis_writer;"
	"GRANT INSERT, UPDATE ON files, logs, log_joins, log_services, log_connections"
	" TO portcullis_writer;"
	"GRANT USAGE ON SEQUENCE habit_ids, rule_set_ids, user_ids, line_numbers"
	" TO portcullis_writer;"
	"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA portcullis TO portcullis_writer;";

static const char operator[] =
	"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA portcullis"
	" TO portcullis_operator;"
	"REVOKE INSERT, UPDATE, DELETE ON version FROM portcullis_operator;"
	"GRANT USAGE ON SEQUENCE habit_ids, rule_set_ids, user_ids, line_numbers"
	" TO portcullis_operator;"
	"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA portcullis TO portcullis_operator;";

/* What an older version gave, and is not given any more, is taken back. */
static bool grant(struct store *store, const char *role, const char *rights)
{
	char sql[300];
	int64_t is_there = 0;

	g_snprintf(sql, sizeof(sql), "SELECT to_regrole('%s') IS NOT NULL", role);
	if (postgresql_number(store, sql, NULL, &is_there) <= 0)
		return false;
	if (is_there == 0)
		return true;
	g_snprintf(sql, sizeof(sql),
		   "REVOKE ALL ON ALL TABLES IN SCHEMA portcullis FROM %s;"
		   "REVOKE ALL ON ALL SEQUENCES IN SCHEMA portcullis FROM %s;"
		   "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA portcullis FROM %s",
		   role, role, role);
	return postgresql_execute(store, sql) && postgresql_execute(store, rights);
}

bool postgresql_grant(struct store *store)
{
	return grant(store, "portcullis_writer", writer) &&
	       grant(store, "portcullis_operator", operator);
}
