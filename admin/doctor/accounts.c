#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/files/account-access.h"
#include "admin/files/path-owner.h"
#include "mend.h"

/* Whether the servers, each as its account, can read the policy's files, and record. */

#define DAEMON "portcullis"

/* The file of a writer, where it has one already; else the directory. */
static char *find_place(const struct policy *policy, const char *file)
{
	char *path = g_build_filename(policy->journal, file, NULL);
	struct stat status;

	if (lstat(path, &status) == 0)
		return path;
	g_free(path);
	return g_strdup(policy->journal);
}

/* What the service's account owns, it can replace by links to files of root's at any time: no
   command of root's changes anything there. It puts aside what is not as it should be, which is
   made anew; an empty command where all is its own already. */
static char *put_aside(const char *path, const char *name)
{
	struct stat status;
	const struct passwd *account = getpwnam(DAEMON);
	char *from, *to, *command;

	if (account != NULL && lstat(path, &status) == 0 && S_ISDIR(status.st_mode) &&
	    status.st_uid == account->pw_uid)
		return g_strdup("");
	from = mend_word(path);
	to = mend_word(name);
	command = g_strdup_printf("runuser -u " DAEMON " -- mv -T %s %s && ", from, to);
	g_free(from);
	g_free(to);
	return command;
}

static char *mend(const struct policy *policy, const char *place)
{
	static const char create[] = "systemd-tmpfiles --create portcullis.conf";
	char *name, *aside, *command;

	if (strcmp(place, policy->journal) == 0)
		name = g_strconcat(place, "-aside", NULL);
	else
		name = g_strdup_printf("%.*s-aside.jsonl", (int)(strlen(place) - strlen(".jsonl")),
				       place);
	aside = put_aside(place, name);
	command = g_strconcat(aside, create, NULL);
	g_free(aside);
	g_free(name);
	return command;
}

static void look_at_writer(struct doctor *doctor, const char *server, const char *account,
			   const char *const groups[], const char *file)
{
	char *place = find_place(doctor->policy, file);
	bool is_file = strcmp(place, doctor->policy->journal) != 0;
	int error = account_access_as(account, groups, place, is_file ? W_OK : W_OK | X_OK);

	if (error != 0)
		finding_add(&doctor->findings, FINDING_JOURNAL_NOT_WRITABLE, place,
			    mend(doctor->policy, place),
			    "%s (account %s) cannot write its journal: %s; nothing is recorded",
			    server, account, strerror(error));
	g_free(place);
}

static void look_at_reader(struct doctor *doctor, const char *server, const char *account,
			   const char *const groups[], const char *path)
{
	int error = path == NULL ? 0 : account_access_as(account, groups, path, R_OK);
	struct path_owner owner;
	char *file, *command;

	if (error == 0 || error == ENOENT)
		return;
	file = mend_word(path);
	/* Where the service writes it itself, root changes nothing. */
	command = path_owner_find(path, &owner)
			  ? g_strdup_printf("runuser -u " DAEMON " -- chmod g+r %s", file)
			  : g_strdup_printf("chgrp " DAEMON " %s && chmod g+r %s", file, file);
	finding_add(&doctor->findings, FINDING_POLICY_FILE_FORBIDDEN, path, command,
		    "%s (account %s) cannot read it: %s", server, account, strerror(error));
	g_free(file);
}

static void add_not_in_group(struct doctor *doctor, char *const *groups)
{
	guint count = g_strv_length((char **)groups);
	char **wanted = g_new0(char *, count + 2), *line;

	memcpy(wanted, groups, count * sizeof(*wanted));
	wanted[count] = (char[]){DAEMON};
	line = dovecot_auth_groups_line(&doctor->dovecot, wanted);
	finding_add(&doctor->findings, FINDING_AUTH_NOT_IN_GROUP, "service auth/extra_groups",
		    mend_dovecot(doctor, line),
		    "Dovecot's auth process is not in the group " DAEMON
		    ", and cannot write its journal: nothing is recorded");
	g_free(line);
	g_free(wanted);
}

/* Its account is in the group of the journal by Dovecot's configuration alone. */
static void look_at_auth(struct doctor *doctor)
{
	char **groups = dovecot_auth_groups(&doctor->dovecot);

	if (g_strv_contains((const char *const *)groups, DAEMON)) {
		const char *account = dovecot_auth_account(&doctor->dovecot);
		const char *const *names = (const char *const *)groups;

		look_at_writer(doctor, "Dovecot", account, names, "dovecot.jsonl");
		/* The configuration it reads before it gives root up. */
		look_at_reader(doctor, "Dovecot", account, names, doctor->policy->exemptions);
		look_at_reader(doctor, "Dovecot", account, names, doctor->policy->country_database);
	} else {
		add_not_in_group(doctor, groups);
	}
	g_strfreev(groups);
}

void doctor_look_at_accounts(struct doctor *doctor)
{
	const struct policy *policy = doctor->policy;

	if (doctor->dovecot.problem == NULL && dovecot_has_gate(&doctor->dovecot))
		look_at_auth(doctor);
	if (doctor->postfix.problem != NULL || policy->smtp_enforced_at_auth)
		return;
	look_at_writer(doctor, "portcullis-policyd", DAEMON, NULL, "postfix.jsonl");
	look_at_reader(doctor, "portcullis-policyd", DAEMON, NULL, policy->file);
	look_at_reader(doctor, "portcullis-policyd", DAEMON, NULL, policy->exemptions);
	look_at_reader(doctor, "portcullis-policyd", DAEMON, NULL, policy->country_database);
}
