#include "loaded-grace.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/notices/grace-text.h"
#include "loaded-exemptions.h"
#include "policy/trusted-file.h"

static struct exemptions *load(struct loaded_policy *loaded, char *text, size_t length)
{
	return grace_load_text(loaded->policy->grace_file, text, length, loaded->policy,
			       report_problem, loaded);
}

/* NULL: it cannot be read. */
static GString *find_text(const struct loaded_policy *loaded)
{
	const struct edition edition = loaded_edition(loaded);
	struct store_failure failure;
	struct store *store =
		store_open(loaded->policy->store, loaded->policy->host, STORE_READ, &failure);
	struct notice_people *people = notice_people_create(&edition);
	GString *text =
		store == NULL ? NULL : grace_text_find(loaded->policy, people, store, time(NULL));

	notice_people_free(people);
	store_close(store);
	return text;
}

/* A help desk has no business in the journal's directory. */
static struct exemptions *read_store(struct loaded_policy *loaded)
{
	GString *text = find_text(loaded);
	struct exemptions *grace = text == NULL ? NULL : load(loaded, text->str, text->len);

	if (text != NULL)
		g_string_free(text, TRUE);
	return grace;
}

/* Where the journal's directory is missing, there are no servers, and no importer that writes
   for them. */
static struct exemptions *read_shared(struct loaded_policy *loaded)
{
	struct exemptions *grace;
	size_t length;
	char *text;

	if (store_file_of(loaded->policy->store) != NULL ||
	    access(loaded->policy->journal, F_OK) == 0)
		return NULL;
	text = loaded_shared_text(loaded, STORE_GRACE, &length);
	grace = text == NULL ? NULL : load(loaded, text, length);
	g_free(text);
	return grace;
}

static void report_unknown(struct loaded_policy *loaded, const char *error, bool is_problem)
{
	char *message = g_strdup_printf("%s: who is given grace is not known: %s",
					loaded->policy->grace_file, error);

	(is_problem ? report_problem : report_error)(loaded, message);
	g_free(message);
}

struct exemptions *loaded_grace_read(struct loaded_policy *loaded)
{
	const char *path = loaded->policy->grace_file, *error;
	struct exemptions *grace = NULL;
	size_t length;
	char *text;
	int reason;

	if (path == NULL)
		return NULL;
	text = trusted_file_read(path, EXEMPTIONS_SIZE_MAX, &length, &error);
	reason = errno;
	if (text != NULL)
		grace = load(loaded, text, length);
	else if (reason == EACCES)
		grace = read_store(loaded);
	else if (reason == ENOENT)
		grace = read_shared(loaded);
	/* Before the first notice, there is no such file. */
	if (text == NULL && grace == NULL && reason != ENOENT)
		report_unknown(loaded, error, reason != EACCES);
	free(text);
	return grace;
}
