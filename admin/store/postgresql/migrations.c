#include "admin/store/store-logs.h"
#include "schema.h"

/* Texts are compared byte by byte, and times are of UTC, wherever the server stands. */
#define TEXT "text COLLATE \"C\""
#define SETTLE_DAYS G_STRINGIFY(STORE_SETTLE_DAYS)

#define REMOVE_COVERED(name, others)                                                               \
	"CREATE FUNCTION " name "(servers integer[], first date, last date) RETURNS void"          \
	" LANGUAGE sql SECURITY DEFINER SET search_path = portcullis, pg_temp AS $$"               \
	" DELETE FROM sightings w USING (SELECT s.user_id, s.verified, s.habit, s.rules,"          \
	"  s.server, s.day FROM sightings s JOIN habits h ON h.id = s.habit"                       \
	"  JOIN rule_sets r ON r.id = s.rules"                                                     \
	"  WHERE s.server > 0 AND s.server = ANY ($1) AND s.day BETWEEN $2 AND $3"                 \
	"  AND s.tls_below = 0 AND is_covered(s.server, s.day, s.first_seen, s.last_seen,"         \
	"   s.verified AND r.text = '', h.source, h.service, h.port, h.mechanism)"                 \
	"  ORDER BY 1, 2, 3, 4, 5, 6 FOR UPDATE OF s" others ") t"                                 \
	"  WHERE (w.user_id, w.verified, w.habit, w.rules, w.server, w.day)"                       \
	"  = (t.user_id, t.verified, t.habit, t.rules, t.server, t.day)"                           \
	"$$;"

/* What is told apart by the host that imported it is added up when it is read. What an
   importer must remove, it does by the functions below: it may not delete by itself. */
static const char version_1[] =
	"CREATE TABLE version (one boolean PRIMARY KEY CHECK (one), version integer NOT NULL);"

	/* ---- what everybody shares ---- */

	"CREATE SEQUENCE habit_ids; CREATE SEQUENCE rule_set_ids; CREATE SEQUENCE user_ids;"
	"CREATE TABLE habits (id bigint PRIMARY KEY, source smallint NOT NULL,"
	" service smallint NOT NULL, port integer NOT NULL, tls smallint NOT NULL,"
	" country " TEXT " NOT NULL, mechanism " TEXT " NOT NULL, client_id " TEXT " NOT NULL,"
	" tls_version smallint NOT NULL, of_log boolean NOT NULL,"
	/* All of these in one text, by which it is found. */
	" key " TEXT " NOT NULL UNIQUE);"
	"CREATE INDEX habits_recorded ON habits (source, service, mechanism) WHERE NOT of_log;"
	/* It has no limit, which a B-tree would want. */
	"CREATE TABLE rule_sets (id bigint PRIMARY KEY, text " TEXT " NOT NULL,"
	" EXCLUDE USING hash (text WITH =));"
	"CREATE TABLE users (id bigint PRIMARY KEY, name " TEXT " NOT NULL UNIQUE,"
	" verified boolean NOT NULL,"
	/* When he came, as store-activity.h has it. */
	" last_day date NOT NULL DEFAULT '1970-01-01', weeks bigint NOT NULL DEFAULT 0,"
	/* There are notices of him, or were. */
	" told boolean NOT NULL DEFAULT false) WITH (fillfactor = 85);"
	"CREATE INDEX users_told ON users (id) INCLUDE (name) WHERE told;"
	"CREATE INDEX users_unverified ON users (id) WHERE NOT verified;"
	/* Most writes change rows that are there, and no key of theirs. */
	"CREATE TABLE sightings (user_id bigint NOT NULL, habit bigint NOT NULL,"
	" rules bigint NOT NULL, count bigint NOT NULL, rejected bigint NOT NULL,"
	" first_seen timestamptz NOT NULL, last_seen timestamptz NOT NULL,"
	" weeks bigint NOT NULL, days integer NOT NULL, server integer NOT NULL,"
	" day date NOT NULL, tls_below smallint NOT NULL, verified boolean NOT NULL,"
	" last_client " TEXT ", whereabouts " TEXT ","
	/* Whether rules is another one than that of clean logins: few are, and have an index. */
	" broken boolean NOT NULL DEFAULT false,"
	/* Questions reckon with them. */
	" CHECK (first_seen > '-infinity' AND last_seen < 'infinity'),"
	" PRIMARY KEY (user_id, verified, habit, rules, server, day)) WITH (fillfactor = 85);"
	"CREATE INDEX sightings_broken ON sightings (user_id, verified, rules) WHERE broken;"
	"CREATE INDEX sightings_habit ON sightings (habit, broken);"
	"CREATE INDEX sightings_of_logs ON sightings (server, day) WHERE server > 0;"

	/* Sets what these users have of when they came to what their sightings say. */
	"CREATE FUNCTION reckon_users(ids bigint[]) RETURNS void"
	" LANGUAGE sql SECURITY DEFINER SET search_path = portcullis, pg_temp AS $$"
	" UPDATE users u SET last_day = k.day, weeks = k.weeks FROM (SELECT l.id,"
	"  coalesce(l.day, '1970-01-01') AS day, (SELECT coalesce(bit_or(CASE WHEN ago > 63 THEN 0"
	"   ELSE s.weeks << ago END), 0) FROM (SELECT s.weeks, (l.day - DATE '1970-01-01' + 3) / 7"
	"   - ((s.last_seen AT TIME ZONE 'UTC')::date - DATE '1970-01-01' + 3) / 7 AS ago"
	"   FROM sightings s JOIN habits h ON h.id = s.habit WHERE s.user_id = l.id AND s.verified"
	"   AND upper(h.mechanism) <> 'ANONYMOUS') s) AS weeks"
	"  FROM (SELECT id, (SELECT (max(s.last_seen) AT TIME ZONE 'UTC')::date"
	"   FROM sightings s JOIN habits h ON h.id = s.habit WHERE s.user_id = users.id"
	"   AND s.verified AND upper(h.mechanism) <> 'ANONYMOUS') AS day"
	"   FROM users WHERE id = ANY ($1) ORDER BY id FOR UPDATE) l) k WHERE u.id = k.id"
	"$$;"
	/* Whatever is taken out; but not by who puts it elsewhere. */
	"CREATE FUNCTION reckon_after_loss() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
	" SET search_path = portcullis, pg_temp AS $$ BEGIN"
	" IF current_setting('portcullis.moving', true) IS DISTINCT FROM 'on' THEN"
	"  PERFORM reckon_users(ARRAY(SELECT DISTINCT user_id FROM lost WHERE verified"
	"   ORDER BY user_id)); END IF;"
	" RETURN NULL; END $$;"
	"CREATE TRIGGER reckon_users AFTER DELETE ON sightings REFERENCING OLD TABLE AS lost"
	" FOR EACH STATEMENT EXECUTE FUNCTION reckon_after_loss();"

	/* ---- each host's books ---- */

	"CREATE SEQUENCE line_numbers;"
	"CREATE TABLE days (host " TEXT " NOT NULL, day date NOT NULL, sightings bigint NOT NULL,"
	" unknown_country bigint NOT NULL, lines bigint NOT NULL, lost bigint NOT NULL,"
	" set_aside bigint NOT NULL, last_line bigint NOT NULL,"
	" confirmed boolean NOT NULL DEFAULT false, PRIMARY KEY (day, host));"
	"CREATE TABLE writers (host " TEXT " NOT NULL, writer " TEXT " NOT NULL,"
	" source smallint NOT NULL, lines bigint NOT NULL, lost bigint NOT NULL,"
	" last_seen timestamptz, edition " TEXT " NOT NULL DEFAULT '', edition_since timestamptz,"
	" PRIMARY KEY (writer, source, host));"
	"CREATE TABLE totals (host " TEXT " PRIMARY KEY, last_import timestamptz,"
	" lines bigint NOT NULL, lost bigint NOT NULL, set_aside bigint NOT NULL,"
	" whereabouts_definition bigint NOT NULL DEFAULT 0);"
	"CREATE TABLE files (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,"
	" host " TEXT " NOT NULL, name " TEXT " NOT NULL, device bigint NOT NULL,"
	" inode bigint NOT NULL, head bigint NOT NULL, head_length bigint NOT NULL,"
	" position bigint NOT NULL, removed boolean NOT NULL, touched timestamptz,"
	/* Nobody wants to know it any more. */
	" dropped boolean NOT NULL DEFAULT false);"
	"CREATE INDEX files_of_host ON files (host) WHERE NOT dropped;"
	"CREATE INDEX files_inode ON files (inode);"

	/* What each host told of itself. */
	"CREATE TABLE hosts (name " TEXT " PRIMARY KEY, portcullis " TEXT " NOT NULL,"
	" dovecot " TEXT ", postfix " TEXT ", edition " TEXT " NOT NULL, edition_since timestamptz,"
	" policy " TEXT " NOT NULL, country_database_built timestamptz, backlog bigint NOT NULL,"
	" backlog_since timestamptz, clock_offset bigint NOT NULL, told timestamptz)"
	" WITH (fillfactor = 50);"

	/* ---- logs ---- */

	"CREATE TABLE servers (id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,"
	" host " TEXT " NOT NULL, source smallint NOT NULL, witness smallint NOT NULL,"
	" UNIQUE (host, source, witness));"
	"CREATE INDEX servers_of_witnesses ON servers (source, witness);"
	"CREATE TABLE named_tls (server integer NOT NULL, service smallint NOT NULL,"
	" since timestamptz NOT NULL, PRIMARY KEY (server, service));"
	"CREATE TABLE coverage (server integer NOT NULL, day date NOT NULL,"
	" first timestamptz NOT NULL, last timestamptz NOT NULL, PRIMARY KEY (server, day));"
	"CREATE TABLE logs (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,"
	" host " TEXT " NOT NULL, name " TEXT " NOT NULL, heads bytea NOT NULL,"
	" tail bigint NOT NULL, position bigint NOT NULL, cursor " TEXT " NOT NULL,"
	" year integer NOT NULL, place bigint NOT NULL, device bigint NOT NULL,"
	" inode bigint NOT NULL, size bigint NOT NULL, changed bigint NOT NULL,"
	" touched timestamptz);"
	"CREATE INDEX logs_of_host ON logs (host);"
	"CREATE INDEX logs_inode ON logs (inode);"
	"CREATE TABLE log_joins (host " TEXT " PRIMARY KEY, change bigint NOT NULL,"
	" seed bigint NOT NULL);"
	"CREATE TABLE log_services (host " TEXT " NOT NULL, server " TEXT " NOT NULL,"
	" program " TEXT " NOT NULL, logs_tls boolean NOT NULL, wraps boolean NOT NULL,"
	" UNIQUE (host, server, program));"
	/* A row whose key is NULL is free for another connection. */
	"CREATE TABLE log_connections (host " TEXT " NOT NULL, place integer NOT NULL, key bigint,"
	" server " TEXT ", program " TEXT ", heard timestamptz, tls_version smallint, tls bigint,"
	" user_name " TEXT ", time timestamptz, count bigint, verified boolean,"
	" before_tls boolean, client " TEXT ", mechanism " TEXT ", PRIMARY KEY (host, place));"
	"CREATE INDEX log_connections_user ON log_connections USING hash (user_name);"

	/* ---- what people were told ---- */

	"CREATE TABLE notices (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,"
	" user_name " TEXT " NOT NULL, recipient " TEXT " NOT NULL, message_id " TEXT " NOT NULL,"
	" reason " TEXT " NOT NULL, rules " TEXT " NOT NULL, dates " TEXT ","
	" state smallint NOT NULL, intended timestamptz NOT NULL, settled timestamptz,"
	" attempts integer NOT NULL, error " TEXT " NOT NULL,"
	/* Who is handing it over, and since when. */
	" in_hand_of " TEXT ", in_hand_since timestamptz);"
	"CREATE INDEX notices_user ON notices (user_name, id);"
	"CREATE INDEX notices_message_id ON notices USING hash (message_id);"
	"CREATE INDEX notices_settled ON notices (settled);"
	/* Who was removed and comes again may have been told before; importers may not know. */
	"CREATE FUNCTION note_told() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
	" SET search_path = portcullis, pg_temp AS $$ BEGIN"
	" UPDATE users u SET told = true FROM added a WHERE u.id = a.id AND NOT a.told"
	"  AND EXISTS (SELECT 1 FROM notices n WHERE n.user_name = a.name);"
	" RETURN NULL; END $$;"
	"CREATE TRIGGER note_told AFTER INSERT ON users REFERENCING NEW TABLE AS added"
	" FOR EACH STATEMENT EXECUTE FUNCTION note_told();"
	/* The last run that wrote to people, and the process of the server that locked for it. */
	"CREATE TABLE notifier (one boolean PRIMARY KEY CHECK (one), host " TEXT " NOT NULL,"
	" since timestamptz NOT NULL, pid integer NOT NULL);"

	/* ---- what all hosts' servers read ---- */

	"CREATE TABLE shared_texts (name " TEXT " PRIMARY KEY, version bigint NOT NULL,"
	" text bytea NOT NULL, begun timestamptz NOT NULL, changed timestamptz NOT NULL);"
	/* Which hosts have handed in the exemptions that they had before. */
	"CREATE TABLE taken_in (host " TEXT " PRIMARY KEY, time timestamptz NOT NULL);"

	/* Importers may only add to the exemptions, each host once, and not for ever: whoever has
	   taken one over shall not let anybody off everywhere. It gives an enum store_taking. */
	"CREATE FUNCTION take_in(text, bigint, bytea) RETURNS integer"
	" LANGUAGE plpgsql SECURITY DEFINER SET search_path = portcullis, pg_temp AS $$"
	" DECLARE old shared_texts; BEGIN"
	"  IF EXISTS (SELECT 1 FROM taken_in t WHERE t.host = $1) THEN RETURN 1; END IF;"
	"  INSERT INTO shared_texts VALUES ('exemptions', 0, '', now(), now())"
	"   ON CONFLICT DO NOTHING;"
	"  SELECT * INTO old FROM shared_texts s WHERE s.name = 'exemptions' FOR UPDATE;"
	"  IF old.version <> $2 THEN RETURN 3; END IF;"
	"  IF old.begun < now() - interval '30 days' THEN RETURN 2; END IF;"
	"  IF substring($3 FROM 1 FOR length(old.text)) <> old.text THEN"
	"   RAISE insufficient_privilege USING MESSAGE = 'lines may only be added'; END IF;"
	"  INSERT INTO taken_in VALUES ($1, now()) ON CONFLICT DO NOTHING;"
	"  IF NOT FOUND THEN RETURN 1; END IF;"
	"  UPDATE shared_texts s SET version = s.version + 1, text = $3, changed = now()"
	"   WHERE s.name = 'exemptions';"
	"  RETURN 0;"
	" END $$;"

	/* ---- what hosts are to forget ---- */

	"CREATE TABLE orders (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,"
	" user_name " TEXT " NOT NULL, made timestamptz NOT NULL);"
	/* Those that are still to answer. */
	"CREATE TABLE order_hosts (order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE,"
	" host " TEXT " NOT NULL, PRIMARY KEY (order_id, host));"
	/* Two hosts at once would each think that the other one is still to answer. */
	"CREATE FUNCTION answer_order(answered bigint, host text) RETURNS void"
	" LANGUAGE sql SECURITY DEFINER SET search_path = portcullis, pg_temp AS $$"
	" SELECT 1 FROM orders WHERE id = $1 FOR UPDATE;"
	" DELETE FROM order_hosts WHERE order_id = $1 AND order_hosts.host = $2;"
	" DELETE FROM orders WHERE id = $1"
	"  AND NOT EXISTS (SELECT 1 FROM order_hosts WHERE order_id = $1)"
	"$$;"

	/* ---- upkeep ---- */

	"CREATE TABLE upkeep (one boolean PRIMARY KEY CHECK (one), last_expiry timestamptz,"
	" kept_addresses bigint NOT NULL, kept_sightings bigint NOT NULL);"
	"INSERT INTO upkeep VALUES (true, NULL, 0, 0);"

	/* ---- what of logs is removed, as store-logs.h says ---- */

	/* Whether somebody who may know the way, and is a better witness than this server, covers
	   the time. mechanism "" and port 0: it is not told. */
	"CREATE FUNCTION is_covered(server integer, day date, first timestamptz, last timestamptz,"
	" clean boolean, source smallint, service smallint, port integer, mechanism text)"
	" RETURNS boolean LANGUAGE sql STABLE SET search_path = portcullis, pg_temp AS $$"
	" SELECT EXISTS (SELECT 1 FROM servers s JOIN servers b ON b.source = s.source"
	"  AND b.witness < s.witness AND (b.host = s.host OR starts_with(b.host, s.host || '.')"
	"   OR starts_with(s.host, b.host || '.'))"
	"  JOIN coverage c ON c.server = b.id AND c.day BETWEEN $2 - 1 AND $2,"
	"  LATERAL (SELECT c.last + CASE WHEN $5 THEN interval '24 hours'"
	"   ELSE interval '15 minutes' END AS last, CASE WHEN EXISTS (SELECT 1 FROM coverage p"
	"   WHERE p.server = c.server AND p.day BETWEEN c.day - 7 AND c.day - 1)"
	"   THEN '-infinity' ELSE c.first - interval '15 minutes' END AS first) reach"
	"  WHERE s.id = $1 AND $3 <= reach.last AND $4 >= reach.first"
	"  AND ($3 >= reach.first OR $4 <= reach.last)"
	"  AND (b.witness > 0 OR EXISTS (SELECT 1 FROM habits g WHERE NOT g.of_log"
	"   AND g.source = $6 AND g.service = $7"
	"   AND ($8 IN (0, g.port) OR g.port NOT IN (25, 465, 587))"
	"   AND ($9 = '' OR g.mechanism = $9))))"
	"$$;"

	/* Removes what waits of these days and is covered; the second one leaves rows that others
	   hold, and does not wait. */
	REMOVE_COVERED("remove_covered", "")
		REMOVE_COVERED("remove_covered_at_last", " SKIP LOCKED")

	/* Removes these, of those that wait. */
	"CREATE FUNCTION remove_waiting(users bigint[], verified boolean[], habits bigint[],"
	" rules bigint[], servers integer[], days date[]) RETURNS void"
	" LANGUAGE sql SECURITY DEFINER SET search_path = portcullis, pg_temp AS $$"
	" DELETE FROM sightings w USING (SELECT s.user_id, s.verified, s.habit, s.rules, s.server,"
	"  s.day FROM unnest($1, $2, $3, $4, $5, $6)"
	"  AS k (user_id, verified, habit, rules, server, day)"
	"  JOIN sightings s USING (user_id, verified, habit, rules, server, day)"
	"  WHERE s.server > 0 ORDER BY 1, 2, 3, 4, 5, 6 FOR UPDATE OF s) t"
	"  WHERE (w.user_id, w.verified, w.habit, w.rules, w.server, w.day)"
	"  = (t.user_id, t.verified, t.habit, t.rules, t.server, t.day)"
	"$$;"

	/* Takes some rows out that waited long enough; the caller adds them to the rest. */
	"CREATE FUNCTION take_waiting(before date, most integer) RETURNS SETOF sightings"
	" LANGUAGE plpgsql SECURITY DEFINER SET search_path = portcullis, pg_temp AS $$ BEGIN"
	" PERFORM set_config('portcullis.moving', 'on', true);"
	" RETURN QUERY DELETE FROM sightings w USING (SELECT s.user_id, s.verified, s.habit,"
	"  s.rules, s.server, s.day FROM sightings s WHERE s.server > 0"
	"  AND s.day < least($1, (now() AT TIME ZONE 'UTC')::date - " SETTLE_DAYS " + 1)"
	"  ORDER BY 1, 2, 3, 4, 5, 6 LIMIT $2"
	"  FOR UPDATE SKIP LOCKED) t"
	"  WHERE (w.user_id, w.verified, w.habit, w.rules, w.server, w.day)"
	"  = (t.user_id, t.verified, t.habit, t.rules, t.server, t.day) RETURNING w.*;"
	" PERFORM set_config('portcullis.moving', 'off', true);"
	" END $$;"
	/* ---- what is recorded only grows under an importer ---- */

	"CREATE FUNCTION refuse_loss() RETURNS trigger LANGUAGE plpgsql"
	" SET search_path = pg_catalog, pg_temp AS $$ BEGIN"
	" IF has_table_privilege(TG_RELID, 'DELETE') THEN RETURN NEW; END IF;"
	" RAISE insufficient_privilege USING MESSAGE ="
	"  'permission denied to take away from what is recorded in ' || TG_TABLE_NAME;"
	" END $$;"
	/* The condition costs little, and is true only when it matters. */
	"CREATE TRIGGER refuse_loss BEFORE UPDATE ON sightings FOR EACH ROW"
	" WHEN (NEW.count < OLD.count OR NEW.rejected < OLD.rejected OR NEW.days < OLD.days"
	"  OR NEW.first_seen > OLD.first_seen OR NEW.last_seen < OLD.last_seen)"
	" EXECUTE FUNCTION refuse_loss();"
	"CREATE TRIGGER refuse_loss BEFORE UPDATE ON users FOR EACH ROW"
	" WHEN (OLD.verified AND NOT NEW.verified OR NEW.last_day < OLD.last_day) EXECUTE FUNCTION "
	"refuse_loss();"
	"CREATE TRIGGER refuse_loss BEFORE UPDATE ON days FOR EACH ROW"
	" WHEN (NEW.sightings < OLD.sightings OR NEW.lines < OLD.lines OR NEW.lost < OLD.lost"
	"  OR NEW.set_aside < OLD.set_aside OR OLD.confirmed AND NOT NEW.confirmed)"
	" EXECUTE FUNCTION refuse_loss();"
	"CREATE TRIGGER refuse_loss BEFORE UPDATE ON writers FOR EACH ROW"
	" WHEN (NEW.lines < OLD.lines OR NEW.lost < OLD.lost OR NEW.last_seen < OLD.last_seen)"
	" EXECUTE FUNCTION refuse_loss();"
	"CREATE TRIGGER refuse_loss BEFORE UPDATE ON totals FOR EACH ROW"
	" WHEN (NEW.lines < OLD.lines OR NEW.lost < OLD.lost OR NEW.set_aside < OLD.set_aside)"
	" EXECUTE FUNCTION refuse_loss();"
	"CREATE TRIGGER refuse_loss BEFORE UPDATE ON coverage FOR EACH ROW"
	" WHEN (NEW.first > OLD.first OR NEW.last < OLD.last) EXECUTE FUNCTION refuse_loss();"

	"REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA portcullis FROM PUBLIC;";

const char *const postgresql_migrations[POSTGRESQL_SCHEMA_VERSION] = {version_1};
