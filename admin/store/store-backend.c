#include "store-backend.h"

#include <glib.h>
#include <limits.h>
#include <unistd.h>

void store_init(struct store *store, const struct store_backend *backend, const char *name,
		const char *host)
{
	char machine[HOST_NAME_MAX + 1] = "localhost";

	store->backend = backend;
	store->name = g_strdup(name);
	if (host == NULL)
		gethostname(machine, sizeof(machine) - 1);
	store->host = g_strdup(host == NULL ? machine : host);
	store->dictionaries = store_dictionaries_create();
}

void store_free(struct store *store)
{
	store_dictionaries_free(store->dictionaries);
	g_free(store->name);
	g_free(store->host);
	g_free(store);
}

bool store_fail(struct store *store, int status, const char *reason)
{
	store->failure.status = status;
	store->failure.again = store->failure.away = false;
	g_snprintf(store->failure.text, sizeof(store->failure.text), "store %s: %s", store->name,
		   reason);
	return false;
}
