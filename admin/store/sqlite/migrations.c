#include "migrations.h"

#include <glib.h>

const char *const store_sqlite_migrations[] = {
	/* 1. Repeated texts stand once, in strings, habits and rule_sets. The
	   others are keyed so that all of a user's rows lie side by side. */
	"CREATE TABLE strings (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);"
	"CREATE TABLE habits (id INTEGER PRIMARY KEY, source INTEGER NOT NULL,"
	" service INTEGER NOT NULL, port INTEGER NOT NULL, tls INTEGER NOT NULL,"
	" country TEXT NOT NULL, mechanism INTEGER NOT NULL REFERENCES strings,"
	" client_id INTEGER NOT NULL REFERENCES strings,"
	" UNIQUE (client_id, mechanism, port, service, tls, country, source));"
	"CREATE TABLE rule_sets (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);"
	"CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
	" verified INTEGER NOT NULL);"
	"CREATE INDEX users_unverified ON users (id) WHERE verified = 0;"
	"CREATE TABLE sightings (user INTEGER NOT NULL, verified INTEGER NOT NULL,"
	" habit INTEGER NOT NULL, rules INTEGER NOT NULL, count INTEGER NOT NULL,"
	" rejected INTEGER NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL,"
	" last_client TEXT, PRIMARY KEY (user, verified, habit, rules)) WITHOUT ROWID;"
	"CREATE TABLE days (day INTEGER PRIMARY KEY, sightings INTEGER NOT NULL,"
	" unknown_country INTEGER NOT NULL);"
	"CREATE TABLE writers (host TEXT NOT NULL, source INTEGER NOT NULL,"
	" lines INTEGER NOT NULL, lost INTEGER NOT NULL, last_seen INTEGER NOT NULL,"
	" PRIMARY KEY (host, source)) WITHOUT ROWID;"
	"CREATE TABLE totals (one INTEGER PRIMARY KEY CHECK (one = 1),"
	" last_import INTEGER NOT NULL, lines INTEGER NOT NULL, lost INTEGER NOT NULL,"
	" set_aside INTEGER NOT NULL, last_expiry INTEGER NOT NULL,"
	" kept_addresses INTEGER NOT NULL, kept_sightings INTEGER NOT NULL);"
	"INSERT INTO totals VALUES (1, 0, 0, 0, 0, 0, 0, 0);"
	"CREATE TABLE files (id INTEGER PRIMARY KEY, name TEXT NOT NULL,"
	" device INTEGER NOT NULL, inode INTEGER NOT NULL, head INTEGER NOT NULL,"
	" head_length INTEGER NOT NULL, position INTEGER NOT NULL,"
	" removed INTEGER NOT NULL, touched INTEGER NOT NULL);",

	/* 2. The weeks in which a sighting was seen, for trends. Of older rows
	   only the last week is known. */
	"ALTER TABLE sightings ADD COLUMN weeks INTEGER NOT NULL DEFAULT 1;",

	/* 3. What people were told. By name: a user whose sightings are all gone is
	   none in users, but must not be told the same again. */
	"CREATE TABLE notices (id INTEGER PRIMARY KEY, user TEXT NOT NULL,"
	" recipient TEXT NOT NULL, message_id TEXT NOT NULL, reason TEXT NOT NULL,"
	" rules TEXT NOT NULL, state INTEGER NOT NULL, intended INTEGER NOT NULL,"
	" settled INTEGER NOT NULL, attempts INTEGER NOT NULL, error TEXT NOT NULL);"
	"CREATE INDEX notices_user ON notices (user);"
	"CREATE INDEX notices_settled ON notices (settled);",

	/* 4. What was lost is told of each day, so that it is forgiven one day. */
	"ALTER TABLE days ADD COLUMN lines INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE days ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE days ADD COLUMN set_aside INTEGER NOT NULL DEFAULT 0;",

	/* 5. What an erased address leaves. That of older rows is noted by the next
	   import, as far as they have their address. */
	("ALTER TABLE sightings ADD COLUMN whereabouts TEXT;"
	 "ALTER TABLE totals ADD COLUMN whereabouts_definition INTEGER NOT NULL DEFAULT 0;"),

	/* 6. A notice that comes back is known by its Message-ID. */
	"CREATE INDEX notices_message_id ON notices (message_id);",

	/* 7. What is known of the version of TLS. */
	"ALTER TABLE sightings ADD COLUMN tls_below INTEGER NOT NULL DEFAULT 0;",

	/* 8. What each server has in force. */
	("ALTER TABLE writers ADD COLUMN edition TEXT NOT NULL DEFAULT '';"
	 "ALTER TABLE writers ADD COLUMN edition_since INTEGER NOT NULL DEFAULT 0;"),

	/* 9. In which order the days came. Older ones count as having come in theirs, and
	   before all lines to come. */
	("ALTER TABLE days ADD COLUMN last_line INTEGER NOT NULL DEFAULT 0;"
	 "UPDATE days SET last_line = day - 10000000;"),

	/* 10. Which days were found to be right. */
	"ALTER TABLE days ADD COLUMN confirmed INTEGER NOT NULL DEFAULT 0;",

	/* 11. Which dates a person was told. */
	"ALTER TABLE notices ADD COLUMN dates TEXT;",

	/* 12. The days on which a sighting was seen, for rhythms. Of older rows at least one in
	   each week is known, the first and the last: the bits of weeks are counted by twos,
	   fours and eights. */
	("ALTER TABLE sightings ADD COLUMN days INTEGER NOT NULL DEFAULT 1;"
	 "UPDATE sightings SET days = (SELECT max(((b + (b >> 4)) & 0x0f0f0f0f0f0f0f0f) % 255,"
	 " 1 + (last_seen / 86400000 > first_seen / 86400000))"
	 " FROM (SELECT (a & 0x3333333333333333) + ((a >> 2) & 0x3333333333333333) AS b"
	 " FROM (SELECT w - ((w >> 1) & 0x5555555555555555) AS a"
	 " FROM (SELECT weeks & 0x7fffffffffffffff AS w))));"),

	/* 13. What mail logs tell, and how far they are read. Rows of logs are kept by server and
	   day until no better record of them can come; server 0 is all others. On which days
	   servers recorded before is known where there is one; of several it is not known which
	   of them did, and a login that counts twice is better than one that is lost. */
	("CREATE TABLE habits_13 (id INTEGER PRIMARY KEY, source INTEGER NOT NULL,"
	 " service INTEGER NOT NULL, port INTEGER NOT NULL, tls INTEGER NOT NULL,"
	 " country TEXT NOT NULL, mechanism INTEGER NOT NULL REFERENCES strings,"
	 " client_id INTEGER NOT NULL REFERENCES strings, tls_version INTEGER NOT NULL,"
	 " of_log INTEGER NOT NULL, UNIQUE (client_id, mechanism, port, service, tls, country,"
	 " source, tls_version, of_log));"
	 "INSERT INTO habits_13 SELECT id, source, service, port, tls, country, mechanism,"
	 " client_id, 0, 0 FROM habits;"
	 "DROP TABLE habits;"
	 "ALTER TABLE habits_13 RENAME TO habits;"
	 "CREATE INDEX habits_recorded ON habits (source, service, mechanism) WHERE of_log = 0;"
	 "CREATE TABLE sightings_13 (user INTEGER NOT NULL, verified INTEGER NOT NULL,"
	 " habit INTEGER NOT NULL, rules INTEGER NOT NULL, server INTEGER NOT NULL,"
	 " day INTEGER NOT NULL, count INTEGER NOT NULL, rejected INTEGER NOT NULL,"
	 " first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, last_client TEXT,"
	 " weeks INTEGER NOT NULL, whereabouts TEXT, tls_below INTEGER NOT NULL,"
	 " days INTEGER NOT NULL, PRIMARY KEY (user, verified, habit, rules, server, day))"
	 " WITHOUT ROWID;"
	 "INSERT INTO sightings_13 SELECT user, verified, habit, rules, 0, 0, count, rejected,"
	 " first_seen, last_seen, last_client, weeks, whereabouts, tls_below, days FROM sightings;"
	 "DROP TABLE sightings;"
	 "ALTER TABLE sightings_13 RENAME TO sightings;"
	 "CREATE INDEX sightings_of_logs ON sightings (server, day) WHERE server > 0;"
	 "CREATE TABLE servers (id INTEGER PRIMARY KEY, host TEXT NOT NULL,"
	 " source INTEGER NOT NULL, witness INTEGER NOT NULL,"
	 " UNIQUE (host, source, witness));"
	 "CREATE INDEX servers_of_witnesses ON servers (source, witness);"
	 "CREATE TABLE named_tls (server INTEGER NOT NULL, service INTEGER NOT NULL,"
	 " since INTEGER NOT NULL, PRIMARY KEY (server, service)) WITHOUT ROWID;"
	 "CREATE TABLE coverage (server INTEGER NOT NULL, day INTEGER NOT NULL,"
	 " first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (server, day))"
	 " WITHOUT ROWID;"
	 "INSERT OR IGNORE INTO servers (host, source, witness)"
	 " SELECT lower(host), source, 0 FROM writers;"
	 "INSERT OR IGNORE INTO coverage SELECT servers.id, day, day * 86400000,"
	 " min((day + 1) * 86400000 - 1, last_seen) FROM writers"
	 " JOIN servers ON servers.host = lower(writers.host) AND servers.source = writers.source"
	 " JOIN days ON days.sightings + days.lines > 0 AND day * 86400000 <= last_seen"
	 " WHERE (SELECT count(*) FROM writers w WHERE w.source = writers.source) = 1;"
	 "CREATE TABLE logs (id INTEGER PRIMARY KEY, name TEXT NOT NULL, heads BLOB NOT NULL,"
	 " tail INTEGER NOT NULL, position INTEGER NOT NULL, cursor TEXT NOT NULL,"
	 " year INTEGER NOT NULL, place INTEGER NOT NULL, device INTEGER NOT NULL,"
	 " inode INTEGER NOT NULL, size INTEGER NOT NULL, changed INTEGER NOT NULL,"
	 " touched INTEGER NOT NULL);"
	 "CREATE TABLE log_services (host TEXT NOT NULL, program TEXT NOT NULL,"
	 " logs_tls INTEGER NOT NULL, wraps INTEGER NOT NULL, PRIMARY KEY (host, program))"
	 " WITHOUT ROWID;"
	 "CREATE TABLE log_connections (id INTEGER PRIMARY KEY, key INTEGER NOT NULL,"
	 " host TEXT NOT NULL, program TEXT NOT NULL, heard INTEGER NOT NULL,"
	 " tls_version INTEGER NOT NULL, tls INTEGER NOT NULL, user TEXT, time INTEGER NOT NULL,"
	 " count INTEGER NOT NULL, verified INTEGER NOT NULL, before_tls INTEGER NOT NULL,"
	 " client TEXT NOT NULL, mechanism TEXT NOT NULL);"
	 "ALTER TABLE totals ADD COLUMN log_change INTEGER NOT NULL DEFAULT 0;"
	 "ALTER TABLE totals ADD COLUMN log_seed INTEGER NOT NULL DEFAULT 0;"),

	/* 14. What the host told of itself. */
	"CREATE TABLE hosts (name TEXT PRIMARY KEY, portcullis TEXT NOT NULL, dovecot TEXT,"
	" postfix TEXT, edition TEXT NOT NULL, edition_since INTEGER NOT NULL,"
	" policy TEXT NOT NULL, country_database_built INTEGER NOT NULL, backlog INTEGER NOT NULL,"
	" backlog_since INTEGER NOT NULL, clock_offset INTEGER NOT NULL, told INTEGER NOT NULL)"
	" WITHOUT ROWID;",

	/* 15. Exemptions that 'portcullis exempt' edits here, not in a file; and when those of
	   the file were taken in. */
	("CREATE TABLE shared_texts (name TEXT PRIMARY KEY, version INTEGER NOT NULL,"
	 " text BLOB NOT NULL, begun INTEGER NOT NULL, changed INTEGER NOT NULL) WITHOUT ROWID;"
	 "CREATE TABLE taken_in (one INTEGER PRIMARY KEY CHECK (one = 1),"
	 " time INTEGER NOT NULL);"),

	/* 16. When users came, so that this is known without their sightings. */
	("ALTER TABLE users ADD COLUMN last_day INTEGER NOT NULL DEFAULT 0;"
	 "ALTER TABLE users ADD COLUMN weeks INTEGER NOT NULL DEFAULT 0;"
	 "UPDATE users SET (last_day, weeks) = (SELECT coalesce(max(last_seen) / 86400000, 0),"
	 " coalesce(joined_weeks(last_seen, weeks), 0) FROM sightings WHERE user = users.id"
	 " AND verified AND habit NOT IN (SELECT habits.id FROM habits"
	 " JOIN strings ON strings.id = mechanism WHERE text = 'ANONYMOUS' COLLATE NOCASE))"
	 " WHERE verified;"),

	/* 17. Rows that break rules are few, and have an index; those that break none are found by
	   their habits, where these would break one today. */
	("ALTER TABLE sightings ADD COLUMN broken INTEGER NOT NULL DEFAULT 0;"
	 "UPDATE sightings SET broken = 1 WHERE rules NOT IN"
	 " (SELECT id FROM rule_sets WHERE text = '');"
	 "CREATE INDEX sightings_broken ON sightings (user) WHERE broken = 1;"
	 "CREATE INDEX sightings_habit ON sightings (habit) WHERE broken = 0 AND verified = 1;"),

	/* 18. Of whom there are notices, or were: they are found without their names. */
	("ALTER TABLE users ADD COLUMN told INTEGER NOT NULL DEFAULT 0;"
	 "UPDATE users SET told = 1 WHERE name IN (SELECT user FROM notices);"
	 "CREATE INDEX users_told ON users (id) WHERE told = 1;"),
};

const int64_t store_sqlite_version = G_N_ELEMENTS(store_sqlite_migrations);
