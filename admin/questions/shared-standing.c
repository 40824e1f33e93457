#include "shared-standing.h"

#include <glib.h>
#include <inttypes.h>
#include <stdlib.h>

#include "admin/exemptions/shared-file.h"
#include "policy/trusted-file.h"

/* An importer needs a few seconds; one that is started by a timer, some minutes. */
#define LATE_MILLISECONDS INT64_C(600000)

/* 0: the file is not the store's. False when there is none to be read. */
static bool read_version(const struct policy *policy, int64_t *version_r)
{
	struct shared_head head;
	const char *error;
	size_t length;
	char *text = trusted_file_read(policy->exemptions, EXEMPTIONS_SIZE_MAX, &length, &error);

	if (text == NULL)
		return false;
	*version_r = shared_head_read(text, length, &head) ? head.version : 0;
	free(text);
	return true;
}

bool shared_standing_find(const struct inquiry *inquiry, int64_t now, char **problem_r)
{
	const struct policy *policy = inquiry->loaded.policy;
	struct store_shared shared;
	int64_t version;

	*problem_r = NULL;
	if (!policy->exemptions_in_store || !read_version(policy, &version))
		return true;
	if (!store_read_shared(inquiry->store, STORE_EXEMPTIONS, &shared))
		return false;
	g_free(shared.text);
	if (version != shared.version && llabs(now - shared.changed) > LATE_MILLISECONDS)
		*problem_r = version == 0
				     ? g_strdup("the servers' exemptions are not the store's; "
						"'portcullis import' says why")
				     : g_strdup_printf("the servers read version %" PRId64
						       " of the exemptions, the store has %" PRId64
						       "; 'portcullis import' writes it",
						       version, shared.version);
	return true;
}
