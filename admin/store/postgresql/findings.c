#include "findings.h"

#include "review.h"

#define OWNER "to_regrole('portcullis_owner')"
#define WRITER "to_regrole('portcullis_writer')"
#define OPERATOR "to_regrole('portcullis_operator')"
#define IS_OURS(table) table ".relnamespace = 'portcullis'::regnamespace"

/* Each row of an answer is a finding; what stands in it goes into the text. */
static const struct question {
	const char *id, *sql, *text, *mend;
} questions[] = {
	{"encoding",
	 "SELECT pg_encoding_to_char(encoding) FROM pg_database"
	 " WHERE datname = current_database() AND pg_encoding_to_char(encoding) <> 'UTF8'",
	 "the encoding of the database is %s: a name that it does not know stops imports",
	 "make one by 'createdb -E UTF8 -T template0', and 'portcullis store copy' this one into "
	 "it"},
	{"durability",
	 "SELECT name FROM unnest(ARRAY['fsync', 'full_page_writes', 'synchronous_commit']) name"
	 " WHERE current_setting(name) = 'off'",
	 "%s is off: when the server fails, records are lost that journals do not have any more",
	 "turn it on in postgresql.conf, or for the roles"},
	{"standby",
	 "SELECT string_agg(application_name, ', ' ORDER BY 1) FROM pg_stat_replication"
	 " WHERE application_name <> 'pg_basebackup' AND"
	 " (current_setting('synchronous_standby_names') = ''"
	 "  OR current_setting('synchronous_commit') IN ('off', 'local'))"
	 " HAVING count(*) > 0",
	 "no commit waits for who follows this server (%s): when that takes over, records are lost "
	 "that journals do not have any more",
	 "set synchronous_standby_names in postgresql.conf, and synchronous_commit to 'on'"},
	{"expiry",
	 "SELECT coalesce('since ' || to_char(last_expiry AT TIME ZONE 'UTC', 'YYYY-MM-DD'), 'yet')"
	 " FROM portcullis.upkeep WHERE last_expiry < now() - interval '2 days' OR"
	 " (last_expiry IS NULL AND EXISTS (SELECT FROM portcullis.days"
	 "  WHERE day < (now() AT TIME ZONE 'UTC')::date - 2))",
	 "nothing was erased %s, whatever keep-addresses and keep-sightings say",
	 "'systemctl enable --now portcullis-expire.timer' on a host with the operator's role"},
	{"role", "SELECT rolname FROM pg_roles WHERE rolsuper AND rolname = current_user",
	 "this is done as %s, who may do everything on the server",
	 "use the roles of conf-examples/postgresql/roles.sql"},
	{"no-roles",
	 "SELECT name FROM unnest(ARRAY['portcullis_writer', 'portcullis_operator']) name"
	 " WHERE to_regrole(name) IS NULL",
	 "there is no role %s: who works with the store may do more than he must",
	 "run conf-examples/postgresql/roles.sql, and 'portcullis store upgrade'"},
	{"role-with-too-much",
	 "SELECT rolname FROM pg_roles WHERE (oid IN (" WRITER ", " OPERATOR
	 ") OR oid IN (SELECT member FROM pg_auth_members WHERE roleid IN (" WRITER ", " OPERATOR
	 "))) AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls"
	 "  OR oid IN (SELECT member FROM pg_auth_members WHERE roleid = " OWNER "))"
	 " ORDER BY 1",
	 "%s may change the server or its tables",
	 "ALTER ROLE ... NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS, and REVOKE "
	 "portcullis_owner"},
	{"writer-with-too-much",
	 "SELECT string_agg(relname, ', ' ORDER BY relname) FROM pg_class c WHERE " IS_OURS(
		 "c") " AND relkind IN ('r', 'p') AND (has_table_privilege(" WRITER ", oid,"
		      "  'DELETE, TRUNCATE, TRIGGER') OR (relname = 'notices'"
		      "  AND has_any_column_privilege(" WRITER
		      ", oid, 'SELECT'))) HAVING count(*) > 0",
	 "portcullis_writer may remove from or read what is not for mail hosts: %s",
	 "'portcullis store upgrade', as the owner, gives each role what it needs"},
	{"unknown-role",
	 "SELECT DISTINCT CASE grantee WHEN 0 THEN 'everybody' ELSE grantee::regrole::text END"
	 " FROM pg_class c, aclexplode(relacl) WHERE " IS_OURS(
		 "c") " AND grantee <> relowner"
		      " AND grantee IS DISTINCT FROM " WRITER
		      " AND grantee IS DISTINCT FROM " OPERATOR " ORDER BY 1",
	 "%s may use its tables, and is none of the roles of Portcullis",
	 "REVOKE ALL ON ALL TABLES IN SCHEMA portcullis FROM that role, or from PUBLIC"},
	{"open-database",
	 "SELECT current_database() WHERE has_database_privilege('public', current_database(),"
	 " 'CONNECT')",
	 "every role of the server may connect to the database %s",
	 "REVOKE ALL ON DATABASE ... FROM PUBLIC, as conf-examples/postgresql/roles.sql does"},
	{"open-schema",
	 "SELECT nspname FROM pg_namespace WHERE nspname IN ('public', 'portcullis')"
	 " AND has_schema_privilege('public', oid, 'CREATE')",
	 "everybody may put functions into the schema %s, which others then call",
	 "REVOKE ALL ON SCHEMA ... FROM PUBLIC, as conf-examples/postgresql/roles.sql does"},
};

/* Each host has its importer, which looks after exemptions by a second one; somebody asks, and one
   writes notices by two connections. A pool in between has processes of its own numbers. */
static const char connections[] =
	"SELECT free || ' connections for ' || hosts || ' hosts' FROM"
	" (SELECT current_setting('max_connections')::integer"
	"   - current_setting('superuser_reserved_connections')::integer AS free) f,"
	" (SELECT count(*) AS hosts FROM portcullis.hosts) h,"
	" (SELECT CASE count(*) WHEN 0 THEN 1 ELSE 2 END AS of_each FROM portcullis.shared_texts) s"
	" WHERE free < hosts * of_each + 5 AND pg_backend_pid() = $1";

struct findings {
	struct store *store;
	store_find *find;
	void *context;
};

/* The parameters are cleared. */
static bool ask(const struct findings *findings, const struct question *question,
		struct parameters *parameters)
{
	PGresult *result = postgresql_query(findings->store, question->sql, parameters);

	for (int i = 0; i < PQntuples(result); i++) {
		char **parts = g_strsplit(question->text, "%s", 2);
		char *text = g_strjoinv(result_text(result, i, 0), parts);

		findings->find(findings->context, question->id, text, question->mend);
		g_free(text);
		g_strfreev(parts);
	}
	PQclear(result);
	return result != NULL;
}

static bool find_too_few_connections(const struct findings *findings)
{
	const struct question question = {
		"connections", connections, "the server has only %s",
		"raise max_connections in postgresql.conf, or let hosts share connections by a "
		"pool"};
	struct parameters parameters = {0};

	parameter_add(&parameters, PARAMETER_INTEGER,
		      PQbackendPID(store_postgresql(findings->store)->connection));
	return ask(findings, &question, &parameters);
}

#define CLOCK_MILLISECONDS 5000

/* The server's clock is read at some moment of the time that the question takes. */
static bool find_wrong_clock(const struct findings *findings)
{
	int64_t before = g_get_real_time() / 1000, server, after, distance;
	char text[100];

	if (!postgresql_clock(findings->store, &server))
		return false;
	after = g_get_real_time() / 1000;
	distance = server < before ? before - server : MAX(0, server - after);
	if (distance < CLOCK_MILLISECONDS)
		return true;
	g_snprintf(text, sizeof(text), "this machine's clock is %d seconds %s the server's",
		   (int)MIN(distance / 1000, G_MAXINT), server < before ? "ahead of" : "behind");
	findings->find(findings->context, "clock", text, "let both go by a time server");
	return true;
}

static void find_old_server(const struct findings *findings)
{
	if (PQserverVersion(store_postgresql(findings->store)->connection) < 150000)
		findings->find(findings->context, "old-server",
			       "Portcullis is tried with PostgreSQL 15 and later",
			       "update the server");
}

static bool find_all(const struct findings *findings)
{
	postgresql_review_connection(store_postgresql(findings->store)->connection, findings->find,
				     findings->context);
	find_old_server(findings);
	for (size_t i = 0; i < G_N_ELEMENTS(questions); i++) {
		if (!ask(findings, &questions[i], NULL))
			return false;
	}
	return find_too_few_connections(findings) && find_wrong_clock(findings);
}

bool postgresql_find(struct store *store, int64_t version, store_find *find, void *context)
{
	const struct findings findings = {store, find, context};

	if (version == POSTGRESQL_SCHEMA_VERSION)
		return find_all(&findings);
	if (version < POSTGRESQL_SCHEMA_VERSION)
		find(context, "old-tables", "its tables are of an older version of Portcullis",
		     "run 'portcullis store upgrade', as the owner");
	else
		find(context, "new-tables",
		     "its tables are of a newer version of Portcullis than this program",
		     "update Portcullis here");
	return true;
}
