#define _GNU_SOURCE /* secure_getenv() */
#include "store-module.h"

#include <dlfcn.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "store-uri.h"

#define POSTGRESQL_MODULE "store-postgresql.so"

static const struct store_module *fail(const char *uri, int status, const char *reason,
				       struct store_failure *failure_r)
{
	char *shown = store_uri_to_show(uri);

	*failure_r = (struct store_failure){.status = status};
	g_snprintf(failure_r->text, sizeof(failure_r->text), "store %s: %s", shown, reason);
	g_free(shown);
	return NULL;
}

/* Tests have it in the folder that it was built in. */
static char *find_module(const char *name)
{
	const char *folder = secure_getenv("PORTCULLIS_MODULES");

	return g_build_filename(folder == NULL ? PORTCULLIS_MODULES : folder, name, NULL);
}

static const struct store_module *load(const char *path, const char *uri,
				       struct store_failure *failure_r)
{
	void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	const struct store_module *module;

	if (object == NULL)
		return fail(uri, EX_CONFIG, dlerror(), failure_r);
	module = dlsym(object, STORE_MODULE_SYMBOL);
	if (module == NULL || strcmp(module->version, PORTCULLIS_VERSION) != 0)
		return fail(uri, EX_CONFIG,
			    POSTGRESQL_MODULE " is of another version of Portcullis than this "
					      "program (" PORTCULLIS_VERSION ")",
			    failure_r);
	return module;
}

const struct store_module *store_module_postgresql(const char *uri, struct store_failure *failure_r)
{
	static const struct store_module *module;
	char *path;

	if (module != NULL)
		return module;
	path = find_module(POSTGRESQL_MODULE);
	if (access(path, F_OK) == 0)
		module = load(path, uri, failure_r);
	else
		fail(uri, EX_CONFIG,
		     POSTGRESQL_MODULE " is not installed: install portcullis-postgresql, or build "
				       "with libpq-dev and 'make install'",
		     failure_r);
	g_free(path);
	return module;
}
