#include <string.h>

#include "postgresql.h"

/* Who asks for sightings asks for the notices of each person, in most cases: one by one, that
   would be a round trip each. */

const char postgresql_notices_question[] =
	"SELECT id, " NOTICE_READ_COLUMNS " FROM portcullis.notices"
	" WHERE user_name = ANY ($1) ORDER BY user_name, id";

/* NULL: of nobody in particular. */
static const char *name_of(const PGresult *rows, int row, int column)
{
	return PQgetisnull(rows, row, column) ? NULL : result_text(rows, row, column);
}

static const char *last_name(const PGresult *rows, int column)
{
	int count = PQntuples(rows);

	return count == 0 ? NULL : name_of(rows, count - 1, column);
}

static void forget_rows(struct notices_ahead *notices)
{
	PQclear(notices->notices);
	notices->notices = NULL;
	g_clear_pointer(&notices->places, g_hash_table_unref);
}

void postgresql_notices_of(struct store *store, const PGresult *rows, int column)
{
	struct notices_ahead *notices = &store_postgresql(store)->notices;

	forget_rows(notices);
	if (notices->rows != NULL) {
		g_free(notices->before);
		notices->before = g_strdup(last_name(notices->rows, notices->column));
	}
	notices->rows = rows;
	notices->column = column;
}

void postgresql_notices_end(struct store *store)
{
	struct notices_ahead *notices = &store_postgresql(store)->notices;

	forget_rows(notices);
	g_free(notices->before);
	*notices = (struct notices_ahead){0};
}

bool postgresql_notices_are_wanted(struct store *store)
{
	return store_postgresql(store)->notices.asked;
}

/* Each once: rows of one person follow each other. */
static struct parameters parameters_of(const char *before, const PGresult *rows, int column)
{
	struct parameters parameters = {0};
	GByteArray *names = parameter_add_text_array(&parameters);
	const char *last = before;

	if (before != NULL)
		array_add_text(names, before);
	for (int i = 0; i < PQntuples(rows); i++) {
		const char *name = name_of(rows, i, column);

		if (name != NULL && g_strcmp0(name, last) != 0)
			array_add_text(names, name);
		last = name == NULL ? last : name;
	}
	return parameters;
}

struct parameters postgresql_notices_parameters(const PGresult *before, const PGresult *rows,
						int column)
{
	return parameters_of(last_name(before, column), rows, column);
}

void postgresql_notices_take(struct store *store, PGresult *taken)
{
	struct notices_ahead *notices = &store_postgresql(store)->notices;

	notices->notices = taken;
	notices->places = g_hash_table_new(g_str_hash, g_str_equal);
	if (notices->before != NULL)
		g_hash_table_insert(notices->places, notices->before, GINT_TO_POINTER(0));
	for (int i = 0; i < PQntuples(notices->rows); i++) {
		const char *name = name_of(notices->rows, i, notices->column);

		if (name != NULL)
			g_hash_table_insert(notices->places, (char *)name, GINT_TO_POINTER(0));
	}
	for (int i = PQntuples(taken) - 1; i >= 0; i--)
		g_hash_table_insert(notices->places, (char *)result_text(taken, i, 1),
				    GINT_TO_POINTER(i + 1));
}

static bool read_now(struct store *store)
{
	struct notices_ahead *notices = &store_postgresql(store)->notices;
	struct parameters parameters =
		parameters_of(notices->before, notices->rows, notices->column);
	PGresult *taken = postgresql_query(store, postgresql_notices_question, &parameters);

	if (taken != NULL)
		postgresql_notices_take(store, taken);
	return taken != NULL;
}

static int count_of(const struct notices_ahead *notices, const char *user, int first)
{
	int end = first;

	while (end < PQntuples(notices->notices) &&
	       strcmp(result_text(notices->notices, end, 1), user) == 0)
		end++;
	return end - first;
}

const PGresult *postgresql_notices_ahead(struct store *store, const char *user, int *first_r,
					 int *count_r)
{
	struct notices_ahead *notices = &store_postgresql(store)->notices;
	gpointer place;

	notices->asked |= notices->rows != NULL;
	if (notices->rows == NULL || (notices->places == NULL && !read_now(store)))
		return NULL;
	if (!g_hash_table_lookup_extended(notices->places, user, NULL, &place))
		return NULL;
	*first_r = MAX(GPOINTER_TO_INT(place) - 1, 0);
	*count_r = GPOINTER_TO_INT(place) == 0 ? 0 : count_of(notices, user, *first_r);
	return notices->notices;
}
