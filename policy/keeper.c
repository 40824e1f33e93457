#define _GNU_SOURCE
#include "keeper.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "background-thread.h"
#include "file-stamp.h"
#include "in-force.h"
#include "kept-edition.h"
#include "text-file.h"

#define STOP_SECONDS 2

/* What dates mean, unless TZ says it. */
#define TIME_ZONE_FILE "/etc/localtime"

struct keeper {
	struct keeper_sources sources;
	struct messages *messages;

	/* The deciding thread's. */
	struct kept_edition *current;

	/* From the keeping thread to the deciding one, and back. */
	_Atomic(struct kept_edition *) offered;
	_Atomic(struct kept_edition *) retired; /* a list */

	/* The keeping thread's: the newest edition's parts and files. */
	struct kept_edition *newest;
	struct file_stamp exemptions_stamp;
	struct file_stamp countries_stamp;
	struct file_stamp zone_stamp;
	bool keeping;          /* the thread runs */
	struct part *outlived; /* policies that pending requests may still name */

	bool started;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stopping;
	bool reload_asked;
};

/* ---- messages ---- */

static void report_error(void *context, const char *message)
{
	struct keeper *keeper = context;

	messages_post(keeper->messages, MESSAGE_ERROR, "%s", message);
}

static void report_warning(void *context, const char *message)
{
	struct keeper *keeper = context;

	messages_post(keeper->messages, MESSAGE_WARNING, "%s", message);
}

/* ---- what is no longer in force ---- */

static void free_retired(struct keeper *keeper)
{
	struct kept_edition *kept = atomic_exchange(&keeper->retired, NULL);

	while (kept != NULL) {
		struct kept_edition *next = kept->next_retired;

		kept_edition_free(kept);
		kept = next;
	}
}

static void free_outlived(struct keeper *keeper)
{
	while (keeper->outlived != NULL) {
		struct part *part = keeper->outlived;

		keeper->outlived = part->next_outlived;
		part_release(part);
	}
}

/* ---- files ---- */

/* All zero where TZ says what the time zone is, which nothing changes in a process. */
static struct file_stamp time_zone_stamp(void)
{
	return file_stamp(getenv("TZ") == NULL ? TIME_ZONE_FILE : NULL);
}

static void keep_copy(struct keeper *keeper, const struct policy *policy, const char *path,
		      const char *text, size_t length)
{
	const struct valid_copies *copies = keeper->sources.copies;
	int result;

	if (copies == NULL)
		return;
	result = valid_copy_keep(copies, policy->journal, path, text, length);
	if (result != 0)
		messages_post(keeper->messages, MESSAGE_WARNING,
			      "%s: cannot keep a copy of this in %s: %s", path, copies->directory,
			      valid_copy_error(result));
}

static struct exemptions *load_exemptions(struct keeper *keeper, const struct policy *policy)
{
	struct exemptions *exemptions;
	const char *problem;
	size_t length;
	char *text = text_file_read(policy->exemptions, EXEMPTIONS_SIZE_MAX, &length, &problem);

	if (text == NULL) {
		messages_post(keeper->messages, MESSAGE_ERROR, "%s: %s", policy->exemptions,
			      problem);
		return NULL;
	}
	/* At a start the thread does that: nobody waits for the disk. */
	if (keeper->keeping)
		keep_copy(keeper, policy, policy->exemptions, text, length);
	exemptions = exemptions_load_text(policy->exemptions, text, length, policy, report_error,
					  keeper);
	free(text);
	return exemptions;
}

/* Those of the policy, or none; false when they cannot be read. */
static bool read_exemptions(struct keeper *keeper, const struct policy *policy,
			    struct part **exemptions_r)
{
	*exemptions_r = NULL;
	if (policy->exemptions == NULL)
		return true;
	*exemptions_r = part_of_exemptions(load_exemptions(keeper, policy));
	return *exemptions_r != NULL;
}

/* NULL when there is no copy in a directory. */
static struct part *read_copied_exemptions(struct keeper *keeper, const struct policy *policy,
					   const char *directory)
{
	struct part *exemptions = NULL;
	const char *problem;
	size_t length;
	char *copy;
	char *text = valid_copy_read(keeper->sources.copies, directory, policy->exemptions,
				     keeper->sources.copies->user, EXEMPTIONS_SIZE_MAX, &length,
				     &copy, &problem);

	if (text != NULL)
		exemptions = part_of_exemptions(
			exemptions_load_text(copy, text, length, policy, report_error, keeper));
	if (exemptions != NULL)
		messages_post(keeper->messages, MESSAGE_ERROR,
			      "exemptions %s: THE LAST VALID COPY IS IN FORCE INSTEAD: %s",
			      policy->exemptions, copy);
	free(text);
	free(copy);
	return exemptions;
}

/* At a start, when they cannot be read. */
static struct part *fall_back(struct keeper *keeper, const struct policy *policy)
{
	struct part *exemptions = NULL;

	if (keeper->sources.copies != NULL) {
		exemptions =
			read_copied_exemptions(keeper, policy, keeper->sources.copies->directory);
		if (exemptions == NULL)
			exemptions = read_copied_exemptions(keeper, policy, policy->journal);
	}
	if (exemptions == NULL)
		messages_post(keeper->messages, MESSAGE_ERROR,
			      "exemptions %s: NO USER IS REFUSED ANYTHING until this file can be "
			      "read, because each may be exempt",
			      policy->exemptions);
	return exemptions;
}

static bool read_countries(struct keeper *keeper, const struct policy *policy,
			   struct part **countries_r)
{
	struct country_database *database;
	char *error = NULL;

	*countries_r = NULL;
	if (policy->country_database == NULL)
		return true;
	database = country_database_open(policy->country_database, &error);
	if (database == NULL)
		/* The error begins with the path. */
		messages_post(keeper->messages, MESSAGE_ERROR, "country-database %s",
			      error != NULL ? error : "out of memory");
	free(error);
	*countries_r = part_of_countries(database);
	return *countries_r != NULL;
}

/* ---- the keeping thread ---- */

/* Beside the copies, for those who want to know what is in force. */
static void note_edition(struct keeper *keeper)
{
	const struct edition *edition = &keeper->newest->edition;
	char *path;

	if (asprintf(&path, "%s.edition", keeper->sources.config) < 0)
		return;
	keep_copy(keeper, edition->policy, path, edition->id, strlen(edition->id));
	free(path);
}

/* Of the exemptions that were read at the start. */
static void keep_first_copies(struct keeper *keeper)
{
	const struct policy *policy = keeper->newest->edition.policy;
	const char *problem;
	size_t length;
	char *text = policy->exemptions == NULL || keeper->sources.copies == NULL
			     ? NULL
			     : text_file_read(policy->exemptions, EXEMPTIONS_SIZE_MAX, &length,
					      &problem);

	if (text != NULL)
		keep_copy(keeper, policy, policy->exemptions, text, length);
	free(text);
	note_edition(keeper);
}

/* Offers an edition with these parts (a reference of each is taken over). What is
   to be said of it is said afterwards, when it is true. */
static bool offer(struct keeper *keeper, struct part *policy, struct part *exemptions,
		  struct part *countries)
{
	struct kept_edition *newest, *offered;

	newest =
		kept_edition_new(part_share(policy), part_share(exemptions), part_share(countries));
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not count references */
	offered = kept_edition_new(policy, exemptions, countries);
	if (newest == NULL || offered == NULL) {
		messages_post(keeper->messages, MESSAGE_ERROR,
			      "out of memory: the policy stays as it was");
		kept_edition_free(newest);
		kept_edition_free(offered);
		return false;
	}
	kept_edition_free(keeper->newest);
	keeper->newest = newest;
	/* Nobody took the one offered before: it is ours again. */
	kept_edition_free(atomic_exchange(&keeper->offered, offered));
	note_edition(keeper);
	return true;
}

/* True when the file is another than the one read last, and whole. */
static bool should_read(const char *path, const struct file_stamp *last, struct file_stamp *stamp_r)
{
	*stamp_r = file_stamp(path);
	return path != NULL && !file_stamp_same(stamp_r, last) && file_stamp_is_settled(stamp_r);
}

static void look_at_exemptions(struct keeper *keeper)
{
	const struct policy *policy = keeper->newest->edition.policy;
	struct part *exemptions;
	struct file_stamp stamp;

	if (!should_read(policy->exemptions, &keeper->exemptions_stamp, &stamp))
		return;
	keeper->exemptions_stamp = stamp;
	if (!read_exemptions(keeper, policy, &exemptions)) {
		messages_post(keeper->messages, MESSAGE_WARNING,
			      keeper->newest->exemptions != NULL
				      ? "exemptions %s: the ones read before stay in force"
				      : "exemptions %s: no user is refused anything",
			      policy->exemptions);
		return;
	}
	if (offer(keeper, part_share(keeper->newest->policy), exemptions,
		  part_share(keeper->newest->countries)))
		messages_post(keeper->messages, MESSAGE_INFO,
			      "exemptions %s: read again, %zu lines", policy->exemptions,
			      exemptions_count(exemptions->value));
}

static void look_at_countries(struct keeper *keeper)
{
	const struct policy *policy = keeper->newest->edition.policy;
	struct part *countries;
	struct file_stamp stamp;
	char built[DATE_TEXT_SIZE];

	if (!should_read(policy->country_database, &keeper->countries_stamp, &stamp))
		return;
	keeper->countries_stamp = stamp;
	if (!read_countries(keeper, policy, &countries)) {
		messages_post(keeper->messages, MESSAGE_WARNING,
			      keeper->newest->countries != NULL
				      ? "country-database %s: the one read before stays in use"
				      : "country-database %s: country rules are not judged",
			      policy->country_database);
		return;
	}
	date_format(country_database_built(countries->value), built);
	if (offer(keeper, part_share(keeper->newest->policy),
		  part_share(keeper->newest->exemptions), countries))
		messages_post(keeper->messages, MESSAGE_INFO,
			      "country-database %s: read again, built %s", policy->country_database,
			      built);
}

static bool same_path(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* A policy takes over only with all that it rests on: a user whose exemption
   cannot be read must not be locked out by a reload. Takes the policy over; false, which
   is reported, when the old one stays. */
static bool replace_policy(struct keeper *keeper, struct policy *after)
{
	const struct policy *before = keeper->newest->edition.policy;
	struct file_stamp exemptions_stamp, countries_stamp;
	struct part *policy, *exemptions = NULL, *countries = NULL;

	policy = part_of_policy(after);
	if (policy == NULL)
		goto refused;
	if (!same_path(before->journal, after->journal))
		messages_post(keeper->messages, MESSAGE_WARNING,
			      "%s: the journal moves only at the next start", after->file);
	exemptions_stamp = file_stamp(after->exemptions);
	countries_stamp = file_stamp(after->country_database);
	if (!read_exemptions(keeper, after, &exemptions))
		goto refused;
	if (!read_countries(keeper, after, &countries)) {
		if (!same_path(before->country_database, after->country_database))
			goto refused;
		countries = part_share(keeper->newest->countries);
	}
	keeper->exemptions_stamp = exemptions_stamp;
	keeper->countries_stamp = countries_stamp;
	if (!offer(keeper, policy, exemptions, countries))
		return false;
	in_force_post(keeper->messages, &keeper->newest->edition, "read again");
	return true;

refused:
	part_release(exemptions);
	part_release(policy);
	messages_post(keeper->messages, MESSAGE_ERROR, "%s: the old policy stays in force",
		      keeper->sources.config);
	return false;
}

static void reload(struct keeper *keeper)
{
	const struct policy *policy;

	keeper->zone_stamp = time_zone_stamp();
	if (!replace_policy(keeper, config_load(keeper->sources.config, report_error,
						report_warning, keeper)))
		return;
	policy = keeper->newest->edition.policy;
	keep_copy(keeper, policy, policy->file, policy->text, policy->text_length);
}

/* The text in force, not the file: nobody has asked for what may stand there by now. */
static void look_at_time_zone(struct keeper *keeper)
{
	struct part *before = keeper->newest->policy;
	const struct policy *policy = before->value;
	struct file_stamp stamp = time_zone_stamp();

	if (file_stamp_same(&stamp, &keeper->zone_stamp) || !file_stamp_is_settled(&stamp))
		return;
	keeper->zone_stamp = stamp;
	messages_post(keeper->messages, MESSAGE_WARNING,
		      "the time zone has changed (" TIME_ZONE_FILE "), so all dates mean other "
		      "times");
	part_share(before);
	if (replace_policy(keeper, config_load_text(policy->file, policy->text, policy->text_length,
						    report_error, NULL, keeper))) {
		before->next_outlived = keeper->outlived;
		keeper->outlived = before;
	} else {
		part_release(before);
	}
}

/* Sleeps until it is time to look. False when the thread is to end. */
static bool wait_for_work(struct keeper *keeper, bool *reload_asked_r)
{
	struct timespec until;
	bool go_on;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += KEEPER_INTERVAL_SECONDS;
	pthread_mutex_lock(&keeper->lock);
	while (!keeper->stopping && !keeper->reload_asked) {
		if (pthread_cond_timedwait(&keeper->wake, &keeper->lock, &until) == ETIMEDOUT)
			break;
	}
	go_on = !keeper->stopping;
	*reload_asked_r = keeper->reload_asked;
	keeper->reload_asked = false;
	pthread_mutex_unlock(&keeper->lock);
	return go_on;
}

static void *keep(void *argument)
{
	struct keeper *keeper = argument;
	bool reload_asked;

	keeper->keeping = true;
	keep_first_copies(keeper);
	while (wait_for_work(keeper, &reload_asked)) {
		free_retired(keeper);
		if (reload_asked)
			reload(keeper);
		look_at_time_zone(keeper);
		look_at_exemptions(keeper);
		look_at_countries(keeper);
	}
	return NULL;
}

/* ---- the deciding thread ---- */

struct keeper *keeper_create(struct policy *policy, const struct keeper_sources *sources)
{
	struct messages *messages = sources->messages;
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	struct part *policy_part = part_of_policy(policy);
	struct part *exemptions, *countries;
	pthread_condattr_t attributes;

	if (keeper == NULL || policy_part == NULL) {
		part_release(policy_part);
		free(keeper);
		return NULL;
	}
	keeper->sources = *sources;
	keeper->messages = messages;
	keeper->zone_stamp = time_zone_stamp();
	keeper->exemptions_stamp = file_stamp(policy->exemptions);
	keeper->countries_stamp = file_stamp(policy->country_database);
	if (!read_exemptions(keeper, policy, &exemptions))
		exemptions = fall_back(keeper, policy);
	if (!read_countries(keeper, policy, &countries))
		messages_post(messages, MESSAGE_ERROR,
			      "country-database %s: country rules are not judged",
			      policy->country_database);
	keeper->newest = kept_edition_new(part_share(policy_part), part_share(exemptions),
					  part_share(countries));
	keeper->current = kept_edition_new(policy_part, exemptions, countries);
	if (keeper->newest == NULL || keeper->current == NULL) {
		kept_edition_free(keeper->newest);
		kept_edition_free(keeper->current);
		free(keeper);
		return NULL;
	}
	in_force_post(messages, &keeper->current->edition, "read");
	pthread_mutex_init(&keeper->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&keeper->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	return keeper;
}

bool keeper_start(struct keeper *keeper)
{
	keeper->started = background_thread_start(&keeper->thread, keep, keeper);
	return keeper->started;
}

static void wake(struct keeper *keeper, bool *flag)
{
	pthread_mutex_lock(&keeper->lock);
	*flag = true;
	pthread_cond_signal(&keeper->wake);
	pthread_mutex_unlock(&keeper->lock);
}

void keeper_reload(struct keeper *keeper)
{
	wake(keeper, &keeper->reload_asked);
}

static void retire(struct keeper *keeper, struct kept_edition *kept)
{
	kept->next_retired = atomic_load(&keeper->retired);
	while (!atomic_compare_exchange_weak(&keeper->retired, &kept->next_retired, kept))
		continue;
}

const struct edition *keeper_current(struct keeper *keeper)
{
	if (atomic_load_explicit(&keeper->offered, memory_order_relaxed) != NULL) {
		struct kept_edition *offered = atomic_exchange(&keeper->offered, NULL);

		if (offered != NULL) {
			retire(keeper, keeper->current);
			keeper->current = offered;
		}
	}
	return &keeper->current->edition;
}

bool keeper_free(struct keeper *keeper)
{
	if (keeper == NULL)
		return true;
	if (keeper->started) {
		wake(keeper, &keeper->stopping);
		if (!background_thread_join(keeper->thread, STOP_SECONDS))
			return false; /* what the thread uses is left to it */
	}
	free_retired(keeper);
	kept_edition_free(atomic_exchange(&keeper->offered, NULL));
	kept_edition_free(keeper->current);
	kept_edition_free(keeper->newest);
	free_outlived(keeper);
	pthread_cond_destroy(&keeper->wake);
	pthread_mutex_destroy(&keeper->lock);
	free(keeper);
	return true;
}
