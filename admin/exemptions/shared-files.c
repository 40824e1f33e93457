#include "shared-files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
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
#include "policy/exemption.h"
#include "policy/file-stamp.h"
#include "policy/fnv.h"
#include "policy/grace.h"
#include "shared-file.h"

#define LOCK_MILLISECONDS 5000

/* What could not be done is tried again after so long, and told again after so long. */
#define RETRY_SECONDS 10
#define TELL_SECONDS 600

struct kept_file {
	enum store_text which;
	char *path;      /* NULL: no server of the policy's reads one */
	int64_t version; /* -1: it is not as the store has it, as far as is known */
	struct file_stamp stamp;
	int64_t next; /* when it is tried again, in microseconds that only go on */
	char *told;   /* NULL: nothing */
	int64_t told_at;
};

struct shared_files {
	const struct policy *policy;
	struct kept_file files[STORE_TEXT_COUNT];
};

enum step {
	STEP_DONE,  /* it is as the store has it */
	STEP_AGAIN, /* the store has changed */
	STEP_STUCK, /* which was said */
	STEP_FAILED /* the store has */
};

/* A file while it is brought up to date. */
struct work {
	const struct shared_files *files;
	struct kept_file *file;
	struct store *store;
	struct store_shared shared;
	int directory; /* locked; -1: none */
	const char *name;
	char *text; /* of the file; NULL: it is not there */
	size_t length;
};

bool shared_files_are_wanted(const struct policy *policy)
{
	return policy->exemptions_in_store || store_file_of(policy->store) == NULL;
}

struct shared_files *shared_files_create(const struct policy *policy)
{
	struct shared_files *files = g_new0(struct shared_files, 1);

	files->policy = policy;
	for (enum store_text which = 0; which < STORE_TEXT_COUNT; which++)
		files->files[which] = (struct kept_file){.which = which, .version = -1};
	if (policy->exemptions_in_store)
		files->files[STORE_EXEMPTIONS].path = g_strdup(policy->exemptions);
	/* In a file's case, 'notify' works where the servers do. */
	if (store_file_of(policy->store) == NULL)
		files->files[STORE_GRACE].path =
			g_build_filename(policy->journal, GRACE_FILE_NAME, NULL);
	return files;
}

void shared_files_free(struct shared_files *files)
{
	if (files == NULL)
		return;
	for (size_t i = 0; i < STORE_TEXT_COUNT; i++) {
		g_free(files->files[i].path);
		g_free(files->files[i].told);
	}
	g_free(files);
}

/* ---- what is said ---- */

static void tell(const struct kept_file *file, const char *format, va_list arguments)
{
	char *text = g_strdup_vprintf(format, arguments);

	fprintf(stderr, "portcullis import: %s: %s\n", file->path, text);
	g_free(text);
}

static void say(const struct work *work, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void say(const struct work *work, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	tell(work->file, format, arguments);
	va_end(arguments);
}

/* What hinders, which may well be the same the next time. Returns STEP_STUCK. */
static enum step hinder(struct work *work, const char *reason)
{
	struct kept_file *file = work->file;
	int64_t now = g_get_monotonic_time();

	if (g_strcmp0(file->told, reason) == 0 &&
	    now - file->told_at < TELL_SECONDS * G_USEC_PER_SEC)
		return STEP_STUCK;
	g_free(file->told);
	file->told = g_strdup(reason);
	file->told_at = now;
	say(work, "%s; the servers read it as it is", reason);
	return STEP_STUCK;
}

/* ---- writing ---- */

/* Exemptions are for the servers, who are in the group of the journal. */
static struct stat owner_of(const struct shared_files *files)
{
	struct stat journal, owner = {.st_uid = geteuid(), .st_gid = getegid(), .st_mode = 0640};

	if (stat(files->policy->journal, &journal) == 0)
		owner.st_gid = journal.st_gid;
	return owner;
}

static bool replace(const struct work *work, const char *text, size_t length)
{
	const struct stat owner = owner_of(work->files);
	struct file_replacement *replacement =
		file_replace_begin(work->directory, work->name, &owner, 0);

	/* One that it cannot be given is this account's. */
	if (replacement == NULL && errno == EPERM)
		replacement = file_replace_begin(work->directory, work->name, NULL, 0640);
	return replacement != NULL && file_replace_finish(replacement, text, length);
}

static enum step write_text(struct work *work, const char *text, size_t length)
{
	if (work->text != NULL && work->length == length && memcmp(work->text, text, length) == 0)
		return STEP_DONE;
	return replace(work, text, length) ? STEP_DONE : hinder(work, file_problem(errno));
}

static enum step write_exemptions(struct work *work)
{
	GString *text = shared_file_text(&work->shared);
	enum step step = write_text(work, text->str, text->len);

	g_string_free(text, TRUE);
	return step;
}

/* ---- what somebody else wrote ---- */

/* Under a name that the same text gets again. */
static enum step keep_beside(struct work *work)
{
	char *name = g_strdup_printf("%s.by-hand-%016" PRIx64, work->name,
				     fnv_hash(FNV_START, work->text, work->length));
	bool kept = file_replace(work->directory, name, 0600, work->text, work->length);
	enum step step = kept ? STEP_DONE : hinder(work, file_problem(errno));

	if (kept)
		say(work,
		    "somebody has written to it; what it said is kept as %s, and the "
		    "store's exemptions hold. 'portcullis exempt' changes them for all hosts",
		    name);
	g_free(name);
	return step;
}

/* What cannot be taken in a second time. */
static enum step refuse_own(struct work *work)
{
	int64_t version;
	enum step step;

	if (!store_shared_version(work->store, STORE_EXEMPTIONS, &version))
		return STEP_FAILED;
	/* An answer may have been lost. */
	if (version != work->shared.version)
		return STEP_AGAIN;
	step = keep_beside(work);
	return step == STEP_DONE ? write_exemptions(work) : step;
}

static enum step take_in(struct work *work, const GString *merged, size_t lines)
{
	const struct store_shared shared = {
		.version = work->shared.version, .text = merged->str, .length = merged->len};
	enum store_taking taking;

	if (!store_take_in(work->store, &shared, &taking))
		return STEP_FAILED;
	switch (taking) {
	case STORE_TAKEN:
		say(work, "lines taken into the store: %zu", lines);
		return STEP_AGAIN;
	case STORE_TAKEN_BEFORE:
		return refuse_own(work);
	case STORE_TAKEN_TOO_LATE:
		return hinder(work, "its exemptions are of this host alone, and too late to be "
				    "taken into the store; 'portcullis exempt' lets them off");
	case STORE_TAKEN_BY_OTHERS:
		break;
	}
	return STEP_AGAIN;
}

/* own: within the file's text. */
static enum step merge(struct work *work, const char *own, size_t length)
{
	size_t lines;
	GString *merged =
		shared_file_merge(&work->shared, own, length, work->files->policy, &lines);
	enum step step;

	/* The first file is taken in whatever is in it. */
	if (merged == NULL && work->shared.version > 0)
		return write_exemptions(work);
	if (merged == NULL)
		merged = g_string_new(NULL);
	step = take_in(work, merged, lines);
	g_string_free(merged, TRUE);
	return step;
}

static enum step bring_exemptions(struct work *work)
{
	struct shared_head head;

	if (work->text == NULL)
		return work->shared.version == 0 ? STEP_DONE : write_exemptions(work);
	if (!shared_head_read(work->text, work->length, &head))
		return merge(work, work->text, work->length);
	/* The store is another one. */
	if (work->shared.version == 0)
		return merge(work, work->text + head.length, work->length - head.length);
	if (!head.is_intact || head.version > work->shared.version) {
		enum step step = keep_beside(work);

		if (step != STEP_DONE)
			return step;
	}
	return write_exemptions(work);
}

static enum step bring_grace(struct work *work)
{
	if (work->shared.version == 0)
		return STEP_DONE;
	/* No rule gives any here. */
	if (work->files->policy->grace_file == NULL)
		return unlinkat(work->directory, work->name, 0) == 0 || errno == ENOENT
			       ? STEP_DONE
			       : hinder(work, file_problem(errno));
	return write_text(work, work->shared.text, work->shared.length);
}

/* ---- one file ---- */

/* False when it cannot be read, which was said. */
static bool read_file(struct work *work)
{
	const char *error = NULL;

	work->directory = directory_open_of(work->file->path, &work->name);
	if (work->directory < 0 || !file_lock(work->directory, LOCK_MILLISECONDS)) {
		hinder(work, file_problem(errno));
		return false;
	}
	work->text = file_read(file_open(work->directory, work->name, O_RDONLY, 0),
			       EXEMPTIONS_SIZE_MAX, &work->length, &error);
	if (work->text != NULL || errno == ENOENT)
		return true;
	/* What 'notify' wrote was replaced as well. */
	if (work->file->which == STORE_GRACE)
		return true;
	hinder(work, error);
	return false;
}

static enum step bring(struct work *work)
{
	if (!store_read_shared(work->store, work->file->which, &work->shared))
		return STEP_FAILED;
	if (!read_file(work))
		return STEP_STUCK;
	return work->file->which == STORE_GRACE ? bring_grace(work) : bring_exemptions(work);
}

static enum step bring_up_to_date(const struct shared_files *files, struct kept_file *file,
				  struct store *store)
{
	struct work work = {.files = files, .file = file, .store = store, .directory = -1};
	enum step step = bring(&work);

	if (step == STEP_DONE) {
		file->version = work.shared.version;
		file->stamp = file_stamp(file->path);
		g_clear_pointer(&file->told, g_free);
	} else if (step == STEP_STUCK) {
		file->next = g_get_monotonic_time() + RETRY_SECONDS * G_USEC_PER_SEC;
	}
	if (work.directory >= 0)
		file_close(work.directory);
	free(work.text);
	g_free(work.shared.text);
	return step;
}

/* Whether file and store are what they were. */
static bool is_up_to_date(const struct kept_file *file, int64_t version)
{
	const struct file_stamp now = file_stamp(file->path);

	return version == file->version && file_stamp_same(&now, &file->stamp);
}

static enum step look(const struct shared_files *files, struct kept_file *file, struct store *store)
{
	int64_t version;

	if (file->path == NULL || g_get_monotonic_time() < file->next)
		return STEP_DONE;
	if (!store_shared_version(store, file->which, &version))
		return STEP_FAILED;
	return is_up_to_date(file, version) ? STEP_DONE : bring_up_to_date(files, file, store);
}

bool shared_files_look(struct shared_files *files, struct store *store, bool *settled_r)
{
	*settled_r = true;
	for (size_t i = 0; i < STORE_TEXT_COUNT; i++) {
		enum step step = look(files, &files->files[i], store);

		if (step == STEP_FAILED)
			return false;
		if (step == STEP_AGAIN)
			*settled_r = false;
	}
	return true;
}
