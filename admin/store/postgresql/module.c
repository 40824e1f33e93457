#include "module.h"

#include "admin/store/store-uri.h"
#include "check.h"
#include "last-look.h"
#include "postgresql.h"
#include "review.h"

static void close_store(struct store *store)
{
	struct store_postgresql *postgresql = store_postgresql(store);

	postgresql_disconnect(store);
	PQfinish(postgresql->lock);
	batch_free(postgresql->batch);
	g_hash_table_unref(postgresql->positions);
	g_hash_table_unref(postgresql->coverage);
	g_clear_pointer(&postgresql->known_ways, g_hash_table_unref);
	g_clear_pointer(&postgresql->orders, g_hash_table_unref);
	g_array_unref(postgresql->covers);
	last_look_free(postgresql->last_look);
	g_array_unref(postgresql->days);
	g_array_unref(postgresql->writers);
	g_hash_table_unref(postgresql->servers);
	postgresql_copy_free(postgresql->copy);
	parameters_clear(&postgresql->services);
	parameters_clear(&postgresql->connections);
	postgresql_notices_end(store);
	g_free(postgresql->uri);
	store_free(store);
}

static const struct store_backend backend = {
	.close = close_store,
	.begin = postgresql_begin,
	.begin_reading = postgresql_begin_reading,
	.commit = postgresql_commit,
	.rollback = postgresql_rollback,
	.each_sighting = postgresql_each_sighting,
	.count_activity = postgresql_count_activity,
	.each_day = postgresql_each_day,
	.each_writer = postgresql_each_writer,
	.totals = postgresql_totals,
	.each_host = postgresql_each_host,
	.put_host = postgresql_put_host,
	.forget_host = postgresql_forget_host,
	.clock = postgresql_clock,
	.add = postgresql_add,
	.add_day = postgresql_add_day,
	.confirm_days = postgresql_confirm_days,
	.add_writer = postgresql_add_writer,
	.add_totals = postgresql_add_totals,
	.note_whereabouts = postgresql_note_whereabouts,
	.each_file = postgresql_each_file,
	.put_file = postgresql_put_file,
	.drop_file = postgresql_drop_file,
	.refuse_foreign_file = postgresql_refuse_foreign_file,
	.find_server = postgresql_find_server,
	.note_tls = postgresql_note_tls,
	.cover = postgresql_cover,
	.settle = postgresql_settle,
	.each_log = postgresql_each_log,
	.put_log = postgresql_put_log,
	.refuse_foreign_log = postgresql_refuse_foreign_log,
	.log_state = postgresql_log_state,
	.put_log_state = postgresql_put_log_state,
	.each_log_service = postgresql_each_log_service,
	.put_log_service = postgresql_put_log_service,
	.each_log_connection = postgresql_each_log_connection,
	.drop_log_connections = postgresql_drop_log_connections,
	.add_log_connection = postgresql_add_log_connection,
	.put_notice = postgresql_put_notice,
	.each_notice = postgresql_each_notice,
	.find_notice = postgresql_find_notice,
	.fail_notice = postgresql_fail_notice,
	.count_notices = postgresql_count_notices,
	.lock_notices = postgresql_lock_notices,
	.holds_notices = postgresql_holds_notices,
	.shared_version = postgresql_shared_version,
	.read_shared = postgresql_read_shared,
	.put_shared = postgresql_put_shared,
	.take_in = postgresql_take_in,
	.expire = postgresql_expire,
	.may_erase = postgresql_may_delete,
	.correct_future = postgresql_correct_future,
	.has_expired = postgresql_has_expired,
	.forget = postgresql_forget,
	.each_order = postgresql_each_order,
	.answer_order = postgresql_answer_order,
	.read_table = postgresql_read_table,
	.count_table = postgresql_count_table,
	.write_row = postgresql_write_row,
	.end_copy = postgresql_end_copy,
};

struct store *postgresql_allocate(const char *uri, const char *host, enum store_access access)
{
	struct store_postgresql *postgresql = g_new0(struct store_postgresql, 1);
	char *name = store_uri_to_show(uri);

	store_init(&postgresql->store, &backend, name, host);
	g_free(name);
	postgresql->uri = g_strdup(uri);
	postgresql->access = access;
	postgresql->batch = batch_create();
	postgresql->positions = postgresql_positions_create();
	postgresql->coverage = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
						     (GDestroyNotify)g_array_unref);
	postgresql->covers = postgresql_covers_create();
	postgresql->last_look = last_look_create();
	postgresql->days = g_array_new(FALSE, FALSE, sizeof(struct store_day));
	postgresql->writers = postgresql_writers_create();
	postgresql->servers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return &postgresql->store;
}

static struct store *open_store(const char *uri, const char *host, enum store_access access,
				struct store_failure *failure_r)
{
	struct store *store = postgresql_allocate(uri, host, access);

	if (postgresql_connect(store, false))
		return store;
	*failure_r = store->failure;
	store_close(store);
	return NULL;
}

/* The tool finds it by this name. */
__attribute__((visibility("default"))) extern const struct store_module portcullis_store_module;

const struct store_module portcullis_store_module = {
	.version = PORTCULLIS_VERSION,
	.open_store = open_store,
	.create = postgresql_create,
	.upgrade = postgresql_upgrade,
	.check = postgresql_check,
	.review = postgresql_review,
};
