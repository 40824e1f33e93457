#include "exemption-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "admin/files/directory.h"
#include "admin/files/file-lock.h"
#include "admin/files/file-open.h"
#include "admin/files/file-read.h"
#include "admin/files/file-replace.h"
#include "exemption-file-parts.h"

#define FILE_SIZE_MAX ((size_t)128 << 20)

/* Many editors may wait for each other. */
#define LOCK_MILLISECONDS 60000

/* What is to be different for one user. */
struct exemption_change {
	char *user;
	uint64_t removed; /* rules */
	GArray *added;    /* of struct exemption */
};

int exemption_file_complain(const struct exemption_file *file, int status, const char *reason)
{
	fprintf(stderr, "portcullis: %s: %s\n", file->path, reason);
	return status;
}

/* ---- opening ---- */

static int read_file(struct exemption_file *file)
{
	const char *error;
	size_t length;
	char *text;

	file->exists =
		fstatat(file->directory, file->name, &file->status, AT_SYMLINK_NOFOLLOW) == 0;
	if (!file->exists)
		return errno == ENOENT ? 0
				       : exemption_file_complain(file, EX_NOINPUT, strerror(errno));
	/* The operator may have given it to whoever edits it. */
	text = file_read(file_open_of_anybody(file->directory, file->name, O_RDONLY), FILE_SIZE_MAX,
			 &length, &error);
	if (text == NULL)
		return exemption_file_complain(file, EX_NOINPUT, error);
	g_string_append_len(file->text, text, (gssize)length);
	free(text);
	/* policy_load() has told of wrong lines. */
	file->before = exemptions_load(file->path, file->policy, config_report_nothing, NULL);
	return file->before == NULL ? exemption_file_complain(file, EX_NOINPUT, "cannot be read")
				    : 0;
}

static void free_change(gpointer data)
{
	struct exemption_change *change = data;

	g_free(change->user);
	g_array_free(change->added, TRUE);
	g_free(change);
}

static int lock_and_read_file(struct exemption_file *file)
{
	char *resolved = realpath(file->policy->exemptions, NULL);

	file->path = g_strdup(resolved == NULL ? file->policy->exemptions : resolved);
	free(resolved);
	file->directory = directory_open_of(file->path, &file->name);
	if (file->directory < 0)
		return exemption_file_complain(file, EX_NOINPUT, strerror(errno));
	/* Not the file itself is locked: it is replaced. */
	if (!file_lock(file->directory, LOCK_MILLISECONDS))
		return exemption_file_complain(file, EX_TEMPFAIL, file_problem(errno));
	return read_file(file);
}

int exemption_file_open(struct exemption_file *file_r, const struct policy *policy)
{
	*file_r = (struct exemption_file){
		.policy = policy,
		.directory = -1,
		.text = g_string_new(NULL),
		.changed = g_ptr_array_new_with_free_func(free_change),
		.lines_edited = g_hash_table_new(NULL, NULL),
	};
	if (policy->exemptions == NULL) {
		file_r->path = g_strdup(policy->file);
		return exemption_file_complain(file_r, EX_CONFIG, "it names no file of exemptions");
	}
	return policy->exemptions_in_store ? exemption_file_read_store(file_r)
					   : lock_and_read_file(file_r);
}

void exemption_file_close(struct exemption_file *file)
{
	if (file->directory >= 0)
		close(file->directory);
	exemptions_free(file->before);
	g_string_free(file->text, TRUE);
	g_ptr_array_free(file->changed, TRUE);
	g_hash_table_destroy(file->lines_edited);
	g_free(file->path);
}

/* ---- editing ---- */

static struct exemption_change *add_change(struct exemption_file *file, const char *user)
{
	struct exemption_change *change = g_new0(struct exemption_change, 1);

	change->user = g_strdup(user);
	change->added = g_array_new(FALSE, FALSE, sizeof(struct exemption));
	g_ptr_array_add(file->changed, change);
	return change;
}

void exemption_file_add(struct exemption_file *file, const char *user,
			const struct exemption_wish *wish, const char *reason)
{
	struct exemption_change *change = add_change(file, user);

	if (file->text->len > 0 && file->text->str[file->text->len - 1] != '\n')
		g_string_append_c(file->text, '\n');
	exemption_line_append(file->text, user, wish, reason);
	g_array_append_vals(change->added, wish->entries->data, wish->entries->len);
	file->lines_added++;
}

bool exemption_file_next(const GString *text, size_t *position, const char **line_r,
			 size_t *length_r)
{
	const char *line = text->str + *position, *newline;

	if (*position >= text->len)
		return false;
	newline = memchr(line, '\n', text->len - *position);
	*line_r = line;
	*length_r = newline == NULL ? text->len - *position : (size_t)(newline - line);
	*position += *length_r + (newline != NULL);
	return true;
}

const struct exemption *exemption_file_read_line(const struct exemption_file *file,
						 const char *line, size_t length,
						 unsigned int number,
						 struct exemption_line *parts_r,
						 char user_r[static USER_SIZE])
{
	const struct exemption *exemptions;
	bool named;
	size_t count;
	char *name;

	if (!exemption_line_split(line, length, parts_r))
		return NULL;
	name = g_strndup(line + parts_r->user, parts_r->user_end - parts_r->user);
	named = user_normalise(name, file->policy->default_domain, user_r, USER_SIZE);
	g_free(name);
	exemptions = named ? exemptions_of_user(file->before, user_r, &count) : NULL;
	for (size_t i = 0; exemptions != NULL && i < count; i++) {
		if (exemptions[i].line == number)
			return &exemptions[i];
	}
	return NULL;
}

/* What is to be taken out of which lines. */
struct removal {
	const char *user;   /* NULL: of everybody */
	const char *reason; /* NULL: whatever it is */
	uint64_t rules;
};

/* Whether the exemptions of a line, the first of which is given, are among the rules. */
static bool has_rules(const struct exemption *first, const struct exemption *end, uint64_t rules)
{
	for (const struct exemption *one = first; one < end && one->line == first->line; one++) {
		if ((rules & UINT64_C(1) << one->rule) != 0)
			return true;
	}
	return false;
}

/* Whether the removal is about a line, and then whose it is. */
static bool is_meant(const struct exemption_file *file, const struct removal *removal,
		     const char *line, size_t length, unsigned int number,
		     char user_r[static USER_SIZE])
{
	struct exemption_line parts;
	const struct exemption *first =
		exemption_file_read_line(file, line, length, number, &parts, user_r);
	size_t count;

	if (first == NULL || (removal->user != NULL && strcmp(removal->user, user_r) != 0))
		return false;
	if (removal->reason != NULL &&
	    (strlen(removal->reason) != parts.end - parts.comment ||
	     memcmp(removal->reason, line + parts.comment, parts.end - parts.comment) != 0))
		return false;
	return has_rules(first, exemptions_of_user(file->before, user_r, &count) + count,
			 removal->rules);
}

/* Appends a line without some of its rules; false when none is left. */
static bool append_without(GString *text, const char *line, size_t length,
			   const struct policy *policy, uint64_t rules)
{
	struct exemption_line parts;
	char *left;
	bool some;

	if (!exemption_line_split(line, length, &parts))
		return false;
	left = exemption_rules_without(line + parts.rules, parts.rules_end - parts.rules, policy,
				       rules);
	some = left[0] != '\0';
	if (some) {
		g_string_append_len(text, line, (gssize)parts.rules);
		g_string_append(text, left);
		g_string_append_len(text, line + parts.rules_end,
				    (gssize)(length - parts.rules_end));
	}
	g_free(left);
	return some;
}

static size_t remove_lines(struct exemption_file *file, const struct removal *removal)
{
	GHashTable *users = g_hash_table_new(g_str_hash, g_str_equal); /* of the changes */
	GString *text = g_string_new(NULL);
	size_t position = 0, length, changed = 0;
	unsigned int number = 0;
	char user[USER_SIZE];
	const char *line;

	while (exemption_file_next(file->text, &position, &line, &length)) {
		bool ends = line[length] == '\n';

		if (!is_meant(file, removal, line, length, ++number, user)) {
			g_string_append_len(text, line, (gssize)(length + ends));
			continue;
		}
		changed++;
		g_hash_table_add(file->lines_edited, GUINT_TO_POINTER(number));
		if (!g_hash_table_contains(users, user)) {
			struct exemption_change *change = add_change(file, user);

			change->removed = removal->rules;
			g_hash_table_add(users, change->user);
		}
		if (!append_without(text, line, length, file->policy, removal->rules))
			file->lines_removed++;
		else if (ends)
			g_string_append_c(text, '\n');
	}
	g_string_free(file->text, TRUE);
	file->text = text;
	g_hash_table_destroy(users);
	return changed;
}

size_t exemption_file_remove(struct exemption_file *file, const char *user, uint64_t rules)
{
	const struct removal removal = {.user = user, .rules = rules};

	return remove_lines(file, &removal);
}

size_t exemption_file_remove_reason(struct exemption_file *file, const char *reason)
{
	const struct removal removal = {.reason = reason, .rules = UINT64_MAX};

	return remove_lines(file, &removal);
}

/* ---- saving ---- */

/* Whether the new file says of a user what the old one said, but for the change. */
static bool is_as_meant(const struct exemption_file *file, const struct exemptions *after,
			const struct exemption_change *change)
{
	size_t old_count, new_count, at = 0;
	const struct exemption *old = exemptions_of_user(file->before, change->user, &old_count);
	const struct exemption *new = exemptions_of_user(after, change->user, &new_count);

	for (size_t i = 0; i < old_count; i++) {
		if ((change->removed & UINT64_C(1) << old[i].rule) != 0 &&
		    g_hash_table_contains(file->lines_edited, GUINT_TO_POINTER(old[i].line)))
			continue;
		if (at == new_count || !exemptions_are_equal(&old[i], &new[at++]))
			return false;
	}
	for (guint i = 0; i < change->added->len; i++) {
		const struct exemption *added = &g_array_index(change->added, struct exemption, i);

		if (at == new_count || !exemptions_are_equal(added, &new[at++]))
			return false;
	}
	return at == new_count;
}

static bool reads_as_meant(const struct exemption_file *file, struct exemptions *after)
{
	size_t lines = file->before == NULL ? 0 : exemptions_count(file->before);
	bool fine = after != NULL &&
		    exemptions_count(after) == lines + file->lines_added - file->lines_removed;

	for (guint i = 0; fine && i < file->changed->len; i++)
		fine = is_as_meant(file, after, g_ptr_array_index(file->changed, i));
	exemptions_free(after);
	return fine;
}

static struct exemptions *load_new_file(const struct exemption_file *file,
					const struct file_replacement *replacement)
{
	char *path = g_strdup_printf("/proc/self/fd/%d/%s", file->directory,
				     file_replace_name(replacement));
	struct exemptions *after = exemptions_load(path, file->policy, config_report_nothing, NULL);

	g_free(path);
	return after;
}

int exemption_file_check(const struct exemption_file *file, struct exemptions *after)
{
	return reads_as_meant(file, after)
		       ? 0
		       : exemption_file_complain(
				 file, EX_DATAERR,
				 "the servers would not read it as it is meant; it stays as it is");
}

/* Somebody may have edited it without the lock. */
static bool is_unchanged(const struct exemption_file *file)
{
	struct stat status;

	if (fstatat(file->directory, file->name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return !file->exists && errno == ENOENT;
	return file->exists && status.st_dev == file->status.st_dev &&
	       status.st_ino == file->status.st_ino && status.st_size == file->status.st_size &&
	       status.st_mtim.tv_sec == file->status.st_mtim.tv_sec &&
	       status.st_mtim.tv_nsec == file->status.st_mtim.tv_nsec;
}

/* Returns 0 or an exit status, having said what is wrong. */
static int check_new_file(const struct exemption_file *file,
			  const struct file_replacement *replacement)
{
	int status = exemption_file_check(file, load_new_file(file, replacement));

	if (status != 0)
		return status;
	if (!is_unchanged(file))
		return exemption_file_complain(
			file, EX_TEMPFAIL, "somebody else has just changed it; it stays as it is");
	return 0;
}

/* The servers may take one with nothing in it for a file that was emptied by mistake. */
static void say_when_empty(GString *text)
{
	if (strspn(text->str, " \t\r\n") == text->len)
		g_string_append(text, "# edited by 'portcullis exempt', see portcullis.conf(5)\n");
}

static int save_file(struct exemption_file *file)
{
	/* A new one is readable for the servers, which run as other users. */
	struct file_replacement *replacement = file_replace_begin(
		file->directory, file->name, file->exists ? &file->status : NULL, 0644);
	int status;

	if (replacement == NULL)
		return exemption_file_complain(file, EX_CANTCREAT, file_problem(errno));
	say_when_empty(file->text);
	if (!file_replace_write(replacement, file->text->str, file->text->len))
		status = exemption_file_complain(file, EX_IOERR, strerror(errno));
	else
		status = check_new_file(file, replacement);
	if (status != 0)
		file_replace_abandon(replacement);
	else if (!file_replace_commit(replacement))
		status = exemption_file_complain(file, EX_IOERR, strerror(errno));
	return status;
}

int exemption_file_save(struct exemption_file *file)
{
	return file->policy->exemptions_in_store ? exemption_file_save_in_store(file)
						 : save_file(file);
}
