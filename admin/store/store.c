#include "store.h"

#include <glib.h>
#include <string.h>
#include <sysexits.h>

#include "store-backend.h"
#include "store-module.h"
#include "store-uri.h"

const char *store_file_of(const char *uri)
{
	static const char sqlite[] = "sqlite:";

	return g_str_has_prefix(uri, sqlite) ? uri + strlen(sqlite) : NULL;
}

/* NULL, with the failure set, when the URI is none of these, or the module is not there. */
static const struct store_module *find_module(const char *uri, struct store_failure *failure_r)
{
	if (store_file_of(uri) != NULL)
		return &store_sqlite_module;
	if (store_uri_is_postgresql(uri))
		return store_module_postgresql(uri, failure_r);
	*failure_r = (struct store_failure){.status = EX_CONFIG};
	g_snprintf(failure_r->text, sizeof(failure_r->text),
		   "store %s: neither sqlite: nor postgresql://", uri);
	return NULL;
}

struct store *store_open(const char *uri, const char *host, enum store_access access,
			 struct store_failure *failure_r)
{
	const struct store_module *module = find_module(uri, failure_r);

	return module == NULL ? NULL : module->open_store(uri, host, access, failure_r);
}

bool store_create(const char *uri, struct store_failure *failure_r)
{
	const struct store_module *module = find_module(uri, failure_r);

	return module != NULL && module->create(uri, failure_r);
}

bool store_upgrade(const char *uri, struct store_failure *failure_r)
{
	const struct store_module *module = find_module(uri, failure_r);

	return module != NULL && module->upgrade(uri, failure_r);
}

bool store_check(const char *uri, struct store_check *check_r, store_find *find, void *context,
		 struct store_failure *failure_r)
{
	const struct store_module *module = find_module(uri, failure_r);

	*check_r = (struct store_check){0};
	return module != NULL && module->check(uri, check_r, find, context, failure_r);
}

void store_review(const char *uri, store_find *find, void *context)
{
	struct store_failure failure;
	const struct store_module *module = find_module(uri, &failure);

	if (module == NULL)
		find(context, "module", failure.text, "nothing can be recorded before");
	else if (module->review != NULL)
		module->review(uri, find, context);
}

void store_keep_from_writers(const char *uri, const char *directory)
{
	if (store_file_of(uri) != NULL)
		store_sqlite_module.keep_from_writers(uri, directory);
}

void store_close(struct store *store)
{
	if (store != NULL)
		store->backend->close(store);
}

const char *store_host_name(const struct store *store)
{
	return store->host;
}

const struct store_failure *store_failure(const struct store *store)
{
	return &store->failure;
}

/* ---- transactions ---- */

bool store_begin(struct store *store)
{
	/* What failed before is over. */
	store->failure = (struct store_failure){0};
	return store->backend->begin(store);
}

bool store_begin_reading(struct store *store)
{
	return store->backend->begin_reading(store);
}

bool store_commit(struct store *store)
{
	return store->backend->commit(store);
}

void store_rollback(struct store *store)
{
	store->backend->rollback(store);
}

/* ---- questions ---- */

size_t store_habit_count(const struct store *store)
{
	return store_dictionaries_habit_count(store->dictionaries);
}

const struct store_habit *store_habit(const struct store *store, size_t index)
{
	return store_dictionaries_habit(store->dictionaries, index);
}

size_t store_rule_set_count(const struct store *store)
{
	return store_dictionaries_rule_set_count(store->dictionaries);
}

const struct store_rule_set *store_rule_set(const struct store *store, size_t index)
{
	return store_dictionaries_rule_set(store->dictionaries, index);
}

bool store_each_sighting(struct store *store, const struct store_filter *filter,
			 store_visit_sighting *visit, void *context)
{
	return store->backend->each_sighting(store, filter, visit, context);
}

bool store_each_day(struct store *store, int64_t since_day, store_visit_day *visit, void *context)
{
	return store->backend->each_day(store, since_day, visit, context);
}

bool store_each_writer(struct store *store, store_visit_writer *visit, void *context)
{
	return store->backend->each_writer(store, visit, context);
}

bool store_totals(struct store *store, struct store_totals *totals_r)
{
	return store->backend->totals(store, totals_r);
}

/* ---- hosts ---- */

bool store_each_host(struct store *store, store_visit_host *visit, void *context)
{
	return store->backend->each_host(store, visit, context);
}

bool store_put_host(struct store *store, const struct store_host *host)
{
	return store->backend->put_host(store, host);
}

bool store_forget_host(struct store *store, const char *name, bool *found_r)
{
	return store->backend->forget_host(store, name, found_r);
}

bool store_clock(struct store *store, int64_t *now_r)
{
	return store->backend->clock(store, now_r);
}

/* ---- import ---- */

bool store_add(struct store *store, const struct store_sighting *sighting)
{
	return store->backend->add(store, sighting);
}

bool store_add_day(struct store *store, const struct store_day *day)
{
	return store->backend->add_day(store, day);
}

bool store_add_writer(struct store *store, const struct store_writer *writer)
{
	return store->backend->add_writer(store, writer);
}

bool store_add_totals(struct store *store, const struct store_totals *totals)
{
	return store->backend->add_totals(store, totals);
}

bool store_note_whereabouts(struct store *store, int64_t definition, store_find_whereabouts *find,
			    void *context)
{
	return store->backend->note_whereabouts(store, definition, find, context);
}

bool store_each_file(struct store *store, store_visit_file *visit, void *context)
{
	return store->backend->each_file(store, visit, context);
}

bool store_put_file(struct store *store, struct store_file *file)
{
	return store->backend->put_file(store, file);
}

bool store_drop_file(struct store *store, int64_t id)
{
	return store->backend->drop_file(store, id);
}

bool store_refuse_foreign_file(struct store *store, uint64_t inode, store_is_same_file *is_same,
			       void *context)
{
	return store->backend->refuse_foreign_file == NULL ||
	       store->backend->refuse_foreign_file(store, inode, is_same, context);
}

/* ---- logs ---- */

bool store_find_server(struct store *store, struct store_server *server)
{
	return store->backend->find_server(store, server);
}

bool store_note_tls(struct store *store, int64_t server, enum service service, int64_t time)
{
	return store->backend->note_tls(store, server, service, time);
}

bool store_cover(struct store *store, int64_t server, int64_t first, int64_t last)
{
	return store->backend->cover(store, server, first, last);
}

bool store_settle(struct store *store, int64_t before, bool *more_r)
{
	return store->backend->settle(store, before, more_r);
}

bool store_each_log(struct store *store, store_visit_log *visit, void *context)
{
	return store->backend->each_log(store, visit, context);
}

bool store_put_log(struct store *store, struct store_log *log)
{
	return store->backend->put_log(store, log);
}

bool store_refuse_foreign_log(struct store *store, uint64_t inode, store_is_same_log *is_same,
			      void *context)
{
	return store->backend->refuse_foreign_log == NULL ||
	       store->backend->refuse_foreign_log(store, inode, is_same, context);
}

bool store_log_state(struct store *store, struct store_log_state *state_r)
{
	return store->backend->log_state(store, state_r);
}

bool store_put_log_state(struct store *store, const struct store_log_state *state)
{
	return store->backend->put_log_state(store, state);
}

bool store_each_log_service(struct store *store, store_visit_log_service *visit, void *context)
{
	return store->backend->each_log_service(store, visit, context);
}

bool store_put_log_service(struct store *store, const struct store_log_service *service)
{
	return store->backend->put_log_service(store, service);
}

bool store_each_log_connection(struct store *store, store_visit_log_connection *visit,
			       void *context)
{
	return store->backend->each_log_connection(store, visit, context);
}

bool store_drop_log_connections(struct store *store)
{
	return store->backend->drop_log_connections(store);
}

bool store_add_log_connection(struct store *store, const struct store_log_connection *connection)
{
	return store->backend->add_log_connection(store, connection);
}

/* ---- notices ---- */

bool store_put_notice(struct store *store, struct store_notice *notice)
{
	return store->backend->put_notice(store, notice);
}

bool store_each_notice(struct store *store, const char *user, store_visit_notice *visit,
		       void *context)
{
	return store->backend->each_notice(store, user, visit, context);
}

bool store_find_notice(struct store *store, const char *message_id, store_visit_notice *visit,
		       void *context)
{
	return store->backend->find_notice(store, message_id, visit, context);
}

bool store_fail_notice(struct store *store, int64_t id, int64_t now, const char *error)
{
	return store->backend->fail_notice(store, id, now, error);
}

bool store_count_notices(struct store *store, int64_t after, int64_t until, uint64_t *count_r)
{
	return store->backend->count_notices(store, after, until, count_r);
}

bool store_lock_notices(struct store *store, bool *locked_r, struct store_notifier *other_r)
{
	*locked_r = true;
	*other_r = (struct store_notifier){0};
	return store->backend->lock_notices == NULL ||
	       store->backend->lock_notices(store, locked_r, other_r);
}

bool store_holds_notices(struct store *store)
{
	return store->backend->holds_notices == NULL || store->backend->holds_notices(store);
}

/* ---- what hosts share ---- */

const char *store_text_name(enum store_text which)
{
	static const char *const names[STORE_TEXT_COUNT] = {
		[STORE_EXEMPTIONS] = "exemptions",
		[STORE_GRACE] = "grace",
	};

	return names[which];
}

bool store_shared_version(struct store *store, enum store_text which, int64_t *version_r)
{
	return store->backend->shared_version(store, which, version_r);
}

bool store_read_shared(struct store *store, enum store_text which, struct store_shared *shared_r)
{
	return store->backend->read_shared(store, which, shared_r);
}

bool store_put_shared(struct store *store, enum store_text which, const struct store_shared *shared,
		      bool *put_r)
{
	return store->backend->put_shared(store, which, shared, put_r);
}

bool store_take_in(struct store *store, const struct store_shared *shared,
		   enum store_taking *taking_r)
{
	return store->backend->take_in(store, shared, taking_r);
}

/* ---- privacy ---- */

bool store_expire(struct store *store, const struct store_expiry *expiry, int64_t now)
{
	return store->backend->expire(store, expiry, now);
}

bool store_correct_future(struct store *store, int64_t now)
{
	return store->backend->correct_future(store, now);
}

int store_may_erase(struct store *store)
{
	return store->backend->may_erase == NULL ? 1 : store->backend->may_erase(store);
}

bool store_has_expired(struct store *store, const struct store_expiry *expiry, int64_t now,
		       bool *found_r)
{
	return store->backend->has_expired(store, expiry, now, found_r);
}

bool store_forget(struct store *store, const char *user, int64_t before, bool *found_r,
		  bool *wiped_r)
{
	return store->backend->forget(store, user, before, found_r, wiped_r);
}

bool store_each_order(struct store *store, store_visit_order *visit, void *context)
{
	return store->backend->each_order == NULL ||
	       store->backend->each_order(store, visit, context);
}

bool store_answer_order(struct store *store, int64_t id)
{
	return store->backend->answer_order == NULL || store->backend->answer_order(store, id);
}
