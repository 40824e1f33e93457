#include "loaded-exemptions.h"

#include <errno.h>
#include <glib.h>
#include <stdlib.h>

#include "admin/exemptions/shared-file.h"
#include "admin/files/account.h"
#include "policy/trusted-file.h"

/* ---- the store's ---- */

/* False when there is none. */
static bool read_shared(const struct policy *policy, enum store_text which,
			struct store_shared *shared_r)
{
	struct store_failure failure;
	struct store *store = store_open(policy->store, policy->host, STORE_READ, &failure);
	bool fine = store != NULL && store_read_shared(store, which, shared_r);

	store_close(store);
	if (fine && shared_r->version == 0) {
		g_free(shared_r->text);
		return false;
	}
	return fine;
}

char *loaded_shared_text(const struct loaded_policy *loaded, enum store_text which,
			 size_t *length_r)
{
	struct store_shared shared;
	GString *text;
	bool found;

	if (!account_lend_owner(policy_records(loaded->policy)))
		return NULL;
	found = read_shared(loaded->policy, which, &shared);
	account_return();
	if (!found)
		return NULL;
	text = which == STORE_EXEMPTIONS ? shared_file_text(&shared)
					 : g_string_new_len(shared.text, (gssize)shared.length);
	g_free(shared.text);
	*length_r = text->len;
	return g_string_free(text, FALSE);
}

/* ---- the file's ---- */

static void report_unreadable(struct loaded_policy *loaded, const char *error)
{
	char *message = g_strdup_printf("%s: %s", loaded->policy->exemptions, error);

	report_problem(loaded, message);
	g_free(message);
}

/* On a host without servers there is no such file, and a help desk may not read it. */
static char *read_shared_file(struct loaded_policy *loaded, size_t *length_r)
{
	const char *error;
	char *text = trusted_file_read(loaded->policy->exemptions, EXEMPTIONS_SIZE_MAX, length_r,
				       &error);

	if (text == NULL && (errno == EACCES || errno == ENOENT))
		text = loaded_shared_text(loaded, STORE_EXEMPTIONS, length_r);
	if (text == NULL)
		report_unreadable(loaded, error);
	return text;
}

struct exemptions *loaded_exemptions_read(struct loaded_policy *loaded)
{
	const struct policy *policy = loaded->policy;
	struct exemptions *exemptions;
	size_t length;
	char *text;

	if (!policy->exemptions_in_store)
		return exemptions_load(policy->exemptions, policy, report_problem, loaded);
	text = read_shared_file(loaded, &length);
	if (text == NULL)
		return NULL;
	exemptions = exemptions_load_text(policy->exemptions, text, length, policy, report_problem,
					  loaded);
	free(text);
	return exemptions;
}
