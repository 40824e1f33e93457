#include "postgresql.h"

/* What hosts are to forget, as store-orders.h says.

   Who forgets a user locks out all who record, and waits until their transactions have ended:
   what was recorded before it is removed, and whoever begins after it knows of the order. */

/* ---- for who records ---- */

/* By this machine's clock, which also dates the lines. */
static bool read_orders(struct store *store)
{
	struct store_postgresql *postgresql = store_postgresql(store);
	PGresult *result = postgresql_query(
		store, "SELECT user_name, made, clock_timestamp() FROM portcullis.orders", NULL);
	int64_t now = g_get_real_time() / 1000;

	if (result == NULL)
		return false;
	postgresql->orders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (int i = 0; i < PQntuples(result); i++) {
		int64_t *before = g_new(int64_t, 1);

		*before = now - (result_time(result, i, 2) - result_time(result, i, 1));
		g_hash_table_replace(postgresql->orders, text_as_stored(result_text(result, i, 0)),
				     before);
	}
	PQclear(result);
	return true;
}

int postgresql_find_order(struct store *store, const char *user, int64_t *before_r)
{
	struct store_postgresql *postgresql = store_postgresql(store);
	const int64_t *before;
	char *name;

	if (postgresql->orders == NULL && !read_orders(store))
		return -1;
	if (user == NULL || g_hash_table_size(postgresql->orders) == 0)
		return 0;
	name = text_as_stored(user);
	before = g_hash_table_lookup(postgresql->orders, name);
	g_free(name);
	if (before == NULL)
		return 0;
	*before_r = *before;
	return 1;
}

/* ---- making them ---- */

static bool take_back(struct store *store, const char *user)
{
	struct parameters parameters = {0};

	parameter_add_long_text(&parameters, user);
	return postgresql_run(store, "DELETE FROM portcullis.orders WHERE user_name = $1",
			      &parameters);
}

bool postgresql_order(struct store *store, const char *user, int64_t before)
{
	struct parameters parameters = {0};

	if (!take_back(store, user))
		return false;
	parameter_add_long_text(&parameters, user);
	parameter_add(&parameters, PARAMETER_BIGINT, g_get_real_time() / 1000 - before);
	return postgresql_run(store,
			      "WITH made AS (INSERT INTO portcullis.orders (user_name, made)"
			      " SELECT $1, clock_timestamp() - $2 * interval '1 millisecond'"
			      " WHERE EXISTS (SELECT 1 FROM portcullis.hosts) RETURNING id)"
			      " INSERT INTO portcullis.order_hosts (order_id, host)"
			      " SELECT made.id, name FROM made, portcullis.hosts",
			      &parameters);
}

bool postgresql_end_orders_of(struct store *store, const char *host)
{
	struct parameters parameters = {0};

	parameter_add_text(&parameters, host);
	return postgresql_run(store, "DELETE FROM portcullis.order_hosts WHERE host = $1",
			      &parameters) &&
	       postgresql_execute(store,
				  "DELETE FROM portcullis.orders o WHERE NOT EXISTS"
				  " (SELECT 1 FROM portcullis.order_hosts WHERE order_id = o.id)");
}

/* ---- answering them ---- */

bool postgresql_each_order(struct store *store, store_visit_order *visit, void *context)
{
	struct parameters parameters = {0};
	PGresult *result;
	bool more = true;

	parameter_add_text(&parameters, store->host);
	result = postgresql_query(store,
				  "SELECT o.id, o.user_name, o.made, h.host, h.host = $1"
				  " FROM portcullis.orders o JOIN portcullis.order_hosts h"
				  " ON h.order_id = o.id ORDER BY o.id, h.host",
				  &parameters);
	if (result == NULL)
		return false;
	for (int i = 0; more && i < PQntuples(result); i++) {
		const struct store_order order = {
			.id = result_number(result, i, 0),
			.user = result_text(result, i, 1),
			.made = result_time(result, i, 2),
			.host = result_text(result, i, 3),
			.is_ours = result_number(result, i, 4) != 0,
		};

		more = visit(context, &order);
	}
	PQclear(result);
	return true;
}

bool postgresql_answer_order(struct store *store, int64_t id)
{
	struct parameters parameters = {0};

	if (!postgresql_begin(store))
		return false;
	parameter_add(&parameters, PARAMETER_BIGINT, id);
	parameter_add_text(&parameters, store->host);
	if (postgresql_run(store, "SELECT portcullis.answer_order($1, $2)", &parameters))
		return postgresql_commit(store);
	postgresql_rollback(store);
	return false;
}
