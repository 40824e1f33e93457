#include "exemption.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config-problems.h"
#include "fnv.h"
#include "grace.h"
#include "text-file.h"
#include "trusted-file.h"
#include "utf8.h"

#define LINE_LENGTH_MAX 4096

struct user {
	size_t name;  /* where it begins in names */
	size_t first; /* of its exemptions */
	size_t count;
	uint32_t hash;
};

/* Few large blocks, so that freeing costs a decision nothing. */
struct exemptions {
	struct exemption *list; /* grouped by user, within one in file order */
	struct country *countries;
	char *names;
	struct user *users;
	uint32_t *slots;   /* hash table of index + 1 in users; 0: free */
	size_t slot_count; /* a power of two, at least twice the users */
	size_t user_count;
	size_t line_count;
	uint64_t digest;
};

/* An exemption as the file has it, before they are grouped by user. */
struct entry {
	struct exemption exemption;
	size_t user;
	size_t first_country;
};

/* Reading a day takes as long as fifty lines, and the same days come again and
   again, so those that were read are remembered by the hash of their text. */
#define KNOWN_DAYS 8192

struct known_day {
	char text[sizeof("YYYY-MM-DD")];
	time_t begin;
	time_t end;
};

struct loader {
	const struct policy *policy;
	const char *path;
	config_report *error;
	void *context;
	const time_t *grace_ends; /* of each rule, its last grace; NULL: the file is no such one */
	struct exemptions *exemptions;
	unsigned int line;
	struct known_day *days;
	struct entry *entries;
	size_t entry_count, entries_allocated;
	size_t country_count, countries_allocated;
	size_t names_length, names_allocated;
	size_t users_allocated;
	bool out_of_memory;
};

static void report(struct loader *loader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void report(struct loader *loader, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	config_report_at(loader->error, loader->context, loader->path, loader->line, text);
}

/* Makes room for needed elements of an array. */
static bool grow(struct loader *loader, void *array_pointer, size_t *allocated, size_t needed,
		 size_t size)
{
	void *array, *larger;
	size_t wanted = *allocated < 64 ? 64 : *allocated;

	if (needed <= *allocated)
		return true;
	while (wanted < needed)
		wanted *= 2;
	memcpy(&array, array_pointer, sizeof(array));
	larger = reallocarray(array, wanted, size);
	if (larger == NULL) {
		loader->out_of_memory = true;
		return false;
	}
	memcpy(array_pointer, &larger, sizeof(larger));
	*allocated = wanted;
	return true;
}

static uint32_t hash_name(const char *name)
{
	return (uint32_t)fnv_hash(FNV_START, name, strlen(name));
}

/* The slot that holds a user, or the free one where it belongs. */
static uint32_t *find_slot(const struct exemptions *exemptions, const char *name, uint32_t hash)
{
	size_t mask = exemptions->slot_count - 1;

	for (size_t at = hash & mask;; at = (at + 1) & mask) {
		uint32_t *slot = &exemptions->slots[at];
		const struct user *user;

		if (*slot == 0)
			return slot;
		user = &exemptions->users[*slot - 1];
		if (user->hash == hash && strcmp(exemptions->names + user->name, name) == 0)
			return slot;
	}
}

static bool grow_slots(struct loader *loader)
{
	struct exemptions *exemptions = loader->exemptions;
	size_t count = exemptions->slot_count == 0 ? 64 : exemptions->slot_count * 2;
	uint32_t *slots;

	if (exemptions->user_count * 2 < exemptions->slot_count)
		return true;
	slots = calloc(count, sizeof(*slots));
	if (slots == NULL) {
		loader->out_of_memory = true;
		return false;
	}
	free(exemptions->slots);
	exemptions->slots = slots;
	exemptions->slot_count = count;
	for (size_t i = 0; i < exemptions->user_count; i++) {
		size_t at = exemptions->users[i].hash & (count - 1);

		while (slots[at] != 0)
			at = (at + 1) & (count - 1);
		slots[at] = (uint32_t)i + 1;
	}
	return true;
}

static bool add_user(struct loader *loader, const char *name, size_t *index_r)
{
	struct exemptions *exemptions = loader->exemptions;
	uint32_t hash = hash_name(name);
	size_t size = strlen(name) + 1;
	uint32_t *slot;

	if (!grow_slots(loader))
		return false;
	slot = find_slot(exemptions, name, hash);
	if (*slot == 0) {
		if (!grow(loader, &exemptions->users, &loader->users_allocated,
			  exemptions->user_count + 1, sizeof(*exemptions->users)) ||
		    !grow(loader, &exemptions->names, &loader->names_allocated,
			  loader->names_length + size, 1))
			return false;
		memcpy(exemptions->names + loader->names_length, name, size);
		exemptions->users[exemptions->user_count] =
			(struct user){.name = loader->names_length, .hash = hash};
		loader->names_length += size;
		*slot = (uint32_t)++exemptions->user_count;
	}
	*index_r = *slot - 1;
	return true;
}

static bool add_country(struct loader *loader, const char *code)
{
	struct exemptions *exemptions = loader->exemptions;

	if (!grow(loader, &exemptions->countries, &loader->countries_allocated,
		  loader->country_count + 1, sizeof(*exemptions->countries)))
		return false;
	memcpy(exemptions->countries[loader->country_count++].code, code, 3);
	loader->entries[loader->entry_count - 1].exemption.country_count++;
	return true;
}

static bool add_entry(struct loader *loader, const struct entry *of_line, const struct rule *rule)
{
	struct entry *entry;

	if (!grow(loader, &loader->entries, &loader->entries_allocated, loader->entry_count + 1,
		  sizeof(*loader->entries)))
		return false;
	entry = &loader->entries[loader->entry_count++];
	*entry = *of_line;
	entry->exemption.rule = rule->index;
	entry->first_country = loader->country_count;
	return true;
}

/* Reads TITLE=COUNTRY. */
static bool read_added_country(struct loader *loader, const struct entry *of_line, char *title,
			       char *equals)
{
	const struct rule *rule;

	*equals = '\0';
	rule = policy_rule(loader->policy, title);
	if (rule == NULL) {
		report(loader, "no rule is called '%s'", title);
		return false;
	}
	if (rule->kind != KIND_COUNTRY) {
		report(loader, "'%s' takes no countries, because it is a rule of kind %s", title,
		       kind_name(rule->kind));
		return false;
	}
	if (!country_code_exists(equals + 1)) {
		report(loader, "ISO 3166-1 has no country '%s'", equals + 1);
		return false;
	}
	return add_entry(loader, of_line, rule) && add_country(loader, equals + 1);
}

/* Reads one of the names between the commas. */
static bool read_rule(struct loader *loader, const struct entry *of_line, char *name,
		      bool within_countries)
{
	char *equals = strchr(name, '=');
	const struct rule *rule;

	if (equals != NULL)
		return read_added_country(loader, of_line, name, equals);
	/* No rule is called like a country. */
	if (within_countries && country_code_exists(name))
		return add_country(loader, name);
	rule = policy_rule(loader->policy, name);
	if (rule == NULL) {
		report(loader,
		       within_countries ? "'%s' is neither a rule nor a country"
					: "no rule is called '%s'",
		       name);
		return false;
	}
	return add_entry(loader, of_line, rule);
}

static bool read_rules(struct loader *loader, const struct entry *of_line, char *rules)
{
	bool within_countries = false;
	char *name;

	while ((name = strsep(&rules, ",")) != NULL) {
		if (!read_rule(loader, of_line, name, within_countries))
			return false;
		within_countries =
			loader->entries[loader->entry_count - 1].exemption.country_count > 0;
	}
	return true;
}

/* Within what the policy gives, which may be nothing. */
static bool add_grace(struct loader *loader, const struct entry *of_line, const struct rule *rule)
{
	struct entry entry = *of_line;
	time_t end_max = loader->grace_ends[rule->index];

	if (rule->grace == 0)
		return true;
	entry.exemption.begin = rule->schedule.enforce;
	if (entry.exemption.end > end_max)
		entry.exemption.end = end_max;
	return entry.exemption.begin >= entry.exemption.end || add_entry(loader, &entry, rule);
}

/* What is about a rule that was taken out of the policy is no mistake. */
static bool read_graced_rules(struct loader *loader, const struct entry *of_line, char *rules)
{
	char *name;

	while ((name = strsep(&rules, ",")) != NULL) {
		const struct rule *rule = policy_rule(loader->policy, name);

		if (rule != NULL && !add_grace(loader, of_line, rule))
			return false;
	}
	return true;
}

/* NULL when the text is no day. */
static const struct known_day *read_day(struct loader *loader, const char *text)
{
	struct known_day *known = &loader->days[hash_name(text) % KNOWN_DAYS];
	const char *error;

	if (text[0] == '\0') {
		report(loader, "the last day is missing");
		return NULL;
	}
	if (strcmp(text, known->text) == 0)
		return known;
	known->text[0] = '\0';
	if (!date_parse_day(text, &known->begin, &known->end, &error)) {
		report(loader, "'%s': %s", text, error);
		return NULL;
	}
	snprintf(known->text, sizeof(known->text), "%s", text);
	return known;
}

/* Reads LAST or FIRST..LAST. */
static bool read_dates(struct loader *loader, char *dates, struct exemption *exemption)
{
	const struct known_day *day;
	char *dots = strstr(dates, "..");

	exemption->begin = SCHEDULE_ALWAYS;
	if (dots != NULL) {
		*dots = '\0';
		if (dots > dates) {
			day = read_day(loader, dates);
			if (day == NULL)
				return false;
			exemption->begin = day->begin;
		}
		dates = dots + 2;
	}
	day = read_day(loader, dates);
	if (day == NULL)
		return false;
	exemption->end = day->end;
	if (exemption->begin >= exemption->end) {
		report(loader, "the last day is before the first");
		return false;
	}
	return true;
}

static bool read_user(struct loader *loader, const char *name, size_t *user_r)
{
	char user[USER_SIZE];

	if (!user_normalise(name, loader->policy->default_domain, user, sizeof(user))) {
		report(loader, "the user name is too long");
		return false;
	}
	return add_user(loader, user, user_r);
}

/* The next word of a line; NULL at its end. */
static char *next_field(char **line)
{
	char *field;

	do
		field = strsep(line, " ");
	while (field != NULL && field[0] == '\0');
	return field;
}

/* What dates mean changes with the time zone. */
static void digest_dates(struct exemptions *exemptions, const struct exemption *exemption)
{
	const time_t dates[] = {exemption->begin, exemption->end};

	exemptions->digest = fnv_hash(exemptions->digest, dates, sizeof(dates));
}

/* Reads "USER RULES DATES"; leaves nothing behind when it is wrong. */
static void read_fields(struct loader *loader, char *line)
{
	size_t entry_count = loader->entry_count, country_count = loader->country_count;
	struct entry of_line = {.exemption.line = loader->line};
	char *user = next_field(&line), *rules = next_field(&line), *dates = next_field(&line);
	char *rest = next_field(&line);

	if (user == NULL)
		return;
	if (rules == NULL || dates == NULL) {
		report(loader, "a line consists of a user, rules, and the last day or FIRST..LAST");
		return;
	}
	if (rest != NULL) {
		report(loader, "'%s' is one field too many, or lacks a '#'", rest);
		return;
	}
	if (read_dates(loader, dates, &of_line.exemption) &&
	    read_user(loader, user, &of_line.user) &&
	    (loader->grace_ends == NULL ? read_rules : read_graced_rules)(loader, &of_line,
									  rules)) {
		loader->exemptions->line_count++;
		digest_dates(loader->exemptions, &of_line.exemption);
	} else {
		loader->entry_count = entry_count;
		loader->country_count = country_count;
	}
}

/* Whatever stands in a comment, it changes nothing about the exemption before it. */
static size_t length_without_comment(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (line[i] == '#' && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t'))
			return i;
	}
	return length;
}

static void read_line(struct loader *loader, char *line, size_t length)
{
	if (length > LINE_LENGTH_MAX) {
		report(loader, "the line is longer than %d bytes", LINE_LENGTH_MAX);
		return;
	}
	length = length_without_comment(line, length);
	line[length] = '\0';
	if (length > 0 && line[length - 1] == '\r')
		line[--length] = '\0';
	if (memchr(line, '\0', length) != NULL) {
		report(loader, "the line contains a NUL byte");
		return;
	}
	for (size_t i = 0; i < length; i++) {
		if (line[i] == '\t')
			line[i] = ' ';
	}
	if (!utf8_is_line(line)) {
		report(loader, "the line is not UTF-8, or contains control characters");
		return;
	}
	read_fields(loader, line);
}

static void read_lines(struct loader *loader, char *text, size_t length)
{
	char *end = text + length;

	for (char *line = text; line < end && !loader->out_of_memory;) {
		char *newline = memchr(line, '\n', (size_t)(end - line));
		char *line_end = newline == NULL ? end : newline;

		*line_end = '\0';
		loader->line++;
		read_line(loader, line, (size_t)(line_end - line));
		line = line_end + 1;
	}
}

/* Counting sort, which keeps the order of the file within a user. */
static bool group_by_user(struct loader *loader)
{
	struct exemptions *exemptions = loader->exemptions;
	size_t first = 0;

	exemptions->list = calloc(loader->entry_count + 1, sizeof(*exemptions->list));
	if (exemptions->list == NULL)
		return false;
	for (size_t i = 0; i < loader->entry_count; i++)
		exemptions->users[loader->entries[i].user].count++;
	for (size_t i = 0; i < exemptions->user_count; i++) {
		exemptions->users[i].first = first;
		first += exemptions->users[i].count;
		exemptions->users[i].count = 0;
	}
	for (size_t i = 0; i < loader->entry_count; i++) {
		const struct entry *entry = &loader->entries[i];
		struct user *user = &exemptions->users[entry->user];
		struct exemption *exemption = &exemptions->list[user->first + user->count++];

		*exemption = entry->exemption;
		if (exemption->country_count > 0)
			exemption->countries = exemptions->countries + entry->first_country;
	}
	return true;
}

static struct exemptions *load_text(struct loader *loader, char *text, size_t length)
{
	struct exemptions *exemptions = calloc(1, sizeof(*exemptions));

	loader->days = calloc(KNOWN_DAYS, sizeof(*loader->days));
	if (exemptions == NULL || loader->days == NULL)
		goto failed;
	loader->exemptions = exemptions;
	exemptions->digest = fnv_hash(FNV_START, text, length);
	read_lines(loader, text, length);
	if (loader->out_of_memory || !group_by_user(loader))
		goto failed;
	goto done;
failed:
	config_report_at(loader->error, loader->context, loader->path, 0, "out of memory");
	exemptions_free(exemptions);
	exemptions = NULL;
done:
	free(loader->entries);
	free(loader->days);
	return exemptions;
}

struct exemptions *exemptions_load_text(const char *path, char *text, size_t length,
					const struct policy *policy, config_report *error,
					void *context)
{
	struct loader loader = {.policy = policy, .path = path, .error = error, .context = context};

	return load_text(&loader, text, length);
}

struct exemptions *grace_load_text(const char *path, char *text, size_t length,
				   const struct policy *policy, config_report *error, void *context)
{
	time_t ends[RULES_MAX] = {0};
	struct loader loader = {.policy = policy,
				.path = path,
				.error = error,
				.context = context,
				.grace_ends = ends};

	for (size_t i = 0; i < policy->rule_count; i++) {
		if (policy->rules[i].grace > 0)
			ends[i] = grace_end_max(&policy->rules[i]);
	}
	return load_text(&loader, text, length);
}

struct exemptions *exemptions_load(const char *path, const struct policy *policy,
				   config_report *error, void *context)
{
	struct exemptions *exemptions = NULL;
	const char *problem;
	size_t length;
	char *text = (policy->exemptions_in_store ? trusted_file_read : text_file_read)(
		path, EXEMPTIONS_SIZE_MAX, &length, &problem);

	if (text == NULL)
		config_report_at(error, context, path, 0, problem);
	else
		exemptions = exemptions_load_text(path, text, length, policy, error, context);
	free(text);
	return exemptions;
}

void exemptions_free(struct exemptions *exemptions)
{
	if (exemptions == NULL)
		return;
	free(exemptions->list);
	free(exemptions->countries);
	free(exemptions->names);
	free(exemptions->users);
	free(exemptions->slots);
	free(exemptions);
}

size_t exemptions_count(const struct exemptions *exemptions)
{
	return exemptions->line_count;
}

uint64_t exemptions_digest(const struct exemptions *exemptions)
{
	return exemptions->digest;
}

const struct exemption *exemptions_of_user(const struct exemptions *exemptions, const char *user,
					   size_t *count_r)
{
	const struct user *found;
	uint32_t slot;

	*count_r = 0;
	if (exemptions == NULL || exemptions->slot_count == 0)
		return NULL;
	slot = *find_slot(exemptions, user, hash_name(user));
	if (slot == 0)
		return NULL;
	found = &exemptions->users[slot - 1];
	*count_r = found->count;
	return found->count == 0 ? NULL : &exemptions->list[found->first];
}
