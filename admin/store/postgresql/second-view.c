#include "postgresql.h"

void second_view_close(struct second_view *second)
{
	/* The server ends what it has begun. */
	PQfinish(second->connection);
	ahead_clear(&second->ahead);
	g_free(second->begin);
	*second = (struct second_view){0};
}

PGconn *second_view_at_work(const struct second_view *second)
{
	return second->ahead.open ? second->connection : NULL;
}

void postgresql_close_second(struct store *store)
{
	second_view_close(&store_postgresql(store)->second);
}

bool postgresql_open_second(struct store *store)
{
	struct second_view *second = &store_postgresql(store)->second;

	second->begin = postgresql_begin_same_view(store);
	if (second->begin == NULL)
		return false;
	second->connection = postgresql_start_another(store);
	second->next = PGRES_POLLING_WRITING;
	return true;
}

/* Whether it goes on: it may not have been made yet. */
static bool connect_second(struct second_view *second)
{
	second->next = postgresql_go_on(second->connection, second->next, 0);
	if (second->next == PGRES_POLLING_OK) {
		second->stage = SECOND_BEGINNING;
		return PQsendQuery(second->connection, second->begin);
	}
	return second->next != PGRES_POLLING_FAILED;
}

/* Likewise, of the answers to what begins it. */
static bool begin_second(struct second_view *second)
{
	PGresult *result = NULL;
	bool fine = PQconsumeInput(second->connection);

	while (fine && !PQisBusy(second->connection) &&
	       (result = PQgetResult(second->connection)) != NULL) {
		fine = PQresultStatus(result) == PGRES_COMMAND_OK;
		PQclear(result);
	}
	if (fine && !PQisBusy(second->connection))
		second->stage = SECOND_READY;
	return fine;
}

bool postgresql_second_is_ready(struct store *store)
{
	struct second_view *second = &store_postgresql(store)->second;
	bool fine = second->connection != NULL;

	if (fine && second->stage == SECOND_CONNECTING)
		fine = connect_second(second);
	if (fine && second->stage == SECOND_BEGINNING)
		fine = begin_second(second);
	if (!fine)
		second_view_close(second);
	return fine && second->stage == SECOND_READY;
}

bool postgresql_ask_second(struct store *store, const char *sql, struct parameters *parameters)
{
	struct second_view *second = &store_postgresql(store)->second;
	bool fine = second->connection != NULL &&
		    ahead_ask(&second->ahead, second->connection, sql, parameters);

	parameters_clear(parameters);
	if (!fine)
		second_view_close(second);
	return fine;
}

bool postgresql_send_second(struct store *store)
{
	struct second_view *second = &store_postgresql(store)->second;
	bool fine = second->connection != NULL && ahead_send(&second->ahead, second->connection);

	if (!fine)
		second_view_close(second);
	return fine;
}

PGresult *postgresql_answer_second(struct store *store)
{
	struct second_view *second = &store_postgresql(store)->second;
	PGresult *result = second->connection == NULL
				   ? NULL
				   : ahead_take(&second->ahead, second->connection, NULL);

	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		return result;
	PQclear(result);
	second_view_close(second);
	return NULL;
}
