#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "admin/files/directory.h"
#include "admin/files/file-group.h"
#include "admin/files/file-open.h"
#include "admin/store/store-module.h"
#include "migrations.h"
#include "sqlite.h"

/* "PTCL": tells a store from other people's databases. */
#define APPLICATION_ID 0x5054434c

#define BUSY_MILLISECONDS 10000

/* ---- versions ---- */

static bool read_version(struct store *store, int64_t *version_r)
{
	return store_sqlite_number(store, store_sqlite_statement(store, "PRAGMA user_version"),
				   version_r) > 0;
}

static bool write_version(struct store *store)
{
	char sql[128];

	g_snprintf(sql, sizeof(sql),
		   "PRAGMA application_id = %d; PRAGMA user_version = %" G_GINT64_FORMAT,
		   APPLICATION_ID, store_sqlite_version);
	return store_sqlite_execute(store, sql);
}

/* Another process may migrate at the same time; so within one transaction. */
static bool migrate(struct store *store)
{
	int64_t version;
	bool fine;

	if (!store_sqlite_begin(store))
		return false;
	fine = read_version(store, &version);
	for (; fine && version < store_sqlite_version; version++)
		fine = store_sqlite_execute(store, store_sqlite_migrations[version]);
	if (fine && write_version(store))
		return store_sqlite_commit(store);
	store_sqlite_rollback(store);
	return false;
}

/* In one statement: another process may just be making it. */
static bool look_at(struct store *store, int64_t *version_r, bool *foreign_r)
{
	sqlite3_stmt *row = store_sqlite_statement(
		store, "SELECT user_version, application_id, (SELECT count(*) FROM sqlite_schema)"
		       " FROM pragma_user_version, pragma_application_id");
	int64_t application, tables;

	if (store_sqlite_step(store, row) <= 0)
		return false;
	*version_r = sqlite3_column_int64(row, 0);
	application = sqlite3_column_int64(row, 1);
	tables = sqlite3_column_int64(row, 2);
	sqlite3_reset(row);
	*foreign_r =
		application != APPLICATION_ID && (tables > 0 || *version_r > 0 || application != 0);
	return true;
}

static bool check_version(struct store *store, enum store_access access)
{
	int64_t version;
	bool foreign;

	if (!look_at(store, &version, &foreign))
		return false;
	if (foreign)
		return store_fail(store, EX_DATAERR, "it is another program's database");
	if (version > store_sqlite_version)
		return store_fail(store, EX_DATAERR,
				  "it was made by a newer version of Portcullis");
	if (version == 0 && access == STORE_READ)
		return store_fail(store, EX_NOINPUT, "it is empty; 'portcullis import' fills it");
	return version == store_sqlite_version || migrate(store);
}

/* ---- the file ---- */

/* Those that SQLite keeps beside the store, with its mode. */
static const char *const suffixes[] = {"-journal", "-wal", "-shm"};

static void keep_from_writers(const char *uri, const char *directory)
{
	const char *path = store_file_of(uri);

	file_keep_from_writers(path, directory);
	for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		char *beside = g_strconcat(path, suffixes[i], NULL);

		file_keep_from_writers(beside, directory);
		g_free(beside);
	}
}

static bool refuse_file(struct store *store, const char *suffix)
{
	char *reason =
		g_strdup_printf("%s%s is not a regular file with one name", store->name, suffix);

	store_fail(store, EX_DATAERR, reason);
	g_free(reason);
	return false;
}

/* SQLite waits for a FIFO, and writes to where a link leads. A link to the store itself is
   the operator's. */
static bool has_regular_files(struct store *store)
{
	struct stat status;

	if (stat(store->name, &status) == 0 && !S_ISREG(status.st_mode))
		return refuse_file(store, "");
	for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		char *path = g_strconcat(store->name, suffixes[i], NULL);
		bool is_there = lstat(path, &status) == 0;

		g_free(path);
		if (is_there && (!S_ISREG(status.st_mode) || status.st_nlink > 1))
			return refuse_file(store, suffixes[i]);
	}
	return true;
}

/* Makes the file where it is missing: SQLite would make one that all may read. */
static bool make_file(struct store *store)
{
	const char *name;
	int directory = directory_open_of(store->name, &name);
	int file = directory < 0 ? -1 : file_open(directory, name, O_RDWR | O_CREAT | O_EXCL, 0640);
	bool is_made = file >= 0 && file_let_group_read(file, directory);
	int error = errno;

	/* Otherwise the next import would take it for one that is as it should be. */
	if (file >= 0 && !is_made)
		unlinkat(directory, name, 0);
	file_close(directory);
	file_close(file);
	if (is_made)
		return true;
	/* A store that may only be read is noticed when it is written to. */
	return access(store->name, F_OK) == 0 || store_fail(store, EX_CANTCREAT, strerror(error));
}

/* All that is done to the files before SQLite opens them, with *flags_r. */
static bool prepare_file(struct store *store, enum store_access wanted, int *flags_r)
{
	*flags_r = SQLITE_OPEN_READWRITE;
	if (wanted == STORE_WRITE)
		return make_file(store) && has_regular_files(store);
	if (access(store->name, W_OK) < 0)
		*flags_r = SQLITE_OPEN_READONLY;
	if (access(store->name, F_OK) < 0 && errno == ENOENT)
		return store_fail(store, EX_NOINPUT,
				  "there is none yet; 'portcullis import' makes it");
	return has_regular_files(store);
}

static bool open_file(struct store *store, enum store_access wanted)
{
	struct store_sqlite *sqlite = store_sqlite(store);
	int flags;

	if (!prepare_file(store, wanted, &flags))
		return false;
	if (sqlite3_open_v2(store->name, &sqlite->database, flags | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK)
		return store_sqlite_failed(store);
	if (wanted == STORE_WRITE && sqlite3_db_readonly(sqlite->database, "main") == 1)
		return store_fail(store, EX_NOPERM,
				  "it may only be read: it is read-only for this user, or its "
				  "disk is");
	return true;
}

/* ---- opening ---- */

/* The files of the write-ahead log stay, empty, when nobody has the store open:
   whoever may read it, but not write to its directory, cannot make them. */
static bool keep_log_files(struct store *store)
{
	int keep = 1;

	sqlite3_file_control(store_sqlite(store)->database, "main", SQLITE_FCNTL_PERSIST_WAL,
			     &keep);
	return store_sqlite_execute(store, "PRAGMA journal_size_limit = 0");
}

static bool open_database(struct store *store, enum store_access wanted)
{
	if (!open_file(store, wanted))
		return false;
	sqlite3_extended_result_codes(store_sqlite(store)->database, 1);
	sqlite3_busy_timeout(store_sqlite(store)->database, BUSY_MILLISECONDS);
	if (!store_sqlite_add_functions(store) || !keep_log_files(store) ||
	    !store_sqlite_execute(store, "PRAGMA cache_size = -32768") ||
	    !check_version(store, wanted))
		return false;
	/* Questions read while an import writes. What is committed is on the disk
	   before a journal file is removed. What is erased is overwritten. */
	return wanted == STORE_READ ||
	       store_sqlite_execute(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
					   " PRAGMA secure_delete = ON");
}

static void finalize(void *statement)
{
	sqlite3_finalize(statement);
}

static void close_store(struct store *store)
{
	struct store_sqlite *sqlite = store_sqlite(store);

	g_hash_table_unref(sqlite->statements);
	sqlite3_close(sqlite->database);
	id_cache_free(sqlite->habit_ids);
	id_cache_free(sqlite->rule_set_ids);
	store_free(store);
}

static const struct store_backend backend = {
	.close = close_store,
	.begin = store_sqlite_begin,
	.begin_reading = store_sqlite_begin_reading,
	.commit = store_sqlite_commit,
	.rollback = store_sqlite_rollback,
	.each_sighting = store_sqlite_each_sighting,
	.count_activity = store_sqlite_count_activity,
	.each_day = store_sqlite_each_day,
	.each_writer = store_sqlite_each_writer,
	.totals = store_sqlite_totals,
	.each_host = store_sqlite_each_host,
	.put_host = store_sqlite_put_host,
	.forget_host = store_sqlite_forget_host,
	.clock = store_sqlite_clock,
	.add = store_sqlite_add,
	.add_day = store_sqlite_add_day,
	.confirm_days = store_sqlite_confirm_days,
	.add_writer = store_sqlite_add_writer,
	.add_totals = store_sqlite_add_totals,
	.note_whereabouts = store_sqlite_note_whereabouts,
	.each_file = store_sqlite_each_file,
	.put_file = store_sqlite_put_file,
	.drop_file = store_sqlite_drop_file,
	.find_server = store_sqlite_find_server,
	.note_tls = store_sqlite_note_tls,
	.cover = store_sqlite_cover,
	.settle = store_sqlite_settle,
	.each_log = store_sqlite_each_log,
	.put_log = store_sqlite_put_log,
	.log_state = store_sqlite_log_state,
	.put_log_state = store_sqlite_put_log_state,
	.each_log_service = store_sqlite_each_log_service,
	.put_log_service = store_sqlite_put_log_service,
	.each_log_connection = store_sqlite_each_log_connection,
	.drop_log_connections = store_sqlite_drop_log_connections,
	.add_log_connection = store_sqlite_add_log_connection,
	.put_notice = store_sqlite_put_notice,
	.each_notice = store_sqlite_each_notice,
	.find_notice = store_sqlite_find_notice,
	.fail_notice = store_sqlite_fail_notice,
	.count_notices = store_sqlite_count_notices,
	.shared_version = store_sqlite_shared_version,
	.read_shared = store_sqlite_read_shared,
	.put_shared = store_sqlite_put_shared,
	.take_in = store_sqlite_take_in,
	.expire = store_sqlite_expire,
	.correct_future = store_sqlite_correct_future,
	.has_expired = store_sqlite_has_expired,
	.forget = store_sqlite_forget,
	.read_table = store_sqlite_read_table,
	.count_table = store_sqlite_count_table,
	.write_row = store_sqlite_write_row,
	.end_copy = store_sqlite_end_copy,
};

static struct store *open_store(const char *uri, const char *host, enum store_access access,
				struct store_failure *failure_r)
{
	struct store_sqlite *sqlite = g_new0(struct store_sqlite, 1);

	store_init(&sqlite->store, &backend, store_file_of(uri), host);
	sqlite->statements = g_hash_table_new_full(NULL, NULL, NULL, finalize);
	sqlite->habit_ids = id_cache_create();
	sqlite->rule_set_ids = id_cache_create();
	if (open_database(&sqlite->store, access))
		return &sqlite->store;
	*failure_r = sqlite->store.failure;
	close_store(&sqlite->store);
	return NULL;
}

static bool open_and_close(const char *uri, enum store_access access,
			   struct store_failure *failure_r)
{
	struct store *store = open_store(uri, NULL, access, failure_r);

	store_close(store);
	return store != NULL;
}

/* A file is made, and brought up to date, by whoever opens it. */
static bool create(const char *uri, struct store_failure *failure_r)
{
	return open_and_close(uri, STORE_WRITE, failure_r);
}

static bool upgrade(const char *uri, struct store_failure *failure_r)
{
	return open_and_close(uri, STORE_READ, failure_r);
}

const struct store_module store_sqlite_module = {
	.version = PORTCULLIS_VERSION,
	.open_store = open_store,
	.create = create,
	.upgrade = upgrade,
	.check = store_sqlite_check,
	.keep_from_writers = keep_from_writers,
};
