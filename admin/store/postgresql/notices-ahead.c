#include <string.h>

#include "postgresql.h"

/* Who asks for sightings asks for the notices of each person, in most cases: one by one, that
   would be a round trip each. They are read for all people of a FETCH at the first question. */

void postgresql_notices_ahead_of(struct store *store, const PGresult *rows, int column)
{
	struct notices_ahead *ahead = &store_postgresql(store)->ahead;
	bool asked = rows != NULL && ahead->asked_before;

	PQclear(ahead->notices);
	g_clear_pointer(&ahead->places, g_hash_table_unref);
	*ahead = (struct notices_ahead){.rows = rows, .column = column, .asked_before = asked};
}

/* Notes them in places, each once: rows of one person follow each other. */
static void add_names(struct notices_ahead *ahead, struct parameters *parameters)
{
	GByteArray *names = parameter_add_text_array(parameters);

	for (int i = 0; i < PQntuples(ahead->rows); i++) {
		const char *name = result_text(ahead->rows, i, ahead->column);

		if (!PQgetisnull(ahead->rows, i, ahead->column) &&
		    g_hash_table_insert(ahead->places, (char *)name, GINT_TO_POINTER(0)))
			array_add_text(names, name);
	}
}

static bool read_ahead(struct store *store)
{
	struct notices_ahead *ahead = &store_postgresql(store)->ahead;
	struct parameters parameters = {0};

	ahead->places = g_hash_table_new(g_str_hash, g_str_equal);
	add_names(ahead, &parameters);
	ahead->notices =
		postgresql_query(store,
				 "SELECT id, " NOTICE_READ_COLUMNS " FROM portcullis.notices"
				 " WHERE user_name = ANY ($1) ORDER BY user_name, id",
				 &parameters);
	for (int i = PQntuples(ahead->notices) - 1; i >= 0; i--)
		g_hash_table_insert(ahead->places, (char *)result_text(ahead->notices, i, 1),
				    GINT_TO_POINTER(i + 1));
	return ahead->notices != NULL;
}

void postgresql_notices_end(struct store *store)
{
	struct notices_ahead *ahead = &store_postgresql(store)->ahead;
	bool asked = ahead->asked_before || ahead->places != NULL;

	postgresql_notices_ahead_of(store, NULL, 0);
	ahead->asked_before = asked;
}

bool postgresql_notices_expect(struct store *store)
{
	return !store_postgresql(store)->ahead.asked_before || read_ahead(store);
}

static int count_of(const struct notices_ahead *ahead, const char *user, int first)
{
	int end = first;

	while (end < PQntuples(ahead->notices) &&
	       strcmp(result_text(ahead->notices, end, 1), user) == 0)
		end++;
	return end - first;
}

const PGresult *postgresql_notices_ahead(struct store *store, const char *user, int *first_r,
					 int *count_r)
{
	struct notices_ahead *ahead = &store_postgresql(store)->ahead;
	gpointer place;

	if (ahead->rows == NULL || (ahead->places == NULL && !read_ahead(store)))
		return NULL;
	if (!g_hash_table_lookup_extended(ahead->places, user, NULL, &place))
		return NULL;
	*first_r = MAX(GPOINTER_TO_INT(place) - 1, 0);
	*count_r = GPOINTER_TO_INT(place) == 0 ? 0 : count_of(ahead, user, *first_r);
	return ahead->notices;
}
