#include "announced-dates.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/files/directory.h"
#include "admin/files/file-lock.h"
#include "admin/files/file-open.h"
#include "admin/files/file-read.h"
#include "admin/files/file-replace.h"

#define FILE_SIZE_MAX ((size_t)16 << 20)

/* It tells the public what the public page says. */
#define MODE 0644

/* Another announce does not take longer. */
#define LOCK_MILLISECONDS 5000

/* Dates move a few times in a project's life. */
#define CHANGES_MAX 1000

struct announced_dates {
	json_t *rules; /* title -> {"notify", "enforce", "brownouts"} as announced */
	GArray *changes;
};

static const char *const date_names[] = {
	[DATE_NOTIFY] = "notify", [DATE_ENFORCE] = "enforce", [DATE_BROWNOUT] = "brownout"};

bool rule_is_public(const struct rule *rule)
{
	return rule->schedule.notify != SCHEDULE_NEVER || rule->schedule.enforce != SCHEDULE_NEVER;
}

static void clear_change(gpointer pointer)
{
	struct date_change *change = pointer;

	g_free(change->rule);
}

static struct announced_dates *create(void)
{
	struct announced_dates *dates = g_new0(struct announced_dates, 1);

	dates->changes = g_array_new(FALSE, FALSE, sizeof(struct date_change));
	g_array_set_clear_func(dates->changes, clear_change);
	dates->rules = json_object();
	return dates;
}

void announced_dates_free(struct announced_dates *dates)
{
	if (dates == NULL)
		return;
	g_array_unref(dates->changes);
	json_decref(dates->rules);
	g_free(dates);
}

const GArray *announced_changes(const struct announced_dates *dates)
{
	return dates->changes;
}

/* --- Reading --- */

/* A date of the file; null is none. */
static bool read_date(const json_t *value, time_t *time_r)
{
	const char *error;

	if (json_is_null(value)) {
		*time_r = SCHEDULE_NEVER;
		return true;
	}
	return json_is_string(value) && date_parse(json_string_value(value), time_r, &error);
}

static bool read_services(const json_t *list, unsigned int *services_r)
{
	const json_t *name;
	size_t i;

	*services_r = 0;
	json_array_foreach(list, i, name)
	{
		enum service service;

		if (!json_is_string(name) || !service_from_name(json_string_value(name), &service))
			return false;
		*services_r |= SERVICE_BIT(service);
	}
	return json_is_array(list);
}

static bool read_date_kind(const char *name, enum date_kind *kind_r)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(date_names); i++) {
		if (strcmp(name, date_names[i]) == 0) {
			*kind_r = i;
			return true;
		}
	}
	return false;
}

static bool read_change(const json_t *object, struct date_change *change_r)
{
	const char *rule, *kind, *date;
	json_int_t time;
	const json_t *services, *from, *to;

	if (json_unpack((json_t *)object, "{s:I, s:s, s:s, s:o, s:s, s:o, s:o}", "time", &time,
			"rule", &rule, "kind", &kind, "services", &services, "date", &date, "from",
			&from, "to", &to) < 0 ||
	    !kind_from_name(kind, &change_r->kind) ||
	    !read_services(services, &change_r->services) ||
	    !read_date_kind(date, &change_r->date) || !read_date(from, &change_r->from) ||
	    !read_date(to, &change_r->to))
		return false;
	change_r->time = (time_t)time;
	change_r->rule = g_strdup(rule);
	return true;
}

static bool read_rules(const json_t *rules)
{
	const char *title;
	json_t *rule;

	if (!json_is_object(rules))
		return false;
	json_object_foreach((json_t *)rules, title, rule)
	{
		const json_t *brownout;
		time_t date;
		size_t i;

		if (!read_date(json_object_get(rule, "notify"), &date) ||
		    !read_date(json_object_get(rule, "enforce"), &date) ||
		    !json_is_array(json_object_get(rule, "brownouts")))
			return false;
		json_array_foreach(json_object_get(rule, "brownouts"), i, brownout)
		{
			if (!read_date(brownout, &date))
				return false;
		}
	}
	return true;
}

static bool read_all(struct announced_dates *dates, const json_t *top)
{
	json_t *rules = json_object_get(top, "rules");
	const json_t *changes = json_object_get(top, "changes"), *object;
	size_t i;

	if (!read_rules(rules) || !json_is_array(changes))
		return false;
	json_array_foreach(changes, i, object)
	{
		struct date_change change;

		if (!read_change(object, &change))
			return false;
		g_array_append_val(dates->changes, change);
	}
	json_decref(dates->rules);
	dates->rules = json_incref(rules);
	return true;
}

/* NULL with *error_r NULL when there is no such file. */
static char *read_text(const char *path, size_t *length_r, const char **error_r)
{
	const char *name;
	int directory = directory_open_of(path, &name);
	char *text = NULL;

	*error_r = NULL;
	if (directory >= 0) {
		text = file_read(file_open(directory, name, O_RDONLY, 0), FILE_SIZE_MAX, length_r,
				 error_r);
		file_close(directory);
	} else if (errno != ENOENT) {
		*error_r = strerror(errno);
	}
	/* It is not there, or its directory is not. */
	if (text == NULL && errno == ENOENT)
		*error_r = NULL;
	return text;
}

struct announced_dates *announced_dates_load(const char *path, char **error_r)
{
	struct announced_dates *dates = create();
	const char *error;
	size_t length;
	char *text = read_text(path, &length, &error);
	json_error_t problem;
	json_t *top;

	if (text == NULL && error == NULL)
		return dates;
	if (text == NULL) {
		*error_r = g_strdup_printf("%s: %s", path, error);
		announced_dates_free(dates);
		return NULL;
	}
	top = json_loadb(text, length, JSON_REJECT_DUPLICATES, &problem);
	free(text);
	if (top == NULL || !read_all(dates, top)) {
		*error_r = g_strdup_printf("%s: this is not what announce wrote: %s", path,
					   top == NULL ? problem.text : "a value is wrong");
		announced_dates_free(dates);
		dates = NULL;
	}
	json_decref(top);
	return dates;
}

/* --- Comparing --- */

static json_t *date_json(time_t time)
{
	char text[DATE_TEXT_SIZE];

	if (time == SCHEDULE_NEVER)
		return json_null();
	date_format(time, text);
	return json_string(text);
}

static void add_change(struct announced_dates *dates, const struct rule *rule, time_t now,
		       enum date_kind date, time_t from, time_t to)
{
	struct date_change change = {.time = now,
				     .rule = g_strdup(rule->title),
				     .kind = rule->kind,
				     .services = rule->services,
				     .date = date,
				     .from = from,
				     .to = to};

	g_array_append_val(dates->changes, change);
	if (dates->changes->len > CHANGES_MAX)
		g_array_remove_index(dates->changes, 0);
}

/* True when it differs from what was announced. */
static bool compare_date(struct announced_dates *dates, const struct rule *rule,
			 const json_t *announced, time_t now, enum date_kind kind, time_t date)
{
	const json_t *value = json_object_get(announced, date_names[kind]);
	time_t before = SCHEDULE_NEVER;

	if (value != NULL)
		read_date(value, &before);
	if (before == date)
		return false;
	/* What holds from the beginning is no news. */
	if (value != NULL || date != SCHEDULE_ALWAYS)
		add_change(dates, rule, now, kind, before, date);
	return true;
}

static bool has_brownout(const struct rule *rule, time_t begin)
{
	for (size_t i = 0; i < rule->schedule.brownout_count; i++) {
		if (rule->schedule.brownouts[i].begin == begin)
			return true;
	}
	return false;
}

static bool was_announced(const json_t *brownouts, time_t begin)
{
	const json_t *value;
	time_t date;
	size_t i;

	json_array_foreach(brownouts, i, value)
	{
		if (read_date(value, &date) && date == begin)
			return true;
	}
	return false;
}

static bool compare_brownouts(struct announced_dates *dates, const struct rule *rule,
			      const json_t *announced, time_t now)
{
	const json_t *brownouts = json_object_get(announced, "brownouts"), *value;
	bool differs = false;
	time_t date;
	size_t i;

	for (i = 0; i < rule->schedule.brownout_count; i++) {
		time_t begin = rule->schedule.brownouts[i].begin;

		if (was_announced(brownouts, begin))
			continue;
		differs = true;
		if (begin > now)
			add_change(dates, rule, now, DATE_BROWNOUT, SCHEDULE_NEVER, begin);
	}
	json_array_foreach(brownouts, i, value)
	{
		if (!read_date(value, &date) || has_brownout(rule, date))
			continue;
		differs = true;
		/* One that is over may be tidied away. */
		if (date > now)
			add_change(dates, rule, now, DATE_BROWNOUT, date, SCHEDULE_NEVER);
	}
	return differs;
}

static json_t *rule_json(const struct rule *rule)
{
	json_t *brownouts = json_array();

	for (size_t i = 0; i < rule->schedule.brownout_count; i++)
		json_array_append_new(brownouts, date_json(rule->schedule.brownouts[i].begin));
	return json_pack("{s:o, s:o, s:o}", "notify", date_json(rule->schedule.notify), "enforce",
			 date_json(rule->schedule.enforce), "brownouts", brownouts);
}

bool announced_dates_update(struct announced_dates *dates, const struct policy *policy, time_t now)
{
	bool differs = false;

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];
		const json_t *announced = json_object_get(dates->rules, rule->title);

		if (!rule_is_public(rule) && announced == NULL)
			continue;
		differs |= compare_date(dates, rule, announced, now, DATE_NOTIFY,
					rule->schedule.notify);
		differs |= compare_date(dates, rule, announced, now, DATE_ENFORCE,
					rule->schedule.enforce);
		differs |= compare_brownouts(dates, rule, announced, now);
		/* A rule that leaves the file is remembered: it may come back. */
		json_object_set_new(dates->rules, rule->title, rule_json(rule));
	}
	return differs;
}

/* --- Writing --- */

static json_t *change_json(const struct date_change *change)
{
	json_t *services = json_array();

	for (unsigned int service = 0; service < SERVICE_COUNT; service++) {
		if ((change->services & SERVICE_BIT(service)) != 0)
			json_array_append_new(services, json_string(service_name(service)));
	}
	return json_pack("{s:I, s:s, s:s, s:o, s:s, s:o, s:o}", "time", (json_int_t)change->time,
			 "rule", change->rule, "kind", kind_name(change->kind), "services",
			 services, "date", date_names[change->date], "from",
			 date_json(change->from), "to", date_json(change->to));
}

static bool write_text(const char *path, const char *text)
{
	const char *name;
	int directory = directory_open_of(path, &name);
	bool written;

	if (directory < 0)
		return false;
	written = file_lock(directory, LOCK_MILLISECONDS) &&
		  file_replace(directory, name, MODE, text, strlen(text));
	file_close(directory);
	return written;
}

bool announced_dates_save(const struct announced_dates *dates, const char *path, char **error_r)
{
	json_t *changes = json_array();
	json_t *top = json_pack("{s:O, s:o}", "rules", dates->rules, "changes", changes);
	char *text;
	bool saved;

	for (guint i = 0; i < dates->changes->len; i++)
		json_array_append_new(changes, change_json(&g_array_index(dates->changes,
									  struct date_change, i)));
	text = json_dumps(top, JSON_INDENT(2));
	saved = write_text(path, text);
	if (!saved)
		*error_r = g_strdup_printf("%s: %s", path, file_problem(errno));
	json_decref(top);
	free(text);
	return saved;
}
