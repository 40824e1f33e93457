#include "loaded-policy.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "admin/files/account-access.h"
#include "admin/files/account.h"
#include "admin/store/store.h"
#include "loaded-exemptions.h"
#include "loaded-grace.h"

void report_error(void *context, const char *message)
{
	(void)context;
	fprintf(stderr, "%s\n", message);
}

void report_warning(void *context, const char *message)
{
	(void)context;
	fprintf(stderr, "%s (warning)\n", message);
}

void report_problem(void *context, const char *message)
{
	struct loaded_policy *loaded = context;

	report_error(NULL, message);
	loaded->problems++;
}

struct policy *policy_load_alone(const char *config_path)
{
	return config_load(config_path, report_error, report_warning, NULL);
}

static void check_reader(const char *account, const struct policy *policy, const char *path,
			 config_report *problem, void *context)
{
	int error = path == NULL ? 0 : account_access(account, policy->journal, path);
	char *text;

	if (error == 0)
		return;
	text = g_strdup_printf("%s: the servers' account '%s' cannot read it: %s", path, account,
			       strerror(error));
	problem(context, text);
	g_free(text);
}

/* It is written when somebody is to be told first. */
static const char *grace_file_if_any(const struct policy *policy)
{
	struct stat status;

	return policy->grace_file != NULL && stat(policy->grace_file, &status) == 0
		       ? policy->grace_file
		       : NULL;
}

/* Root's eyes see everything; the servers read their files as accounts of their own. Only
   those that they have by themselves. */
static void check_readers(const struct policy *policy, config_report *problem, void *context)
{
	static const char daemon[] = "portcullis", gate[] = "dovecot";

	if (strcmp(policy->file, CONFIG_DEFAULT_PATH) != 0)
		return;
	/* Dovecot reads this one before it gives root up. */
	check_reader(daemon, policy, policy->file, problem, context);
	check_reader(daemon, policy, policy->exemptions, problem, context);
	check_reader(daemon, policy, policy->country_database, problem, context);
	check_reader(daemon, policy, grace_file_if_any(policy), problem, context);
	check_reader(gate, policy, policy->exemptions, problem, context);
	check_reader(gate, policy, policy->country_database, problem, context);
	check_reader(gate, policy, grace_file_if_any(policy), problem, context);
}

void policy_load_files(struct loaded_policy *loaded_r)
{
	const struct policy *policy = loaded_r->policy;
	char *error;

	if (policy->exemptions != NULL)
		loaded_r->exemptions = loaded_exemptions_read(loaded_r);
	if (policy->country_database != NULL) {
		loaded_r->countries = country_database_open(policy->country_database, &error);
		if (loaded_r->countries == NULL) {
			report_problem(loaded_r, error == NULL ? "out of memory" : error);
			free(error);
		}
	}
	loaded_r->grace = loaded_grace_read(loaded_r);
}

bool policy_load(const char *config_path, struct loaded_policy *loaded_r)
{
	*loaded_r = (struct loaded_policy){.policy = policy_load_alone(config_path)};
	if (loaded_r->policy == NULL)
		return false;
	policy_load_files(loaded_r);
	check_readers(loaded_r->policy, report_problem, loaded_r);
	return true;
}

void policy_unload_files(struct loaded_policy *loaded)
{
	exemptions_free(loaded->exemptions);
	exemptions_free(loaded->grace);
	country_database_close(loaded->countries);
}

void policy_unload(struct loaded_policy *loaded)
{
	policy_unload_files(loaded);
	policy_free(loaded->policy);
}

const char *policy_records(const struct policy *policy)
{
	const char *file = store_file_of(policy->store);

	return file == NULL ? policy->journal : file;
}

char *policy_beside_records(const struct policy *policy, const char *name)
{
	char *folder = g_path_get_dirname(policy_records(policy));
	char *path = g_build_filename(folder, name, NULL);

	g_free(folder);
	return path;
}

int policy_load_as_owner(const char *config_path, struct policy **policy_r)
{
	*policy_r = policy_load_alone(config_path);
	if (*policy_r == NULL)
		return EX_CONFIG;
	check_readers(*policy_r, report_error, NULL);
	if (account_become_owner(policy_records(*policy_r)))
		return 0;
	policy_free(*policy_r);
	return EX_NOPERM;
}

static time_t later(time_t a, time_t b)
{
	return a > b ? a : b;
}

/* A link that leads elsewhere now, as a time zone's does, leads to what is old. */
static time_t later_change(time_t last, const char *path)
{
	struct stat status;

	if (path != NULL && lstat(path, &status) == 0)
		last = later(last, status.st_ctime);
	if (path != NULL && stat(path, &status) == 0)
		last = later(last, status.st_ctime);
	return last;
}

time_t loaded_changed(const struct loaded_policy *loaded)
{
	const struct policy *policy = loaded->policy;
	time_t last = later_change(0, policy->file);

	last = later_change(last, policy->exemptions);
	last = later_change(last, policy->country_database);
	return later_change(last, "/etc/localtime");
}

struct edition loaded_edition(const struct loaded_policy *loaded)
{
	return edition_of(loaded->policy, loaded->exemptions, loaded->grace, loaded->countries);
}
