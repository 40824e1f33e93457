#include "grace-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/files/directory.h"
#include "admin/files/file-lock.h"
#include "admin/files/file-open.h"
#include "admin/files/file-read.h"
#include "admin/files/file-replace.h"
#include "admin/store/store-shared.h"
#include "grace-text.h"
#include "policy/grace.h"

#define LOCK_MILLISECONDS 5000

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

/* Returns 0 or an errno. */
static int put_here(const struct policy *policy, const GString *text)
{
	int directory = directory_lock(policy->journal, LOCK_MILLISECONDS);
	int error = put(directory, text);

	file_close(directory);
	return error;
}

/* Where the store is on a server, there may be no servers of mail here, nor may this be the
   account that writes for them. */
static bool is_anothers_to_do(const struct policy *policy, int error)
{
	return store_file_of(policy->store) == NULL &&
	       (error == ENOENT || error == EACCES || error == EPERM);
}

static bool replace(const struct policy *policy, const GString *text)
{
	int error = put_here(policy, text);

	if (error == 0 || is_anothers_to_do(policy, error))
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

/* ---- for all hosts ---- */

/* Others may put a text at the same moment: the last one counts. *put_r: there is nothing left
   to be put. False when the store fails. */
static bool try_to_share(struct store *writer, const GString *text, bool *put_r)
{
	struct store_shared before, after = {.text = text->str, .length = text->len};

	if (!store_read_shared(writer, STORE_GRACE, &before))
		return false;
	*put_r = before.length == text->len && memcmp(before.text, text->str, text->len) == 0;
	g_free(before.text);
	after.version = before.version;
	return *put_r || store_put_shared(writer, STORE_GRACE, &after, put_r);
}

static bool share(struct store *writer, const GString *text)
{
	bool fine, put = false;

	do
		fine = try_to_share(writer, text, &put);
	while (fine && !put);
	if (!fine)
		fprintf(stderr,
			"portcullis notify: %s; the servers do not learn who is given grace\n",
			store_failure(writer)->text);
	return fine;
}

/* ---- */

static bool put_text(const struct policy *policy, struct store *writer, const GString *text)
{
	bool shared = store_file_of(policy->store) != NULL || share(writer, text);

	/* Those of this host need not wait for an importer. */
	return replace(policy, text) && shared;
}

/* Where no rule gives any. */
static bool give_to_nobody(const struct policy *policy, struct store *writer)
{
	GString *text;
	int64_t version;
	bool fine;

	discard(policy);
	if (store_file_of(policy->store) != NULL)
		return true;
	if (store_shared_version(writer, STORE_GRACE, &version) && version == 0)
		return true;
	text = g_string_new(GRACE_HEADING);
	fine = share(writer, text);
	g_string_free(text, TRUE);
	return fine;
}

bool grace_file_write(const struct policy *policy, struct notice_people *people,
		      struct store *reader, struct store *writer, time_t now)
{
	GString *text;
	bool fine;

	if (policy->grace_file == NULL)
		return give_to_nobody(policy, writer);
	text = grace_text_find(policy, people, reader, now);
	if (text == NULL) {
		fprintf(stderr, "portcullis notify: %s\n", store_failure(reader)->text);
		return false;
	}
	fine = put_text(policy, writer, text);
	g_string_free(text, TRUE);
	return fine;
}
