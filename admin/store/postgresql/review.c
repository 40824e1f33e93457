#include "review.h"

#include <string.h>

/* ---- what libpq would take ---- */

/* The service file, the environment and what is built in say what the URI does not. libpq looks
   when it connects, which a kind of server that there is none of keeps it from. */
static PGconn *prepare(const char *uri)
{
	static const char *const keywords[] = {"dbname", "target_session_attrs", NULL};
	const char *const values[] = {uri, "no-such-kind", NULL};

	return PQconnectStartParams(keywords, values, 1);
}

/* "" where it is not set. */
static const char *value(const PQconninfoOption *options, const char *keyword)
{
	for (; options != NULL && options->keyword != NULL; options++) {
		if (strcmp(options->keyword, keyword) == 0)
			return options->val == NULL ? "" : options->val;
	}
	return "";
}

/* ---- over the network ---- */

bool postgresql_is_here(const char *host)
{
	return host[0] == '\0' || host[0] == '/' || host[0] == '@' ||
	       strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
	       g_str_has_prefix(host, "127.");
}

/* The first host that is another machine, which the caller frees; NULL: there is none. An
   address counts more than the name beside it. */
static char *find_remote(const PQconninfoOption *options)
{
	char **hosts = g_strsplit(value(options, "host"), ",", -1);
	char **addresses = g_strsplit(value(options, "hostaddr"), ",", -1);
	guint count = MAX(g_strv_length(hosts), g_strv_length(addresses));
	char *remote = NULL;

	for (guint i = 0; remote == NULL && i < count; i++) {
		const char *host = i < g_strv_length(hosts) ? hosts[i] : "";
		const char *address = i < g_strv_length(addresses) ? addresses[i] : "";

		if (!postgresql_is_here(address[0] == '\0' ? host : address))
			remote = g_strdup(host[0] == '\0' ? address : host);
	}
	g_strfreev(hosts);
	g_strfreev(addresses);
	return remote;
}

/* NULL: nothing. */
static const char *shortcoming(const char *mode)
{
	if (strcmp(mode, "verify-full") == 0)
		return NULL;
	if (strcmp(mode, "verify-ca") == 0)
		return "whoever has any certificate of that authority can pass himself off as it";
	if (strcmp(mode, "require") == 0)
		return "whoever stands in between can pass himself off as it";
	return "names, addresses and passwords may go there in clear";
}

void postgresql_review_connection(PGconn *connection, store_find *find, void *context)
{
	PQconninfoOption *options = PQconninfo(connection);
	const char *mode = value(options, "sslmode"), *problem;
	char *remote = find_remote(options), *text;

	if (mode[0] == '\0')
		mode = "prefer";
	problem = remote == NULL || strcmp(value(options, "gssencmode"), "require") == 0
			  ? NULL
			  : shortcoming(mode);
	if (problem != NULL) {
		text = g_strdup_printf("sslmode is %s for %s: %s", mode,
				       /* It has the end of a password that was not encoded. */
				       strchr(remote, '@') == NULL ? remote : "another machine",
				       problem);
		find(context, "network", text,
		     "let the URI say sslmode=verify-full, and sslrootcert=FILE with the "
		     "authority");
		g_free(text);
	}
	g_free(remote);
	PQconninfoFree(options);
}

/* ---- the whole ---- */

static void review_secrets(const char *uri, store_find *find, void *context)
{
	PQconninfoOption *options = PQconninfoParse(uri, NULL);

	if (value(options, "password")[0] != '\0' || value(options, "sslpassword")[0] != '\0')
		find(context, "password",
		     "a password stands in the URI, for all who may read this file",
		     "put it into the passfile of the account that owns the records");
	PQconninfoFree(options);
}

static void tell_error(const PGconn *connection, store_find *find, void *context)
{
	char *line = postgresql_uri_reason(PQerrorMessage(connection));

	find(context, "uri", line, "see 'Connection Strings' in the manual of PostgreSQL");
	g_free(line);
}

void postgresql_review(const char *uri, store_find *find, void *context)
{
	PGconn *connection = prepare(uri);

	if (strstr(PQerrorMessage(connection), "no-such-kind") != NULL)
		postgresql_review_connection(connection, find, context);
	else
		tell_error(connection, find, context);
	review_secrets(uri, find, context);
	PQfinish(connection);
}
