#include "grace-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/exemptions/exemption-line.h"
#include "admin/files/directory.h"
#include "admin/files/file-open.h"
#include "admin/files/file-read.h"
#include "admin/files/file-replace.h"
#include "admin/terminal/display.h"
#include "notice-grace.h"
#include "policy/grace.h"

#define HEADING                                                                                    \
	"# Written anew by each run of 'portcullis notify'; see \"grace\" in "                     \
	"portcullis.conf(5).\n"

struct graces {
	const struct policy *policy;
	time_t now;
	GString *text;
};

/* ---- who has it ---- */

static void add_grace(struct graces *graces, const struct notice_candidate *candidate,
		      const struct rule *rule)
{
	const struct notice_grace grace = notice_grace_find(&candidate->person, rule);
	char last_day[ISO_DAY_TEXT_SIZE], told[ISO_DAY_TEXT_SIZE];

	if (grace.end <= graces->now || grace.end <= rule->schedule.enforce)
		return;
	g_string_append_printf(graces->text, "%s %s %s # ", candidate->user, rule->title,
			       iso_day_format(grace.end - 1, last_day));
	if (grace.told == SCHEDULE_ALWAYS)
		g_string_append(graces->text, "not told yet\n");
	else
		g_string_append_printf(graces->text, "first told on %s\n",
				       iso_day_format(grace.told, told));
}

static bool add_graces(void *context, const struct notice_candidate *candidate)
{
	struct graces *graces = context;

	if (!exemption_user_is_writable(candidate->user))
		return true;
	for (size_t i = 0; i < graces->policy->rule_count; i++)
		add_grace(graces, candidate, &graces->policy->rules[i]);
	return true;
}

/* Whether somebody may have it, so that everybody has to be looked at. */
static bool is_the_time(const struct policy *policy, time_t now)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->grace > 0 && now > rule->schedule.enforce - rule->grace &&
		    now < grace_end_max(rule))
			return true;
	}
	return false;
}

static bool find(struct graces *graces, struct notice_people *people, struct store *store)
{
	if (!is_the_time(graces->policy, graces->now))
		return true;
	if (!notice_people_begin(people, store))
		return false;
	if (!notice_people_each(people, NULL, graces->now, add_graces, graces)) {
		store_rollback(store);
		return false;
	}
	return store_commit(store);
}

/* ---- the file ---- */

static bool is_written(int directory, const GString *text)
{
	const char *error;
	size_t length;
	char *old = file_read(file_open(directory, GRACES_NAME, O_RDONLY, 0), EXEMPTIONS_SIZE_MAX,
			      &length, &error);
	bool same = old != NULL && length == text->len && memcmp(old, text->str, length) == 0;

	free(old);
	return same;
}

/* Returns 0 or an errno. The servers believe only what the directory's owner made, or root. */
static int put(int directory, const GString *text)
{
	struct stat holder;

	if (directory < 0 || fstat(directory, &holder) < 0)
		return errno;
	if (geteuid() != 0 && geteuid() != holder.st_uid)
		return EPERM;
	/* Its group is the directory's (setgid): the servers'. */
	return is_written(directory, text) ||
			       file_replace(directory, GRACES_NAME, 0640, text->str, text->len)
		       ? 0
		       : errno;
}

static bool replace(const struct policy *policy, const GString *text)
{
	int directory = directory_open(policy->journal);
	int error = put(directory, text);

	file_close(directory);
	if (error == 0)
		return true;
	fprintf(stderr, "portcullis notify: %s: %s; the servers do not learn who is given grace\n",
		policy->graces, file_problem(error));
	return false;
}

static void discard(const struct policy *policy)
{
	int directory = directory_open(policy->journal);

	if (directory >= 0)
		unlinkat(directory, GRACES_NAME, 0);
	file_close(directory);
}

bool grace_file_write(const struct policy *policy, struct notice_people *people,
		      struct store *store, time_t now)
{
	struct graces graces = {.policy = policy, .now = now, .text = g_string_new(HEADING)};
	bool fine = true;

	if (policy->graces == NULL) {
		discard(policy);
	} else if (find(&graces, people, store)) {
		fine = replace(policy, graces.text);
	} else {
		fprintf(stderr, "portcullis notify: %s\n", store_failure(store)->text);
		fine = false;
	}
	g_string_free(graces.text, TRUE);
	return fine;
}
