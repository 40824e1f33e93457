#define _GNU_SOURCE /* asprintf() */
#include "edition-maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "in-force.h"
#include "monotonic-clock.h"

/* What dates mean, unless TZ says it. */
#define TIME_ZONE_FILE "/etc/localtime"

/* ---- messages ---- */

static void report_error(void *context, const char *message)
{
	struct edition_maker *maker = context;

	messages_post(maker->messages, MESSAGE_ERROR, "%s", message);
}

static void report_warning(void *context, const char *message)
{
	struct edition_maker *maker = context;

	messages_post(maker->messages, MESSAGE_WARNING, "%s", message);
}

/* Frees the problem; NULL is lack of memory. */
static void report_problem(struct edition_maker *maker, char *problem)
{
	messages_post(maker->messages, MESSAGE_ERROR, "%s",
		      problem == NULL ? "out of memory" : problem);
	free(problem);
}

/* Notes that a file could not be taken, and tells of it unless that was told; then it is
   true, and what follows is to be told as well. Frees the problem. */
static bool note_failure(struct edition_maker *maker, struct watched_file *file,
			 const struct file_stamp *stamp, char *problem)
{
	bool is_new = !watched_file_has_failed(file, stamp);

	watched_file_failed(file, stamp, monotonic_seconds());
	if (is_new)
		report_problem(maker, problem);
	else
		free(problem);
	return is_new;
}

/* ---- files ---- */

/* NULL where TZ says what the time zone is, which nothing changes in a process. */
static const char *time_zone_file(void)
{
	return getenv("TZ") == NULL ? TIME_ZONE_FILE : NULL;
}

/* NULL with the problem, allocated, when they cannot be read, or the policy names none. */
static struct part *read_exemptions(struct edition_maker *maker, const struct policy *policy,
				    char **problem_r)
{
	*problem_r = NULL;
	if (policy->exemptions == NULL)
		return NULL;
	return part_of_exemptions(exemption_source_read(&maker->exemption_source, policy,
							report_error, maker, problem_r));
}

/* Likewise. */
static struct part *read_grace(struct edition_maker *maker, const struct policy *policy,
			       char **problem_r)
{
	*problem_r = NULL;
	if (policy->grace_file == NULL)
		return NULL;
	return part_of_exemptions(exemption_source_read(&maker->grace_source, policy, report_error,
							maker, problem_r));
}

/* Those of a policy whose file cannot be read, which refuses nobody whom the file before did
   not; NULL: nobody has any. */
static struct part *last_valid_grace(struct edition_maker *maker, const struct policy *policy)
{
	return part_of_exemptions(
		exemption_source_last_valid(&maker->grace_source, policy, report_error, maker));
}

/* They are in force. A file into which somebody may still write is read again. */
static void took_exemptions(struct edition_maker *maker, const struct file_stamp *stamp)
{
	if (file_stamp_is_settled(stamp))
		watched_file_took(&maker->exemptions_file, stamp);
	else
		maker->exemptions_file = (struct watched_file){0};
}

/* The same as read_exemptions(). */
static struct part *read_countries(const struct policy *policy, char **problem_r)
{
	struct country_database *database;
	char *error = NULL;

	*problem_r = NULL;
	if (policy->country_database == NULL)
		return NULL;
	database = country_database_open(policy->country_database, &error);
	/* The error begins with the path. */
	if (error != NULL && asprintf(problem_r, "country-database %s", error) < 0)
		*problem_r = NULL;
	free(error);
	return part_of_countries(database);
}

/* ---- taking over ---- */

static void keep_grace(struct edition_maker *maker)
{
	if (maker->grace_file.is_in_force)
		edition_copies_keep_exemptions(&maker->copies, maker->newest->edition.policy,
					       &maker->grace_source);
}

/* Not while somebody may be writing the file. */
static void keep_exemptions(struct edition_maker *maker)
{
	if (maker->exemptions_file.is_in_force)
		edition_copies_keep_exemptions(&maker->copies, maker->newest->edition.policy,
					       &maker->exemption_source);
}

/* Offers an edition with these parts (a reference of each is taken over). What is
   to be said of it is said afterwards, when it is true. False when out of memory. */
static bool offer(struct edition_maker *maker, struct part *policy, struct part *exemptions,
		  struct part *grace, struct part *countries)
{
	struct kept_edition *newest, *offered;

	newest = kept_edition_new(part_share(policy), part_share(exemptions), part_share(grace),
				  part_share(countries));
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not count references */
	offered = kept_edition_new(policy, exemptions, grace, countries);
	if (newest == NULL || offered == NULL) {
		kept_edition_free(newest);
		kept_edition_free(offered);
		return false;
	}
	kept_edition_free(maker->newest);
	maker->newest = newest;
	edition_handover_offer(&maker->handover, offered);
	edition_copies_keep_name(&maker->copies, &newest->edition, maker->config);
	return true;
}

static bool is_other(const struct part *exemptions, const struct part *others)
{
	return others == NULL ||
	       exemptions_digest(exemptions->value) != exemptions_digest(others->value);
}

static void look_at_exemptions(struct edition_maker *maker)
{
	struct watched_file *file = &maker->exemptions_file;
	const struct policy *policy = maker->newest->edition.policy;
	struct part *exemptions;
	struct file_stamp stamp;
	size_t lines;
	bool is_news;
	char *problem;

	if (!watched_file_is_due(file, policy->exemptions, monotonic_seconds(), &stamp))
		return;
	exemptions = read_exemptions(maker, policy, &problem);
	if (exemptions == NULL) {
		if (note_failure(maker, file, &stamp, problem))
			messages_post(maker->messages, MESSAGE_WARNING,
				      maker->newest->exemptions != NULL
					      ? "exemptions %s: the ones read before stay in force"
					      : "exemptions %s: no user is refused anything",
				      policy->exemptions);
		return;
	}
	/* It may only have been touched. */
	is_news = file->wait > 0 || is_other(exemptions, maker->newest->exemptions);
	if (!is_news) {
		part_release(exemptions);
	} else if (!offer(maker, part_share(maker->newest->policy), exemptions,
			  part_share(maker->newest->grace), part_share(maker->newest->countries))) {
		note_failure(maker, file, &stamp, NULL);
		return;
	}
	watched_file_took(file, &stamp);
	keep_exemptions(maker);
	if (is_news) {
		lines = exemptions_count(maker->newest->exemptions->value);
		messages_post(maker->messages, MESSAGE_INFO,
			      "exemptions %s: read again, %zu line%s", policy->exemptions, lines,
			      lines == 1 ? "" : "s");
	}
}

static void report_no_grace(struct edition_maker *maker, const struct policy *policy,
			    const struct part *grace)
{
	messages_post(maker->messages, MESSAGE_WARNING,
		      grace != NULL ? "grace %s: who was given it before keeps it"
				    : "grace %s: nobody is given it until 'portcullis notify' "
				      "writes that file",
		      policy->grace_file);
}

static void look_at_grace(struct edition_maker *maker)
{
	struct watched_file *file = &maker->grace_file;
	const struct policy *policy = maker->newest->edition.policy;
	struct part *grace;
	struct file_stamp stamp;
	size_t lines;
	char *problem;

	if (!watched_file_is_due(file, policy->grace_file, monotonic_seconds(), &stamp))
		return;
	grace = read_grace(maker, policy, &problem);
	if (grace == NULL) {
		if (note_failure(maker, file, &stamp, problem))
			report_no_grace(maker, policy, maker->newest->grace);
		return;
	}
	lines = exemptions_count(grace->value);
	if (!offer(maker, part_share(maker->newest->policy), part_share(maker->newest->exemptions),
		   grace, part_share(maker->newest->countries))) {
		note_failure(maker, file, &stamp, NULL);
		return;
	}
	watched_file_took(file, &stamp);
	keep_grace(maker);
	messages_post(maker->messages, MESSAGE_INFO, "grace %s: read again, %zu line%s",
		      policy->grace_file, lines, lines == 1 ? "" : "s");
}

static void look_at_countries(struct edition_maker *maker)
{
	struct watched_file *file = &maker->countries_file;
	const struct policy *policy = maker->newest->edition.policy;
	struct part *countries;
	struct file_stamp stamp;
	char built[DATE_TEXT_SIZE];
	char *problem;

	if (!watched_file_is_due(file, policy->country_database, monotonic_seconds(), &stamp))
		return;
	countries = read_countries(policy, &problem);
	if (countries == NULL) {
		if (note_failure(maker, file, &stamp, problem))
			messages_post(maker->messages, MESSAGE_WARNING,
				      maker->newest->countries != NULL
					      ? "country-database %s: the one read before stays in "
						"use"
					      : "country-database %s: country rules are not judged",
				      policy->country_database);
		return;
	}
	date_format(country_database_built(countries->value), built);
	if (!offer(maker, part_share(maker->newest->policy), part_share(maker->newest->exemptions),
		   part_share(maker->newest->grace), countries)) {
		note_failure(maker, file, &stamp, NULL);
		return;
	}
	watched_file_took(file, &stamp);
	messages_post(maker->messages, MESSAGE_INFO, "country-database %s: read again, built %s",
		      policy->country_database, built);
}

static bool same_path(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Those that a policy begins with. */
static struct part *grace_for(struct edition_maker *maker, const struct policy *policy)
{
	const struct file_stamp stamp = file_stamp(policy->grace_file);
	char *problem;
	struct part *grace = read_grace(maker, policy, &problem);

	if (grace != NULL || policy->grace_file == NULL) {
		watched_file_took(&maker->grace_file, &stamp);
		return grace;
	}
	grace = last_valid_grace(maker, policy);
	if (note_failure(maker, &maker->grace_file, &stamp, problem))
		report_no_grace(maker, policy, grace);
	return grace;
}

/* A policy takes over only with all that it rests on: a user whose exemption
   cannot be read must not be locked out by a reload. Takes the policy over; false with the
   problem, allocated, when the old one stays. */
static bool replace_policy(struct edition_maker *maker, struct policy *after, char **problem_r)
{
	const struct policy *before = maker->newest->edition.policy;
	const struct file_stamp exemptions_stamp = file_stamp(after->exemptions);
	const struct file_stamp countries_stamp = file_stamp(after->country_database);
	struct part *exemptions, *countries, *policy = part_of_policy(after);
	char *countries_problem = NULL;
	bool has_countries;

	*problem_r = NULL;
	if (policy == NULL)
		return false;
	if (!same_path(before->journal, after->journal))
		messages_post(maker->messages, MESSAGE_WARNING,
			      "%s: the journal moves only at the next start", after->file);
	exemptions = read_exemptions(maker, after, problem_r);
	if (exemptions == NULL && after->exemptions != NULL)
		goto refused;
	countries = read_countries(after, &countries_problem);
	has_countries = countries != NULL || after->country_database == NULL;
	if (!has_countries && !same_path(before->country_database, after->country_database)) {
		*problem_r = countries_problem;
		goto refused;
	}
	if (!has_countries) {
		countries = part_share(maker->newest->countries);
		watched_file_failed(&maker->countries_file, &countries_stamp, monotonic_seconds());
		report_problem(maker, countries_problem);
	}
	if (!offer(maker, policy, exemptions, grace_for(maker, after), countries))
		return false;
	if (has_countries)
		watched_file_took(&maker->countries_file, &countries_stamp);
	took_exemptions(maker, &exemptions_stamp);
	keep_exemptions(maker);
	keep_grace(maker);
	in_force_post(maker->messages, &maker->newest->edition, "read again");
	return true;

refused:
	part_release(exemptions);
	part_release(policy);
	return false;
}

static void report_refusal(struct edition_maker *maker)
{
	messages_post(maker->messages, MESSAGE_ERROR, "%s: the old policy stays in force",
		      maker->config);
}

void edition_maker_reload(struct edition_maker *maker)
{
	const struct file_stamp zone = file_stamp(time_zone_file());
	struct policy *policy = config_load(maker->config, report_error, report_warning, maker);
	char *problem;

	if (policy != NULL && replace_policy(maker, policy, &problem)) {
		watched_file_took(&maker->zone_file, &zone);
		edition_copies_keep_config(&maker->copies, policy);
		return;
	}
	if (policy != NULL)
		report_problem(maker, problem);
	report_refusal(maker);
}

/* The text in force, not the file: nobody has asked for what may stand there by now. */
static struct policy *load_again(struct edition_maker *maker, const struct policy *policy,
				 bool silently)
{
	return config_load_text(policy->file, policy->text, policy->text_length,
				silently ? config_report_nothing : report_error, NULL, maker);
}

static void look_at_time_zone(struct edition_maker *maker)
{
	struct watched_file *file = &maker->zone_file;
	struct part *before = maker->newest->policy;
	struct policy *policy;
	struct file_stamp stamp;
	char *problem = NULL;
	bool is_known;

	if (!watched_file_is_due(file, time_zone_file(), monotonic_seconds(), &stamp))
		return;
	is_known = watched_file_has_failed(file, &stamp);
	if (!is_known)
		messages_post(maker->messages, MESSAGE_WARNING,
			      "the time zone has changed (" TIME_ZONE_FILE
			      "), so all dates mean other times");
	policy = load_again(maker, before->value, is_known);
	part_share(before);
	if (policy != NULL && replace_policy(maker, policy, &problem)) {
		watched_file_took(file, &stamp);
		before->next_outlived = maker->outlived;
		maker->outlived = before;
		return;
	}
	part_release(before);
	if (policy == NULL)
		problem = strdup("the dates cannot be read in this time zone");
	if (note_failure(maker, file, &stamp, problem))
		report_refusal(maker);
}

void edition_maker_look(struct edition_maker *maker)
{
	edition_handover_clean(&maker->handover);
	look_at_time_zone(maker);
	look_at_exemptions(maker);
	look_at_grace(maker);
	look_at_countries(maker);
}

void edition_maker_begin(struct edition_maker *maker)
{
	keep_exemptions(maker);
	keep_grace(maker);
	edition_copies_keep_name(&maker->copies, &maker->newest->edition, maker->config);
}

/* ---- the first edition, and the end ---- */

/* NULL when there are none, or they cannot be read. */
static struct part *first_exemptions(struct edition_maker *maker, const struct policy *policy)
{
	const struct file_stamp stamp = file_stamp(policy->exemptions);
	char *problem;
	struct part *exemptions = read_exemptions(maker, policy, &problem);

	if (exemptions != NULL || policy->exemptions == NULL) {
		took_exemptions(maker, &stamp);
		return exemptions;
	}
	note_failure(maker, &maker->exemptions_file, &stamp, problem);
	exemptions = part_of_exemptions(
		exemption_source_last_valid(&maker->exemption_source, policy, report_error, maker));
	if (exemptions != NULL)
		messages_post(maker->messages, MESSAGE_ERROR,
			      "exemptions %s: THE LAST VALID COPY IS IN FORCE INSTEAD: %s",
			      policy->exemptions, maker->exemption_source.read_from);
	else
		messages_post(maker->messages, MESSAGE_ERROR,
			      "exemptions %s: NO USER IS REFUSED ANYTHING until this file can be "
			      "read, because each may be exempt",
			      policy->exemptions);
	return exemptions;
}

/* The same. */
static struct part *first_countries(struct edition_maker *maker, const struct policy *policy)
{
	const struct file_stamp stamp = file_stamp(policy->country_database);
	char *problem;
	struct part *countries = read_countries(policy, &problem);

	if (countries != NULL || policy->country_database == NULL) {
		watched_file_took(&maker->countries_file, &stamp);
		return countries;
	}
	note_failure(maker, &maker->countries_file, &stamp, problem);
	messages_post(maker->messages, MESSAGE_ERROR,
		      "country-database %s: country rules are not judged",
		      policy->country_database);
	return NULL;
}

bool edition_maker_init(struct edition_maker *maker_r, struct policy *policy, const char *config,
			const struct valid_copies *copies, struct messages *messages)
{
	struct part *exemptions, *grace, *countries, *policy_part = part_of_policy(policy);
	struct file_stamp zone = file_stamp(time_zone_file());

	*maker_r = (struct edition_maker){
		.config = config,
		.messages = messages,
		.copies = {.copies = copies, .messages = messages},
		.exemption_source = {.copies = copies},
		.grace_source = {.copies = copies, .of_grace = true},
	};
	if (policy_part == NULL)
		return false;
	watched_file_took(&maker_r->zone_file, &zone);
	exemptions = first_exemptions(maker_r, policy);
	grace = grace_for(maker_r, policy);
	countries = first_countries(maker_r, policy);
	maker_r->newest = kept_edition_new(part_share(policy_part), part_share(exemptions),
					   part_share(grace), part_share(countries));
	maker_r->handover.current = kept_edition_new(policy_part, exemptions, grace, countries);
	if (maker_r->newest == NULL || maker_r->handover.current == NULL)
		return false;
	in_force_post(messages, &maker_r->newest->edition, "read");
	return true;
}

static void free_outlived(struct edition_maker *maker)
{
	while (maker->outlived != NULL) {
		struct part *part = maker->outlived;

		maker->outlived = part->next_outlived;
		part_release(part);
	}
}

void edition_maker_free(struct edition_maker *maker)
{
	edition_handover_free(&maker->handover);
	kept_edition_free(maker->newest);
	free_outlived(maker);
	exemption_source_free(&maker->exemption_source);
	exemption_source_free(&maker->grace_source);
}
