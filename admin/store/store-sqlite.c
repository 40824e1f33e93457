#include "store-sqlite.h"

#include <errno.h>
#include <glib.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

/* "PTCL": tells a store from other people's databases. */
#define APPLICATION_ID 0x5054434c

#define BUSY_MILLISECONDS 10000

#define SCHEME "sqlite:"

/* Each brings a store from the version before it to its own. Never change one
   that was released: add another. */
static const char *const migrations[] = {
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
};

#define SCHEMA_VERSION ((int)(sizeof(migrations) / sizeof(*migrations)))

/* Weeks between a row's last week and another's, not below 0; as store_week(). */
#define WEEK(time) "((" time " + 259200000) / 604800000)"
#define WEEKS_LATER(time, other) "max(0, " WEEK(time) " - " WEEK(other) ")"

#define SIGHTING_COLUMNS                                                                           \
	"user, verified, habit, rules, count, rejected, first_seen, last_seen, last_client, weeks"

#define DAY_COLUMNS "day, sightings, unknown_country, lines, lost, set_aside"

#define NOTICE_COLUMNS                                                                             \
	"user, recipient, message_id, reason, rules, state, intended, settled, attempts, error"

static const char *const statement_texts[STATEMENT_COUNT] = {
	[STATEMENT_BEGIN] = "BEGIN",
	[STATEMENT_BEGIN_IMMEDIATE] = "BEGIN IMMEDIATE",
	[STATEMENT_COMMIT] = "COMMIT",
	[STATEMENT_ROLLBACK] = "ROLLBACK",
	[STATEMENT_FIND_STRING] = "SELECT id FROM strings WHERE text = ?1",
	[STATEMENT_ADD_STRING] = "INSERT INTO strings (text) VALUES (?1)",
	[STATEMENT_FIND_HABIT] =
		"SELECT id FROM habits WHERE source = ?1 AND service = ?2 AND port = ?3 AND"
		" tls = ?4 AND country = ?5 AND mechanism = ?6 AND client_id = ?7",
	[STATEMENT_ADD_HABIT] =
		"INSERT INTO habits (source, service, port, tls, country, mechanism, client_id)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[STATEMENT_COUNT_HABITS] = "SELECT count(*) FROM habits",
	[STATEMENT_FIND_RULE_SET] = "SELECT id FROM rule_sets WHERE text = ?1",
	[STATEMENT_ADD_RULE_SET] = "INSERT INTO rule_sets (text) VALUES (?1)",
	[STATEMENT_FIND_USER] = "SELECT id, verified FROM users WHERE name = ?1",
	[STATEMENT_ADD_USER] = "INSERT INTO users (name, verified) VALUES (?1, ?2)",
	[STATEMENT_VERIFY_USER] = "UPDATE users SET verified = 1 WHERE id = ?1",
	[STATEMENT_COUNT_UNVERIFIED] = "SELECT count(*) FROM users WHERE verified = 0",
	/* All expressions see the row as it was. */
	[STATEMENT_UPDATE_SIGHTING] =
		"UPDATE sightings SET count = count + ?5, rejected = rejected + ?6,"
		" first_seen = min(first_seen, ?7), last_seen = max(last_seen, ?8),"
		" last_client = CASE WHEN ?8 >= last_seen THEN ?9 ELSE last_client END,"
		" weeks = (weeks << " WEEKS_LATER(
			"?8", "last_seen") ")"
					   " | (?10 << " WEEKS_LATER(
						   "last_seen",
						   "?8") ")"
							 " WHERE user = ?1 AND verified = ?2 AND "
							 "habit = ?3 AND rules = ?4",
	[STATEMENT_COUNT_SIGHTINGS] =
		"SELECT count(*) FROM sightings WHERE user = ?1 AND verified = ?2",
	[STATEMENT_ADD_SIGHTING] = "INSERT INTO sightings (" SIGHTING_COLUMNS ")"
				   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[STATEMENT_ADD_DAY] = "INSERT INTO days (" DAY_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
			      " ON CONFLICT (day) DO UPDATE SET"
			      " sightings = sightings + excluded.sightings,"
			      " unknown_country = unknown_country + excluded.unknown_country,"
			      " lines = lines + excluded.lines, lost = lost + excluded.lost,"
			      " set_aside = set_aside + excluded.set_aside",
	[STATEMENT_ADD_WRITER] =
		"INSERT INTO writers (host, source, lines, lost, last_seen)"
		" VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (host, source) DO UPDATE SET"
		" lines = lines + excluded.lines, lost = lost + excluded.lost,"
		" last_seen = max(last_seen, excluded.last_seen)",
	[STATEMENT_ADD_TOTALS] = "UPDATE totals SET last_import = ?1, lines = lines + ?2,"
				 " lost = lost + ?3, set_aside = set_aside + ?4",
	[STATEMENT_ADD_FILE] =
		"INSERT INTO files (name, device, inode, head, head_length, position,"
		" removed, touched) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[STATEMENT_UPDATE_FILE] =
		"UPDATE files SET name = ?1, device = ?2, inode = ?3, head = ?4,"
		" head_length = ?5, position = ?6, removed = ?7, touched = ?8 WHERE id = ?9",
	[STATEMENT_DROP_FILE] = "DELETE FROM files WHERE id = ?1",
	[STATEMENT_ALL_HABITS] =
		"SELECT habits.id, source, service, port, tls, country, mechanisms.text,"
		" client_ids.text FROM habits JOIN strings mechanisms ON mechanisms.id = mechanism"
		" JOIN strings client_ids ON client_ids.id = client_id ORDER BY habits.id",
	[STATEMENT_ALL_RULE_SETS] = "SELECT id, text FROM rule_sets ORDER BY id",
	[STATEMENT_ALL_USERS] = "SELECT id, name FROM users ORDER BY id",
	[STATEMENT_ALL_SIGHTINGS] = "SELECT " SIGHTING_COLUMNS " FROM sightings ORDER BY user",
	[STATEMENT_SIGHTINGS_OF_USER] =
		"SELECT " SIGHTING_COLUMNS " FROM sightings"
		" WHERE user = (SELECT id FROM users WHERE name = ?1) ORDER BY user",
	[STATEMENT_DAYS] = "SELECT " DAY_COLUMNS " FROM days WHERE day >= ?1 ORDER BY day",
	[STATEMENT_WRITERS] =
		"SELECT host, source, lines, lost, last_seen FROM writers ORDER BY host, source",
	[STATEMENT_TOTALS] = "SELECT last_import, lines, lost, set_aside FROM totals",
	[STATEMENT_FILES] = "SELECT id, name, device, inode, head, head_length, position, removed,"
			    " touched FROM files ORDER BY id",
	[STATEMENT_ADD_NOTICE] = "INSERT INTO notices (" NOTICE_COLUMNS ")"
				 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[STATEMENT_UPDATE_NOTICE] =
		"UPDATE notices SET user = ?1, recipient = ?2, message_id = ?3, reason = ?4,"
		" rules = ?5, state = ?6, intended = ?7, settled = ?8, attempts = ?9,"
		" error = ?10 WHERE id = ?11",
	[STATEMENT_ALL_NOTICES] = "SELECT id, " NOTICE_COLUMNS " FROM notices ORDER BY id",
	[STATEMENT_NOTICES_OF_USER] =
		"SELECT id, " NOTICE_COLUMNS " FROM notices WHERE user = ?1 ORDER BY id",
	[STATEMENT_COUNT_NOTICES] = "SELECT count(*) FROM notices WHERE state = ?1"
				    " AND settled > ?2 AND settled <= ?3",
	[STATEMENT_DROP_NOTICES] = "DELETE FROM notices WHERE user = ?1",
};

/* ---- failures ---- */

const struct store_failure *store_failure(const struct store *store)
{
	return &store->failure;
}

static void set_failure(struct store *store, int status, const char *reason)
{
	store->failure.status = status;
	snprintf(store->failure.text, sizeof(store->failure.text), "store %s: %s", store->path,
		 reason);
}

bool store_out_of_memory(struct store *store)
{
	set_failure(store, EX_OSERR, "out of memory");
	return false;
}

bool store_failed(struct store *store)
{
	int code = sqlite3_errcode(store->database);
	int error = sqlite3_system_errno(store->database);

	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		set_failure(store, EX_TEMPFAIL, "it is locked by another process");
		break;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		set_failure(store, EX_NOPERM,
			    "it cannot be written: it, its directory or its disk "
			    "is read-only for this user");
		break;
	case SQLITE_CANTOPEN:
		set_failure(store, EX_NOPERM, error == 0 ? "it cannot be opened" : strerror(error));
		break;
	case SQLITE_FULL:
		set_failure(store, EX_IOERR, "the disk is full");
		break;
	case SQLITE_IOERR:
		set_failure(store, EX_IOERR,
			    error == 0 ? sqlite3_errmsg(store->database) : strerror(error));
		break;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		set_failure(store, EX_DATAERR,
			    "it is damaged; take a backup, or move it away and begin a new one");
		break;
	case SQLITE_NOMEM:
		return store_out_of_memory(store);
	default:
		set_failure(store, EX_SOFTWARE, sqlite3_errmsg(store->database));
	}
	return false;
}

/* ---- statements ---- */

sqlite3_stmt *store_statement(struct store *store, enum statement statement)
{
	sqlite3_stmt **prepared = &store->statements[statement];

	if (*prepared == NULL &&
	    sqlite3_prepare_v3(store->database, statement_texts[statement], -1,
			       SQLITE_PREPARE_PERSISTENT, prepared, NULL) != SQLITE_OK)
		store_failed(store);
	return *prepared;
}

int store_step(struct store *store, sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	if (code == SQLITE_ROW)
		return 1;
	if (code != SQLITE_DONE)
		store_failed(store);
	sqlite3_reset(statement);
	return code == SQLITE_DONE ? 0 : -1;
}

bool store_run(struct store *store, sqlite3_stmt *statement)
{
	return statement != NULL && store_step(store, statement) == 0;
}

bool store_execute(struct store *store, const char *sql)
{
	return sqlite3_exec(store->database, sql, NULL, NULL, NULL) == SQLITE_OK ||
	       store_failed(store);
}

void store_bind_text(sqlite3_stmt *statement, int index, const char *text)
{
	sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
}

/* ---- transactions ---- */

static void forget_ids(struct store *store)
{
	id_cache_clear(store->habit_ids);
	id_cache_clear(store->rule_set_ids);
	store->unverified_users = -1;
	store->habits_stored = -1;
}

bool store_begin(struct store *store)
{
	/* Others may have removed what was remembered. */
	forget_ids(store);
	return store_run(store, store_statement(store, STATEMENT_BEGIN_IMMEDIATE));
}

bool store_commit(struct store *store)
{
	if (store_run(store, store_statement(store, STATEMENT_COMMIT)))
		return true;
	store_rollback(store);
	return false;
}

void store_rollback(struct store *store)
{
	struct store_failure failure = store->failure;

	/* SQLite may have rolled back by itself. */
	if (sqlite3_get_autocommit(store->database) == 0)
		store_run(store, store_statement(store, STATEMENT_ROLLBACK));
	store->failure = failure;
	forget_ids(store);
}

/* ---- opening ---- */

static bool read_number(struct store *store, const char *sql, int64_t *number_r)
{
	sqlite3_stmt *statement;
	int code;

	if (sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL) != SQLITE_OK)
		return store_failed(store);
	code = store_step(store, statement);
	if (code == 1)
		*number_r = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return code == 1;
}

/* Another process may migrate at the same time; so within one transaction. */
static bool migrate(struct store *store)
{
	int64_t version;
	char sql[128];

	if (!store_execute(store, "BEGIN IMMEDIATE"))
		return false;
	if (!read_number(store, "PRAGMA user_version", &version))
		goto failed;
	for (int64_t i = version; i < SCHEMA_VERSION; i++) {
		if (!store_execute(store, migrations[i]))
			goto failed;
	}
	snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d",
		 APPLICATION_ID, SCHEMA_VERSION);
	if (store_execute(store, sql) && store_commit(store))
		return true;
failed:
	store_rollback(store);
	return false;
}

static bool check_version(struct store *store, enum store_access access)
{
	int64_t application, version, tables;

	if (!read_number(store, "PRAGMA application_id", &application) ||
	    !read_number(store, "PRAGMA user_version", &version) ||
	    !read_number(store, "SELECT count(*) FROM sqlite_schema", &tables))
		return false;
	if (application != APPLICATION_ID && (tables > 0 || version > 0 || application != 0)) {
		set_failure(store, EX_DATAERR, "it is another program's database");
		return false;
	}
	if (version > SCHEMA_VERSION) {
		set_failure(store, EX_DATAERR, "it was made by a newer version of Portcullis");
		return false;
	}
	if (version == 0 && access == STORE_READ) {
		set_failure(store, EX_NOINPUT, "it is empty; 'portcullis import' fills it");
		return false;
	}
	return version == SCHEMA_VERSION || migrate(store);
}

/* SQLite would make a file that all may read. */
static bool make_file(struct store *store)
{
	int descriptor = open(store->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

	if (descriptor >= 0) {
		close(descriptor);
		return true;
	}
	/* A store that may only be read is noticed when it is written to. */
	if (access(store->path, F_OK) == 0)
		return true;
	set_failure(store, EX_CANTCREAT, strerror(errno));
	return false;
}

/* SQLite waits for a FIFO, and writes to where a link leads. A link to the store itself is
   the operator's. */
static bool has_regular_files(struct store *store)
{
	static const char *const suffixes[] = {"", "-journal", "-wal", "-shm"};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		char *path = g_strconcat(store->path, suffixes[i], NULL);
		struct stat status;
		int found = i == 0 ? stat(path, &status) : lstat(path, &status);

		g_free(path);
		if (found == 0 && (!S_ISREG(status.st_mode) || status.st_nlink > 1)) {
			snprintf(store->failure.text, sizeof(store->failure.text),
				 "store %s%s: it is not a regular file with one name", store->path,
				 suffixes[i]);
			store->failure.status = EX_DATAERR;
			return false;
		}
	}
	return true;
}

/* The files of the write-ahead log stay, empty, when nobody has the store open:
   whoever may read it, but not write to its directory, cannot make them. */
static bool keep_log_files(struct store *store)
{
	int keep = 1;

	sqlite3_file_control(store->database, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
	return store_execute(store, "PRAGMA journal_size_limit = 0");
}

static bool open_database(struct store *store, enum store_access access_wanted)
{
	int flags = access(store->path, W_OK) == 0 ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;

	if (access_wanted == STORE_WRITE) {
		if (!make_file(store))
			return false;
	} else if (access(store->path, F_OK) < 0 && errno == ENOENT) {
		set_failure(store, EX_NOINPUT, "there is none yet; 'portcullis import' makes it");
		return false;
	}
	if (!has_regular_files(store))
		return false;
	if (access_wanted == STORE_WRITE)
		flags = SQLITE_OPEN_READWRITE;
	if (sqlite3_open_v2(store->path, &store->database, flags | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK)
		return store_failed(store);
	sqlite3_extended_result_codes(store->database, 1);
	sqlite3_busy_timeout(store->database, BUSY_MILLISECONDS);
	if (access_wanted == STORE_WRITE && sqlite3_db_readonly(store->database, "main") == 1) {
		set_failure(store, EX_NOPERM,
			    "it may only be read: it is read-only for this user, or its disk is");
		return false;
	}
	if (!keep_log_files(store) || !store_execute(store, "PRAGMA cache_size = -32768"))
		return false;
	if (access_wanted == STORE_READ)
		return check_version(store, access_wanted);
	/* Questions read while an import writes. What is committed is on the disk
	   before a journal file is removed. What is erased is overwritten. */
	return check_version(store, access_wanted) &&
	       store_execute(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
				    " PRAGMA secure_delete = ON");
}

const char *store_file_of(const char *uri)
{
	return strncmp(uri, SCHEME, strlen(SCHEME)) == 0 ? uri + strlen(SCHEME) : NULL;
}

struct store *store_open(const char *uri, enum store_access access, struct store_failure *failure_r)
{
	struct store *store = calloc(1, sizeof(*store));

	*failure_r = (struct store_failure){.status = EX_OSERR, .text = "out of memory"};
	if (store == NULL)
		return NULL;
	store->habit_ids = id_cache_create();
	store->rule_set_ids = id_cache_create();
	store->path = strdup(uri);
	if (store->habit_ids == NULL || store->rule_set_ids == NULL || store->path == NULL)
		goto failed;
	if (store_file_of(uri) == NULL) {
		set_failure(store, EX_UNAVAILABLE, "this portcullis was built for SQLite only");
		*failure_r = store->failure;
		goto failed;
	}
	strcpy(store->path, store_file_of(uri));
	if (open_database(store, access))
		return store;
	*failure_r = store->failure;
failed:
	store_close(store);
	return NULL;
}

void store_close(struct store *store)
{
	if (store == NULL)
		return;
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(store->statements[i]);
	store_unload_dictionaries(store);
	sqlite3_close(store->database);
	id_cache_free(store->habit_ids);
	id_cache_free(store->rule_set_ids);
	free(store->path);
	free(store);
}
