#define _GNU_SOURCE /* asprintf() */
#include "exemption-source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config-problems.h"
#include "text-file.h"
#include "trusted-file.h"

/* So many wrong lines of a file are told; a log has room for no more. */
#define LINES_TOLD_MAX 100

/* Whoever deletes the last lines of a file by hand means it; more do not go at once but by
   mistake: a program that writes the file had nothing to write. Stated in
   portcullis.conf(5). */
#define LINES_DELETED_MAX 10

#define NOBODY "# nobody\n"

struct wrong_lines {
	config_report *error;
	void *context;
	size_t count;
};

static void count_wrong_line(void *context, const char *message)
{
	struct wrong_lines *wrong = context;

	if (++wrong->count <= LINES_TOLD_MAX)
		wrong->error(wrong->context, message);
}

/* ---- texts ---- */

static const char *path_of(const struct exemption_source *source, const struct policy *policy)
{
	return source->of_grace ? policy->grace_file : policy->exemptions;
}

/* Whether others than root may write where it lies. */
static bool is_ours(const struct exemption_source *source, const struct policy *policy)
{
	return source->of_grace || policy->exemptions_in_store;
}

static bool is_blank(const char *text, size_t length)
{
	return strspn(text, " \t\r\n") == length;
}

/* Two texts, the second of which may be empty, with a line's end between them. */
static struct exemptions *load(const struct exemption_source *source, const struct policy *policy,
			       const char *text, size_t length, const char *second,
			       size_t second_length, config_report *error, void *context)
{
	struct exemptions *exemptions = NULL;
	/* It is cut up. */
	char *both = malloc(length + second_length + sizeof("\n"));

	if (both == NULL)
		return NULL;
	memcpy(both, text, length);
	if (second_length > 0) {
		both[length++] = '\n';
		memcpy(both + length, second, second_length);
		length += second_length;
	}
	both[length] = '\0';
	exemptions = (source->of_grace ? grace_load_text : exemptions_load_text)(
		path_of(source, policy), both, length, policy, error, context);
	free(both);
	return exemptions;
}

/* Takes the text over. */
static void remember(struct exemption_source *source, const char *path, const char *read_from,
		     char *text, size_t length, bool is_kept)
{
	exemption_source_free(source);
	source->path = strdup(path);
	source->read_from = strdup(read_from);
	source->text = text;
	source->length = length;
	source->is_kept = is_kept;
	if (source->path == NULL || source->read_from == NULL)
		exemption_source_free(source);
}

static bool read_copy(struct exemption_source *source, const struct policy *policy,
		      const char *directory)
{
	const struct valid_copies *copies = source->copies;
	const char *problem;
	size_t length;
	char *copy;
	char *text = valid_copy_read(copies, directory, path_of(source, policy), copies->user,
				     EXEMPTIONS_SIZE_MAX, &length, &copy, &problem);

	if (text != NULL)
		remember(source, path_of(source, policy), copy, text, length, true);
	free(copy);
	return source->text != NULL;
}

/* Whether there is a valid text of a policy's file; else it is looked for among the copies. */
static bool knows_valid_text(struct exemption_source *source, const struct policy *policy)
{
	const char *directories[2];

	if (source->text != NULL && strcmp(source->path, path_of(source, policy)) == 0)
		return true;
	exemption_source_free(source);
	if (source->copies == NULL)
		return false;
	valid_copy_directories(source->copies, policy->journal, path_of(source, policy),
			       source->copies->user, directories);
	return read_copy(source, policy, directories[0]) ||
	       read_copy(source, policy, directories[1]);
}

struct exemptions *exemption_source_last_valid(struct exemption_source *source,
					       const struct policy *policy, config_report *error,
					       void *context)
{
	return knows_valid_text(source, policy)
		       ? load(source, policy, source->text, source->length, "", 0, error, context)
		       : NULL;
}

/* The lines of the last valid text. */
static size_t count_before(struct exemption_source *source, const struct policy *policy)
{
	struct exemptions *before =
		exemption_source_last_valid(source, policy, config_report_nothing, NULL);
	size_t count = before == NULL ? 0 : exemptions_count(before);

	exemptions_free(before);
	return count;
}

/* ---- reading ---- */

static struct exemptions *fail(const char *path, const char *reason, char **problem_r)
{
	if (asprintf(problem_r, "%s: %s", path, reason) < 0)
		*problem_r = NULL;
	return NULL;
}

/* Of a text with wrong lines; NULL when memory is short. */
static struct exemptions *load_with_last_valid(struct exemption_source *source,
					       const struct policy *policy, const char *text,
					       size_t length, const struct wrong_lines *wrong)
{
	bool is_other = knows_valid_text(source, policy) &&
			(source->length != length || memcmp(source->text, text, length) != 0);
	char said[160];

	snprintf(said, sizeof(said),
		 is_other ? "wrong lines: %zu. WHOEVER WAS LET OFF BEFORE STAYS LET OFF until "
			    "they are corrected"
			  : "wrong lines: %zu. They are left out",
		 wrong->count);
	config_report_at(wrong->error, wrong->context, path_of(source, policy), 0, said);
	return load(source, policy, text, length, is_other ? source->text : "",
		    is_other ? source->length : 0, config_report_nothing, NULL);
}

/* What nobody who writes such a file means. */
static bool is_emptied(struct exemption_source *source, const struct policy *policy,
		       const char *text, size_t length)
{
	return is_blank(text, length) &&
	       (source->of_grace || count_before(source, policy) > LINES_DELETED_MAX);
}

/* A text without a wrong line, which is taken over. Grace ends by itself. */
static void take(struct exemption_source *source, const struct policy *policy,
		 const struct exemptions *exemptions, char *text, size_t length,
		 const struct wrong_lines *wrong)
{
	const char *path = path_of(source, policy);

	if (!source->of_grace && exemptions_count(exemptions) == 0 &&
	    count_before(source, policy) > 0)
		config_report_at(wrong->error, wrong->context, path, 0,
				 "NOBODY IS LET OFF ANY MORE");
	remember(source, path, path, text, length, false);
}

struct exemptions *exemption_source_read(struct exemption_source *source,
					 const struct policy *policy, config_report *error,
					 void *context, char **problem_r)
{
	struct wrong_lines wrong = {.error = error, .context = context};
	const char *path = path_of(source, policy), *problem;
	struct exemptions *exemptions;
	size_t length;
	char *text = (is_ours(source, policy) ? trusted_file_read : text_file_read)(
		path, EXEMPTIONS_SIZE_MAX, &length, &problem);

	*problem_r = NULL;
	if (text == NULL)
		return fail(path, problem, problem_r);
	if (is_emptied(source, policy, text, length)) {
		free(text);
		return fail(path,
			    "there is nothing in it; when nobody is to be let off any more, say so "
			    "in a comment (# nobody)",
			    problem_r);
	}
	exemptions = load(source, policy, text, length, "", 0, count_wrong_line, &wrong);
	if (exemptions != NULL && wrong.count == 0) {
		take(source, policy, exemptions, text, length, &wrong);
		return exemptions;
	}
	if (exemptions != NULL) {
		exemptions_free(exemptions);
		exemptions = load_with_last_valid(source, policy, text, length, &wrong);
	}
	free(text);
	return exemptions;
}

/* ---- keeping ---- */

int exemption_source_keep(struct exemption_source *source, const char *journal)
{
	if (source->copies == NULL || source->text == NULL || source->is_kept)
		return 0;
	source->is_kept = true;
	/* A copy with nothing in it would look as if it had been emptied. */
	return is_blank(source->text, source->length)
		       ? valid_copy_keep(source->copies, journal, source->path, NOBODY,
					 strlen(NOBODY))
		       : valid_copy_keep(source->copies, journal, source->path, source->text,
					 source->length);
}

void exemption_source_free(struct exemption_source *source)
{
	free(source->path);
	free(source->read_from);
	free(source->text);
	*source = (struct exemption_source){.copies = source->copies, .of_grace = source->of_grace};
}
