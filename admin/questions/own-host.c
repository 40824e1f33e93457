#include "own-host.h"

#include <glib.h>
#include <stdlib.h>

#include "admin/journal/journal-position.h"
#include "admin/mail-servers/program-version.h"
#include "loaded-policy.h"
#include "policy-digest.h"

#define VERSIONS_SECONDS 3600

struct own_host {
	const struct policy *policy;
	char *dovecot, *postfix;
	gint64 versions_asked; /* of the clock that nobody sets; 0: not yet */
	time_t files_changed;
	gint64 told; /* likewise */
	/* What is told. */
	struct store_host row;
};

struct own_host *own_host_create(const struct policy *policy)
{
	struct own_host *host = g_new0(struct own_host, 1);

	host->policy = policy;
	host->row.portcullis = PORTCULLIS_VERSION;
	return host;
}

void own_host_free(struct own_host *host)
{
	if (host == NULL)
		return;
	g_free(host->dovecot);
	g_free(host->postfix);
	g_free(host);
}

static bool is_due(gint64 last, gint64 seconds)
{
	return last == 0 || g_get_monotonic_time() - last >= seconds * G_USEC_PER_SEC;
}

static void ask_versions(struct own_host *host)
{
	if (!is_due(host->versions_asked, VERSIONS_SECONDS))
		return;
	g_free(host->dovecot);
	g_free(host->postfix);
	host->row.dovecot = host->dovecot = dovecot_version();
	host->row.postfix = host->postfix = postfix_version();
	host->versions_asked = g_get_monotonic_time();
}

/* ---- what its files say ---- */

/* Whoever judges by them says what is wrong with them. */
static void ignore(void *context, const char *message)
{
	(void)context;
	(void)message;
}

static void note_edition(struct store_host *row, const struct policy *policy)
{
	struct exemptions *exemptions =
		policy->exemptions == NULL
			? NULL
			: exemptions_load(policy->exemptions, policy, ignore, NULL);
	struct country_database *countries = NULL;
	struct edition edition;
	char *error = NULL;

	if (policy->country_database != NULL)
		countries = country_database_open(policy->country_database, &error);
	free(error);
	edition = edition_of(policy, exemptions, NULL, countries);
	g_strlcpy(row->edition, edition.id, sizeof(row->edition));
	policy_digest(policy, exemptions, row->policy);
	row->country_database_built =
		countries == NULL ? 0 : (int64_t)country_database_built(countries) * 1000;
	exemptions_free(exemptions);
	country_database_close(countries);
}

/* Whether they have changed since they were read last. */
static bool read_files(struct own_host *host)
{
	const struct loaded_policy files = {.policy = (struct policy *)host->policy};
	time_t changed = loaded_changed(&files);

	if (host->row.edition[0] != '\0' && changed == host->files_changed)
		return false;
	host->files_changed = changed;
	note_edition(&host->row, host->policy);
	return true;
}

/* ---- what waits, and the clock ---- */

static bool note_backlog(struct own_host *host, struct store *store)
{
	struct journal_backlog backlog;

	if (!journal_backlog(host->policy->journal, store, &backlog))
		return false;
	host->row.backlog = backlog.bytes;
	host->row.backlog_since = backlog.oldest;
	return true;
}

/* As far as it is certain: an answer takes its time. A file goes by the clock of this host. */
static bool compare_clocks(struct own_host *host, struct store *store)
{
	gint64 before = g_get_real_time(), begun = g_get_monotonic_time();
	int64_t now, offset, uncertain;

	if (store_file_of(host->policy->store) != NULL)
		return true;
	if (!store_clock(store, &now))
		return false;
	uncertain = (g_get_monotonic_time() - begun) / 2000 + 1;
	offset = before / 1000 + uncertain - 1 - now;
	host->row.clock_offset =
		llabs(offset) <= uncertain ? 0 : offset - (offset > 0 ? uncertain : -uncertain);
	return true;
}

bool own_host_tell(struct own_host *host, struct store *store)
{
	if (!read_files(host) && !is_due(host->told, OWN_HOST_SECONDS))
		return true;
	ask_versions(host);
	if (!note_backlog(host, store) || !compare_clocks(host, store))
		return false;
	if (!store_begin(store) || !store_put_host(store, &host->row) || !store_commit(store)) {
		store_rollback(store);
		return false;
	}
	host->told = g_get_monotonic_time();
	return true;
}
