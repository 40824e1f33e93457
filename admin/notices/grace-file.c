#include "grace-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/files/directory.h"
#include "admin/files/file-open.h"
#include "admin/files/file-read.h"
#include "admin/files/file-replace.h"
#include "grace-text.h"
#include "policy/grace.h"

static bool is_written(int directory, const GString *text)
{
	const char *error;
	size_t length;
	char *old = file_read(file_open(directory, GRACE_FILE_NAME, O_RDONLY, 0),
			      EXEMPTIONS_SIZE_MAX, &length, &error);
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
			       file_replace(directory, GRACE_FILE_NAME, 0640, text->str, text->len)
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
		policy->grace_file, file_problem(error));
	return false;
}

static void discard(const struct policy *policy)
{
	int directory = directory_open(policy->journal);

	if (directory >= 0)
		unlinkat(directory, GRACE_FILE_NAME, 0);
	file_close(directory);
}

bool grace_file_write(const struct policy *policy, struct notice_people *people,
		      struct store *store, time_t now)
{
	GString *text;
	bool fine;

	if (policy->grace_file == NULL) {
		discard(policy);
		return true;
	}
	text = grace_text_find(policy, people, store, now);
	if (text == NULL) {
		fprintf(stderr, "portcullis notify: %s\n", store_failure(store)->text);
		return false;
	}
	fine = replace(policy, text);
	g_string_free(text, TRUE);
	return fine;
}
