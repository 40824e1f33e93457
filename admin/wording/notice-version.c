#include "notice-version.h"

#include <string.h>

#include "admin/sightings/device-name.h"
#include "admin/sightings/harmless-text.h"
#include "notice-brownouts.h"

#define USER_CHARACTERS 80

static void forget_device(struct notice_version *version)
{
	static const struct device_values none = {0};

	version->device = NULL;
	device_values_restore(&version->values, &none);
}

static bool select_device(struct notice_version *version, size_t turn)
{
	if (turn >= version->devices->len || turn >= NOTICE_DEVICES_MAX) {
		forget_device(version);
		return false;
	}
	version->device = &g_array_index(version->devices, struct notice_device, turn);
	device_values_set(&version->values, version->device);
	device_values_save(&version->values, &version->own);
	return true;
}

/* Whether a rule before this one is of the same kind, so that its reason was told. */
static bool is_told_why(const struct notice *notice, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (notice->rules[i].rule->kind == notice->rules[index].rule->kind)
			return true;
	}
	return false;
}

static void set_rule(struct notice_values *values, const struct notice_rule *rule)
{
	notice_values_set_rule(values, rule->rule, rule->enforce);
	values->texts[VALUE_MOVED_FROM] =
		rule->moved_from == 0 ? NULL : notice_value_date(values, rule->moved_from);
	values->texts[VALUE_GRACE_UNTIL] =
		rule->grace_until == 0 ? NULL : notice_value_date(values, rule->grace_until);
}

/* Within a device: what is wrong with it. */
static bool select_breach(struct notice_version *version, size_t turn)
{
	struct notice_values *values = &version->values;
	struct notice_breach breach;

	if (!notice_device_breach(version->notice, version->device, turn, &breach)) {
		device_values_restore(values, &version->own);
		return false;
	}
	device_values_set_sighting(values, breach.sighting);
	set_rule(values, breach.rule);
	return true;
}

static bool select_rule(struct notice_version *version, size_t turn)
{
	const struct notice *notice = version->notice;

	if (version->device != NULL)
		return select_breach(version, turn);
	if (turn >= notice->rule_count)
		return false;
	set_rule(&version->values, &notice->rules[turn]);
	if (is_told_why(notice, turn))
		version->values.texts[VALUE_WHY] = NULL;
	return true;
}

static bool select_program(struct notice_version *version, size_t turn)
{
	const char **texts = version->values.texts;

	if (turn >= version->program_count)
		return false;
	texts[VALUE_STEPS] = mail_program_steps(version->programs[turn]);
	texts[VALUE_OTHER_PROGRAMS] = turn > 0 ? "yes" : NULL;
	return true;
}

/* What stands outside of {each brownout}: the next one, and the hours of all. */
static void set_brownouts(struct notice_version *version)
{
	struct notice_values *values = &version->values;

	if (version->brownouts->len == 0)
		return;
	notice_values_set_brownout(values, &g_array_index(version->brownouts, struct brownout, 0));
	values->texts[VALUE_BROWNOUT_HOURS] = brownout_hours(values, version->brownouts);
	if (values->texts[VALUE_BROWNOUT_HOURS] == NULL)
		values->texts[VALUE_BROWNOUT_DAY] = NULL;
}

static bool select_brownout(struct notice_version *version, size_t turn)
{
	if (turn >= version->brownouts->len) {
		set_brownouts(version);
		return false;
	}
	notice_values_set_brownout(&version->values,
				   &g_array_index(version->brownouts, struct brownout, turn));
	return true;
}

static bool select_turn(struct text_source *source, unsigned int loop, size_t turn)
{
	struct notice_version *version = (struct notice_version *)source;

	switch ((enum each)loop) {
	case EACH_RULE:
		return select_rule(version, turn);
	case EACH_SIGHTING:
		return select_device(version, turn);
	case EACH_PROGRAM:
		return select_program(version, turn);
	case EACH_BROWNOUT:
		return select_brownout(version, turn);
	case EACH_CHANGE:
	case EACH_COUNT:
		break;
	}
	return false;
}

/* The first day on which something stops working; before a brown-out, what is switched
   off in it. */
static time_t deadline(const struct notice *notice, const struct notice_rule *tried)
{
	time_t first = SCHEDULE_NEVER;

	if (notice->reason == NOTICE_BROWNOUT && tried != NULL)
		return tried->enforce;
	for (size_t i = 0; i < notice->rule_count; i++) {
		time_t enforce = notice->rules[i].enforce;

		if (enforce > notice->date && enforce < first)
			first = enforce;
	}
	return first;
}

/* Of the rules whose date moved, the one that the person would go by first; NULL: none. */
static const struct notice_rule *first_moved(const struct notice *notice)
{
	const struct notice_rule *first = NULL;

	for (size_t i = 0; i < notice->rule_count; i++) {
		const struct notice_rule *rule = &notice->rules[i];

		if (rule->moved_from != 0 &&
		    (first == NULL || rule->moved_from < first->moved_from))
			first = rule;
	}
	return first;
}

static void set_moved(struct notice_values *values, const struct notice *notice)
{
	const struct notice_rule *first = first_moved(notice);

	if (first == NULL)
		return;
	values->texts[VALUE_OLD_DATE] = notice_value_date(values, first->moved_from);
	values->texts[VALUE_NEW_DATE] = notice_value_date(values, first->enforce);
}

/* Other settings are of no help against the rest. */
static bool needs_settings(const struct notice *notice)
{
	for (size_t i = 0; i < notice->rule_count; i++) {
		enum kind kind = notice->rules[i].rule->kind;

		if (kind != KIND_COUNTRY && kind != KIND_RELAY)
			return true;
	}
	return false;
}

/* What the notice is about first of all: what has moved, refuses, or comes to an end
   next. */
static const struct notice_rule *main_rule(const struct notice *notice)
{
	const struct notice_rule *first = NULL;

	if (notice->reason == NOTICE_MOVED && first_moved(notice) != NULL)
		return first_moved(notice);
	for (size_t i = 0; i < notice->rule_count; i++) {
		const struct notice_rule *rule = &notice->rules[i];
		bool is_over = notice->reason != NOTICE_REFUSED && rule->enforce <= notice->date;

		if (!is_over && (first == NULL || rule->enforce < first->enforce))
			first = rule;
	}
	return first != NULL || notice->rule_count == 0 ? first : &notice->rules[0];
}

/* The day since which nothing of it works any more; NULL: there is something to come. */
static const char *switched_off(struct notice_values *values, const struct notice *notice)
{
	const struct notice_rule *rule = main_rule(notice);

	return rule == NULL || rule->enforce > notice->date
		       ? NULL
		       : notice_value_date(values, rule->enforce);
}

static const char *what_of(struct notice_values *values, const struct notice_rule *rule)
{
	notice_values_set_rule(values, rule->rule, rule->enforce);
	return values->texts[VALUE_WHAT];
}

/* All that is tried on the day of the next brown-out, each thing once. */
static const char *tried_matters(struct notice_values *values, const struct notice *notice,
				 const struct notice_rule *tried)
{
	GPtrArray *list = g_ptr_array_new();
	const char *text;

	for (size_t i = 0; i < notice->rule_count; i++) {
		const struct notice_rule *rule = &notice->rules[i];

		if (!has_brownout_on_day(rule, tried->brownout.begin, notice->date))
			continue;
		text = what_of(values, rule);
		if (!g_ptr_array_find_with_equal_func(list, text, g_str_equal, NULL))
			g_ptr_array_add(list, (gpointer)text);
	}
	text = notice_value_list(values, list, WORD_AND);
	g_ptr_array_unref(list);
	return text;
}

static const char *matter(struct notice_values *values, const struct notice *notice,
			  const struct notice_rule *tried)
{
	const struct notice_rule *rule = main_rule(notice);

	if (notice->reason == NOTICE_BROWNOUT && tried != NULL)
		return tried_matters(values, notice, tried);
	return rule == NULL ? NULL : what_of(values, rule);
}

static bool is_abroad(const struct policy *policy, struct country country)
{
	bool is_abroad = false;

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->kind != KIND_COUNTRY || country.code[0] == '\0')
			continue;
		is_abroad = true;
		for (size_t j = 0; j < rule->country_count; j++) {
			if (strcmp(rule->countries[j].code, country.code) == 0)
				return false;
		}
	}
	return is_abroad;
}

/* Whether somebody else may be behind it: it was refused, or came from abroad. */
static bool may_be_stranger(const struct policy *policy, const struct notice *notice)
{
	bool may_be = notice->reason == NOTICE_REFUSED;

	for (size_t i = 0; i < notice->rule_count; i++) {
		const struct notice_rule *rule = &notice->rules[i];

		may_be |= rule->rule->kind == KIND_COUNTRY;
		for (size_t j = 0; j < rule->sighting_count; j++)
			may_be |= rule->sightings[j].refused ||
				  is_abroad(policy, rule->sightings[j].country);
	}
	return may_be && notice->reason != NOTICE_FIXED;
}

/* The latest login from abroad that no device shows as its last one, or NULL. */
static const struct notice_sighting *unseen_abroad(const struct policy *policy,
						   const struct notice *notice,
						   const GArray *devices)
{
	const struct notice_sighting *latest = NULL;

	for (size_t i = 0; i < notice->rule_count; i++) {
		const struct notice_rule *rule = &notice->rules[i];

		for (size_t j = 0; j < rule->sighting_count; j++) {
			const struct notice_sighting *sighting = &rule->sightings[j];

			if (is_abroad(policy, sighting->country) &&
			    (latest == NULL || sighting->last_seen > latest->last_seen))
				latest = sighting;
		}
	}
	for (guint i = 0; i < devices->len && i < NOTICE_DEVICES_MAX && latest != NULL; i++) {
		const struct notice_sighting *shown =
			g_array_index(devices, struct notice_device, i).sighting;

		if (shown->device == latest->device && shown->last_seen == latest->last_seen)
			latest = NULL;
	}
	return latest;
}

static bool has_rule_of_countries(const struct notice *notice)
{
	for (size_t i = 0; i < notice->rule_count; i++) {
		if (notice->rules[i].rule->kind == KIND_COUNTRY)
			return true;
	}
	return false;
}

/* "iPhone Mail and K-9 Mail": those that have changed since the last mail. */
static const char *changed_devices(struct notice_values *values, const struct notice *notice)
{
	GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
	const char *text;

	for (size_t i = 0; i < notice->device_count; i++) {
		const struct notice_known_device *device = &notice->devices[i];
		char *program = device->changed ? device_label(device->client_id) : NULL;

		if (program != NULL)
			g_ptr_array_add(list, program);
		else if (device->changed)
			g_ptr_array_add(list,
					g_strdup(notice_value_word(
						values, WORD_SERVICE_IMAP + device->service)));
	}
	text = notice_value_list(values, list, WORD_AND);
	g_ptr_array_unref(list);
	return text;
}

/* When the latest of the devices that were refused was. */
static time_t last_refusal(const GArray *devices)
{
	time_t last = 0;

	for (guint i = 0; i < devices->len; i++)
		last = MAX(last, g_array_index(devices, struct notice_device, i).refused_on);
	return last;
}

static guint count_refused(const GArray *devices)
{
	guint count = 0;

	for (guint i = 0; i < devices->len; i++)
		count += g_array_index(devices, struct notice_device, i).refused_on != 0;
	return count;
}

static void set_devices(struct notice_version *version, const struct notice *notice)
{
	struct notice_values *values = &version->values;
	const GArray *devices = version->devices;
	const char **texts = values->texts;
	const struct notice_sighting *abroad = unseen_abroad(values->policy, notice, devices);
	time_t refused_on = last_refusal(devices);

	texts[VALUE_SEVERAL_DEVICES] =
		(notice->reason == NOTICE_REFUSED ? count_refused(devices) : devices->len) > 1
			? "yes"
			: NULL;
	if (devices->len > NOTICE_DEVICES_MAX)
		texts[VALUE_MORE] = notice_value_number(values, devices->len - NOTICE_DEVICES_MAX);
	texts[VALUE_CHANGED] = changed_devices(values, notice);
	texts[VALUE_MAYBE_STRANGER] = may_be_stranger(values->policy, notice) ? "yes" : NULL;
	if (abroad != NULL)
		device_values_set_abroad(values, abroad);
	if (refused_on != 0)
		texts[VALUE_REFUSED_ON] = notice_value_day(values, refused_on);
}

void notice_version_set(struct notice_version *version, const struct notice *notice,
			const GArray *devices)
{
	struct notice_values *values = &version->values;
	const char **texts = values->texts;
	const struct notice_rule *tried = next_brownout_rule(notice);
	char *user = harmless_text(notice->user, USER_CHARACTERS);

	notice_values_begin(values, notice->date);
	version->notice = notice;
	version->devices = devices;
	version->device = NULL;
	version->program_count = notice_device_programs(devices, version->programs);
	texts[VALUE_USER] = notice_value_keep(values, user);
	texts[VALUE_DEADLINE] = notice_value_date(values, deadline(notice, tried));
	texts[VALUE_SWITCHED_OFF] = switched_off(values, notice);
	set_moved(values, notice);
	texts[VALUE_NEEDS_SETTINGS] = needs_settings(notice) ? "yes" : NULL;
	texts[VALUE_MATTER] = matter(values, notice, tried);
	if (notice->exempt_until != 0)
		texts[VALUE_EXEMPT_UNTIL] = notice_value_date(values, notice->exempt_until);
	if (!has_rule_of_countries(notice))
		texts[VALUE_VPN_URL] = NULL;
	set_devices(version, notice);
	brownouts_of_next_day(version->brownouts, notice);
	set_brownouts(version);
	g_free(user);
}

void notice_version_init(struct notice_version *version, const struct policy *policy,
			 const struct text_language *language)
{
	*version = (struct notice_version){
		.brownouts = g_array_new(FALSE, FALSE, sizeof(struct brownout))};
	notice_values_init(&version->values, policy, language, select_turn);
}

void notice_version_clear(struct notice_version *version)
{
	g_array_unref(version->brownouts);
	notice_values_clear(&version->values);
}
