#include <poll.h>

#include "ahead.h"

bool ahead_ask(struct ahead *ahead, PGconn *connection, const char *sql,
	       const struct parameters *parameters)
{
	struct arguments arguments;

	g_assert(ahead->asked < AHEAD_MAX);
	if (!ahead->open && !PQenterPipelineMode(connection))
		return false;
	ahead->open = true;
	arguments_of(parameters, &arguments);
	ahead->asked++;
	return PQsendQueryParams(connection, sql, parameters->count, parameters->types,
				 arguments.values, arguments.lengths, arguments.formats, 1);
}

bool ahead_send(struct ahead *ahead, PGconn *connection)
{
	ahead->complete = true;
	return PQpipelineSync(connection);
}

void ahead_drain(const struct ahead *ahead, PGconn *connection)
{
	/* What fails is told by who reads the answers. */
	if (ahead->open)
		(void)PQconsumeInput(connection);
}

/* Takes in what comes first. Whether both connections go on. */
static bool take_in(PGconn *one, PGconn *other)
{
	struct pollfd sockets[] = {
		{.fd = PQsocket(one), .events = POLLIN},
		{.fd = PQsocket(other), .events = POLLIN},
	};

	return sockets[0].fd >= 0 && sockets[1].fd >= 0 && poll(sockets, 2, -1) > 0 &&
	       (sockets[0].revents == 0 || PQconsumeInput(one)) &&
	       (sockets[1].revents == 0 || PQconsumeInput(other));
}

static PGresult *next_result(PGconn *connection, PGconn *beside)
{
	while (beside != NULL && PQisBusy(connection) && take_in(connection, beside))
		;
	return PQgetResult(connection);
}

/* An answer, and the end of it. */
static PGresult *receive(PGconn *connection, PGconn *beside)
{
	PGresult *result = next_result(connection, beside), *rest;

	while (result != NULL && (rest = next_result(connection, beside)) != NULL)
		PQclear(rest);
	return result;
}

void ahead_await(struct ahead *ahead, PGconn *connection, PGconn *beside)
{
	if (!ahead->open)
		return;
	if (!ahead->complete)
		ahead_send(ahead, connection);
	for (int i = 0; i < ahead->asked; i++)
		ahead->results[i] = receive(connection, beside);
	/* That of ahead_send(). */
	PQclear(receive(connection, beside));
	PQexitPipelineMode(connection);
	ahead->open = false;
}

PGresult *ahead_take(struct ahead *ahead, PGconn *connection, PGconn *beside)
{
	PGresult *result;

	ahead_await(ahead, connection, beside);
	if (ahead->answered == ahead->asked)
		return NULL;
	result = ahead->results[ahead->answered];
	ahead->results[ahead->answered++] = NULL;
	if (ahead->answered == ahead->asked)
		*ahead = (struct ahead){0};
	return result;
}

void ahead_clear(struct ahead *ahead)
{
	for (int i = 0; i < AHEAD_MAX; i++)
		PQclear(ahead->results[i]);
	*ahead = (struct ahead){0};
}
