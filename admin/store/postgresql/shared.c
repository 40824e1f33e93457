#include <string.h>

#include "postgresql.h"

/* One statement each, which is a transaction of its own: nobody waits for an importer. */

bool postgresql_shared_version(struct store *store, enum store_text which, int64_t *version_r)
{
	struct parameters parameters = {0};

	*version_r = 0;
	parameter_add_text(&parameters, store_text_name(which));
	return postgresql_number(store,
				 "SELECT version FROM portcullis.shared_texts WHERE name = $1",
				 &parameters, version_r) >= 0;
}

bool postgresql_read_shared(struct store *store, enum store_text which,
			    struct store_shared *shared_r)
{
	struct parameters parameters = {0};
	PGresult *result;

	parameter_add_text(&parameters, store_text_name(which));
	result = postgresql_query(store,
				  "SELECT version, changed, text FROM portcullis.shared_texts"
				  " WHERE name = $1",
				  &parameters);
	if (result == NULL)
		return false;
	*shared_r = (struct store_shared){0};
	if (PQntuples(result) > 0) {
		shared_r->version = result_number(result, 0, 0);
		shared_r->changed = result_time(result, 0, 1);
		shared_r->length = (size_t)PQgetlength(result, 0, 2);
		shared_r->text = g_malloc(shared_r->length + 1);
		memcpy(shared_r->text, PQgetvalue(result, 0, 2), shared_r->length + 1);
	} else {
		shared_r->text = g_strdup("");
	}
	PQclear(result);
	return true;
}

bool postgresql_put_shared(struct store *store, enum store_text which,
			   const struct store_shared *shared, bool *put_r)
{
	struct parameters parameters = {0};
	int64_t changed;

	parameter_add_text(&parameters, store_text_name(which));
	parameter_add(&parameters, PARAMETER_BIGINT, shared->version);
	parameter_add_bytes(&parameters, shared->text, shared->length);
	if (!postgresql_change(store,
			       "INSERT INTO portcullis.shared_texts AS s"
			       " (name, version, text, begun, changed)"
			       " SELECT $1, 1, $3, now(), now() WHERE $2 = 0 OR EXISTS"
			       " (SELECT 1 FROM portcullis.shared_texts WHERE name = $1)"
			       " ON CONFLICT (name) DO UPDATE SET version = s.version + 1,"
			       " text = excluded.text, changed = excluded.changed"
			       " WHERE s.version = $2",
			       &parameters, &changed))
		return false;
	*put_r = changed > 0;
	return true;
}

bool postgresql_take_in(struct store *store, const struct store_shared *shared,
			enum store_taking *taking_r)
{
	struct parameters parameters = {0};
	int64_t taking;

	parameter_add_text(&parameters, store->host);
	parameter_add(&parameters, PARAMETER_BIGINT, shared->version);
	parameter_add_bytes(&parameters, shared->text, shared->length);
	if (postgresql_number(store, "SELECT portcullis.take_in($1, $2, $3)", &parameters,
			      &taking) <= 0)
		return false;
	*taking_r = (enum store_taking)taking;
	return true;
}
