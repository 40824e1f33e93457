#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "admin/store/store-shared.h"
#include "exemption-file-parts.h"
#include "shared-file.h"

/* Takes the store's failure over. */
static int complain_of_store(const struct store_failure *failure)
{
	fprintf(stderr, "portcullis exempt: %s\n", failure->text);
	return failure->status;
}

static struct store *open_store(const struct policy *policy, enum store_access access,
				struct store_failure *failure_r)
{
	return store_open(policy->store, policy->host, access, failure_r);
}

/* As the servers read it. */
static struct exemptions *load(const struct policy *policy, const char *path, const char *text,
			       size_t length, config_report *error, void *context)
{
	struct exemptions *exemptions;
	char *copy = g_malloc0(length + 1); /* it is cut up */

	memcpy(copy, text, length);
	exemptions = exemptions_load_text(path, copy, length, policy, error, context);
	g_free(copy);
	return exemptions;
}

/* ---- reading ---- */

/* With the line before it that the servers' file has, so that numbers of lines are the same. */
static void take_text(struct exemption_file *file, const struct store_shared *shared)
{
	g_string_free(file->text, TRUE);
	file->text = shared_file_text(shared);
	file->version = shared->version;
	file->exists = true;
	file->before = load(file->policy, file->path, file->text->str, file->text->len,
			    config_report_nothing, NULL);
}

int exemption_file_read_store(struct exemption_file *file)
{
	struct store_shared shared;
	struct store_failure failure;
	struct store *store;
	int status = 0;

	file->path = g_strdup(file->policy->exemptions);
	store = open_store(file->policy, STORE_READ, &failure);
	/* To a file in which nothing is recorded yet, it is added nevertheless. */
	if (store == NULL && failure.status == EX_NOINPUT &&
	    store_file_of(file->policy->store) != NULL)
		return 0;
	if (store == NULL)
		return complain_of_store(&failure);
	if (!store_read_shared(store, STORE_EXEMPTIONS, &shared)) {
		status = complain_of_store(store_failure(store));
	} else {
		if (shared.version > 0)
			take_text(file, &shared);
		g_free(shared.text);
	}
	store_close(store);
	return status;
}

/* ---- saving ---- */

static int put(const struct exemption_file *file, char *text, size_t length)
{
	const struct store_shared shared = {
		.version = file->version, .text = text, .length = length};
	struct store_failure failure;
	struct store *store = open_store(file->policy, STORE_WRITE, &failure);
	bool done;
	int status;

	if (store == NULL)
		return complain_of_store(&failure);
	if (!store_put_shared(store, STORE_EXEMPTIONS, &shared, &done))
		status = complain_of_store(store_failure(store));
	else
		status = done ? 0 : EXEMPTIONS_CHANGED;
	store_close(store);
	return status;
}

int exemption_file_save_in_store(struct exemption_file *file)
{
	GString *text = file->text;
	struct shared_head head = {0};
	int status = exemption_file_check(file, load(file->policy, file->path, text->str, text->len,
						     config_report_nothing, NULL));

	if (status != 0)
		return status;
	shared_head_read(text->str, text->len, &head);
	return put(file, text->str + head.length, text->len - head.length);
}

/* ---- all of it ---- */

static int refuse(const char *path, const char *reason)
{
	fprintf(stderr, "portcullis exempt: %s: %s\n", path, reason);
	return EX_DATAERR;
}

static void tell_wrong_line(void *context, const char *message)
{
	size_t *count = context;

	++*count;
	fprintf(stderr, "%s\n", message);
}

int exemption_file_replace_all(struct exemption_file *file, const char *path, char *text,
			       size_t length)
{
	struct shared_head head;
	struct exemptions *after;
	size_t wrong = 0;

	if (!shared_head_read(text, length, &head))
		return refuse(path, "its first line does not tell its version; edit a copy of the "
				    "file that the servers read");
	if (head.version != file->version)
		return refuse(path, "the store has another version by now; edit a copy of that");
	after = load(file->policy, path, text, length, tell_wrong_line, &wrong);
	file->lines_removed = file->before == NULL ? 0 : exemptions_count(file->before);
	file->lines_added = after == NULL ? 0 : exemptions_count(after);
	exemptions_free(after);
	if (after == NULL || wrong > 0)
		return refuse(path, "it has wrong lines; nothing was changed");
	return put(file, text + head.length, length - head.length);
}
