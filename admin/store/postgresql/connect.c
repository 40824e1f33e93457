#include <poll.h>
#include <string.h>
#include <sysexits.h>

#include "postgresql.h"

/* What holds unless the URI says otherwise. A server that is gone without a word is noticed
   within a minute. */
static const struct setting {
	const char *keyword, *value;
} settings[] = {
	{"fallback_application_name", "portcullis"},
	{"client_encoding", "UTF8"},
	{"connect_timeout", "10"},
	{"keepalives_idle", "20"},
	{"keepalives_interval", "10"},
	{"keepalives_count", "3"},
	{"tcp_user_timeout", "60000"},
};

#define STATE_CHARACTERS "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* One that refuses does so at once. */
#define REFUSAL_MICROSECONDS INT64_C(5000000)

struct connection_words {
	const char *keywords[64], *values[64];
	size_t count;
};

static void add_word(struct connection_words *words, const char *keyword, const char *value)
{
	for (size_t i = 0; i < words->count; i++) {
		if (strcmp(words->keywords[i], keyword) == 0)
			return;
	}
	if (words->count + 1 < G_N_ELEMENTS(words->keywords)) {
		words->keywords[words->count] = keyword;
		words->values[words->count++] = value;
	}
}

static void add_words(struct connection_words *words, const struct store_postgresql *postgresql,
		      const PQconninfoOption *options)
{
	for (const PQconninfoOption *option = options; option->keyword != NULL; option++) {
		if (option->val != NULL)
			add_word(words, option->keyword, option->val);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(settings); i++)
		add_word(words, settings[i].keyword, settings[i].value);
	if (postgresql->access == STORE_WRITE)
		add_word(words, "target_session_attrs", "read-write");
}

/* ---- why there is no connection ---- */

static bool is_under_way(PostgresPollingStatusType next)
{
	return next == PGRES_POLLING_READING || next == PGRES_POLLING_WRITING;
}

PostgresPollingStatusType postgresql_go_on(PGconn *connection, PostgresPollingStatusType next,
					   int64_t until)
{
	while (is_under_way(next)) {
		struct pollfd waiting = {
			.fd = PQsocket(connection),
			.events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT,
		};
		int64_t left = MAX((until - g_get_monotonic_time()) / 1000, 0);

		if (waiting.fd < 0 || poll(&waiting, 1, (int)left) <= 0)
			break;
		next = PQconnectPoll(connection);
	}
	return next;
}

/* The SQLSTATE by which a server refuses, "" where none does. */
static void read_state(PGconn *connection, char state_r[6])
{
	const char *text = PQerrorMessage(connection), *end = text + strlen(text);

	while (end > text && g_ascii_isspace(end[-1]))
		end--;
	/* Not a word of something else that failed. */
	if (end - text > 5 && g_ascii_isspace(end[-6]) && strspn(end - 5, STATE_CHARACTERS) == 5)
		g_strlcpy(state_r, end - 5, 6);
}

/* What libpq says of each host, in one line; what it advises is indented. */
static char *in_one_line(const char *message)
{
	char **lines = g_strsplit(message, "\n", -1);
	GString *text = g_string_new(NULL);

	for (char **line = lines; *line != NULL; line++) {
		if ((*line)[0] == '\0' || (*line)[0] == '\t')
			continue;
		g_string_append_printf(text, "%s%s", text->len > 0 ? "; " : "", g_strchomp(*line));
	}
	g_strfreev(lines);
	return g_string_free(text, FALSE);
}

/* What kind of failure it is, libpq tells only who asks while another connection is made. */
static void fail(struct store *store, const struct connection_words *words,
		 const PGconn *connection)
{
	char *reason = in_one_line(PQerrorMessage(connection));
	PGconn *again = PQconnectStartParams(words->keywords, words->values, 0);
	char state[6] = "";

	PQsetErrorVerbosity(again, PQERRORS_SQLSTATE);
	if (PQstatus(again) != CONNECTION_BAD &&
	    !is_under_way(postgresql_go_on(again, PGRES_POLLING_WRITING,
					   g_get_monotonic_time() + REFUSAL_MICROSECONDS)))
		read_state(again, state);
	else if (PQstatus(again) == CONNECTION_BAD &&
		 PQpingParams(words->keywords, words->values, 0) == PQPING_NO_ATTEMPT)
		g_strlcpy(state, "F0000", sizeof(state));
	if (PQconnectionNeedsPassword(again))
		g_strlcpy(state, "28P01", sizeof(state));
	PQfinish(again);
	postgresql_refused(store, state, reason);
	g_free(reason);
}

/* ---- the URI ---- */

char *postgresql_uri_reason(const char *error)
{
	const char *shown = strstr(error, ": \"");

	return g_strndup(error, shown == NULL ? strcspn(error, "\n") : (gsize)(shown - error));
}

static void fail_uri(struct store *store, char *error)
{
	char *reason;

	if (error == NULL) {
		store_fail(store, EX_OSERR, "out of memory");
		return;
	}
	reason = postgresql_uri_reason(error);
	PQfreemem(error);
	store_fail(store, EX_CONFIG, reason);
	g_free(reason);
}

static bool is_part_of_password(const PQconninfoOption *option)
{
	if (strcmp(option->keyword, "host") == 0 || strcmp(option->keyword, "dbname") == 0)
		return strchr(option->val, '@') != NULL;
	return strcmp(option->keyword, "port") == 0 &&
	       strspn(option->val, "0123456789,") < strlen(option->val);
}

/* A password that was not encoded ends too early: the rest of it is no host, port or database,
   and libpq would show it. */
static bool check_place(struct store *store, const PQconninfoOption *options)
{
	for (; options->keyword != NULL; options++) {
		if (options->val != NULL && is_part_of_password(options))
			return store_fail(store, EX_CONFIG,
					  "its host, port or database is none; in a password, "
					  "/ ? # @ and : are written as %2F %3F %23 %40 and %3A");
	}
	return true;
}

static void ignore_notice(void *context, const PGresult *result)
{
	(void)context;
	(void)result;
}

static PGconn *make_connection(struct store *store, const PQconninfoOption *options)
{
	struct connection_words words = {0};
	PGconn *connection;

	add_words(&words, store_postgresql(store), options);
	connection = PQconnectdbParams(words.keywords, words.values, 0);
	PQsetNoticeReceiver(connection, ignore_notice, NULL);
	if (PQstatus(connection) == CONNECTION_OK)
		return connection;
	fail(store, &words, connection);
	PQfinish(connection);
	return NULL;
}

PGconn *postgresql_start_another(struct store *store)
{
	const PGconn *first = store_postgresql(store)->connection;
	struct connection_words words = {0};
	PQconninfoOption *options = PQconninfoParse(store_postgresql(store)->uri, NULL);
	PGconn *connection;

	/* Of several hosts, that one. */
	add_word(&words, "host", PQhost(first));
	add_word(&words, "hostaddr", PQhostaddr(first));
	add_word(&words, "port", PQport(first));
	if (options != NULL)
		add_words(&words, store_postgresql(store), options);
	connection = PQconnectStartParams(words.keywords, words.values, 0);
	PQsetNoticeReceiver(connection, ignore_notice, NULL);
	PQconninfoFree(options);
	return connection;
}

PGconn *postgresql_open(struct store *store)
{
	char *error = NULL;
	PQconninfoOption *options = PQconninfoParse(store_postgresql(store)->uri, &error);
	PGconn *connection = NULL;

	if (options == NULL)
		fail_uri(store, error);
	else if (check_place(store, options))
		connection = make_connection(store, options);
	PQconninfoFree(options);
	return connection;
}
