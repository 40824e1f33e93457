#include "candidate-mail.h"

#include <stdlib.h>

#include "admin/exemptions/own-date.h"
#include "notice-due.h"
#include "notice-ways.h"

/* The rules of a mail, and their sightings, of one rule after the other; and the person's
   devices. */
struct told {
	GArray *rules;     /* of struct notice_rule */
	GArray *sightings; /* of struct notice_sighting */
	GArray *devices;   /* of struct notice_known_device */
};

static int compare_last_seen(gconstpointer one, gconstpointer other)
{
	const struct notice_sighting *a = one, *b = other;

	return (a->last_seen < b->last_seen) - (a->last_seen > b->last_seen);
}

/* Appends the sightings of one rule, the latest first; returns how many. */
static size_t add_sightings(GArray *sightings, const struct notice_candidate *candidate,
			    uint64_t bit)
{
	bool fixed = candidate->plan.reason == NOTICE_FIXED;
	guint begin = sightings->len;

	for (size_t i = 0; i < candidate->person.way_count; i++) {
		uint64_t rules = fixed ? candidate->person.ways[i].broken : candidate->open[i];

		if ((rules & bit) != 0)
			g_array_append_val(sightings, candidate->sightings[i]);
	}
	if (sightings->len - begin > 1)
		qsort(&g_array_index(sightings, struct notice_sighting, begin),
		      sightings->len - begin, sizeof(struct notice_sighting), compare_last_seen);
	return sightings->len - begin;
}

/* None for whoever is let off the rule then. */
static struct brownout brownout_of(const struct notice_person *person, const struct rule *rule,
				   time_t now)
{
	struct brownout next = notice_next_brownout(rule, now);

	return exemptions_end(person->exemptions, person->exemption_count, rule, NULL,
			      next.begin) == next.begin
		       ? next
		       : (struct brownout){0, 0};
}

/* The last day that ends here. 0 is none. */
static time_t last_day(time_t end)
{
	return end == 0 ? 0 : date_midnight(end - 1, 0);
}

static void add_rule(struct told *told, const struct notice_candidate *candidate,
		     const struct rule *rule, time_t now)
{
	const struct notice_plan *plan = &candidate->plan;
	bool moved = (plan->moved >> rule->index & 1) != 0;
	bool graced = (plan->graced >> rule->index & 1) != 0;
	struct notice_rule added = {
		.rule = rule,
		.enforce = plan->reason == NOTICE_FIXED ? rule->schedule.enforce
							: plan->enforce[rule->index],
		.moved_from = moved ? plan->told_date[rule->index] : 0,
		.grace_until = graced ? last_day(plan->enforce[rule->index]) : 0,
		.brownout = brownout_of(&candidate->person, rule, now),
		.sighting_count =
			add_sightings(told->sightings, candidate, UINT64_C(1) << rule->index),
	};

	g_array_append_val(told->rules, added);
}

/* When the array of sightings grows no more. */
static void set_sightings(struct told *told)
{
	const struct notice_sighting *sightings = (struct notice_sighting *)told->sightings->data;

	for (guint i = 0; i < told->rules->len; i++) {
		struct notice_rule *rule = &g_array_index(told->rules, struct notice_rule, i);

		rule->sightings = sightings;
		sightings += rule->sighting_count;
	}
}

/* What ends first comes first. */
static int compare_enforce(gconstpointer one, gconstpointer other)
{
	const struct notice_rule *a = one, *b = other;

	if (a->enforce != b->enforce)
		return a->enforce < b->enforce ? -1 : 1;
	return (a->rule->index > b->rule->index) - (a->rule->index < b->rule->index);
}

/* ---- devices ---- */

static void add_device(struct told *told, const struct devices *devices, size_t number,
		       uint64_t rules)
{
	const struct device_record record = devices_record(devices, number, rules);
	struct notice_known_device known = {
		.client_id = devices_get(devices, number)->client_id,
		.first_seen = (time_t)(record.bad.first / 1000),
		.days = record.bad_days,
		.rhythm = (time_t)(record.rhythm / 1000),
	};

	g_array_append_val(told->devices, known);
}

/* Whether a device is right by now in what the person was told of it. */
static bool has_changed(const struct notice_candidate *candidate, size_t way, size_t rule_count)
{
	for (unsigned int rule = 0; rule < rule_count; rule++) {
		if (notice_way_has_changed(&candidate->person, way, rule))
			return true;
	}
	return false;
}

/* One that is still open for another rule is told with what is wrong. */
static void note_changes(struct told *told, const struct notice_candidate *candidate,
			 size_t rule_count)
{
	const struct notice_person *person = &candidate->person;

	for (size_t i = 0; i < person->way_count; i++) {
		struct notice_known_device *known = &g_array_index(
			told->devices, struct notice_known_device, person->ways[i].device);

		if (!has_changed(candidate, i, rule_count))
			continue;
		known->changed = true;
		known->service = candidate->sightings[i].service;
	}
	for (size_t i = 0; i < person->way_count; i++) {
		if (candidate->open[i] != 0)
			g_array_index(told->devices, struct notice_known_device,
				      person->ways[i].device)
				.changed = false;
	}
}

/* ---- the mail ---- */

char *candidate_mail(struct notice_composer *composer, const struct policy *policy,
		     const struct notice_candidate *candidate, const char *recipient,
		     const char *message_id, time_t now, size_t *length_r, const char **error_r)
{
	uint64_t rules = notice_plan_told(&candidate->plan);
	struct told told = {
		.rules = g_array_new(FALSE, FALSE, sizeof(struct notice_rule)),
		.sightings = g_array_new(FALSE, FALSE, sizeof(struct notice_sighting)),
		.devices = g_array_new(FALSE, FALSE, sizeof(struct notice_known_device)),
	};
	struct notice notice = {
		.reason = candidate->plan.reason,
		.recipient = recipient,
		.user = candidate->user,
		.message_id = message_id,
		.date = now,
		.exempt_until = last_day(candidate->plan.exempt_until),
	};
	char *mail;

	for (size_t i = 0; i < policy->rule_count; i++) {
		if ((rules >> i & 1) != 0)
			add_rule(&told, candidate, &policy->rules[i], now);
	}
	set_sightings(&told);
	g_array_sort(told.rules, compare_enforce);
	for (size_t i = 0; i < devices_count(candidate->person.devices); i++)
		add_device(&told, candidate->person.devices, i, rules);
	note_changes(&told, candidate, policy->rule_count);
	notice.rules = (struct notice_rule *)told.rules->data;
	notice.rule_count = told.rules->len;
	notice.devices = (struct notice_known_device *)told.devices->data;
	notice.device_count = told.devices->len;
	mail = notice_compose(composer, &notice, length_r, error_r);
	g_array_unref(told.rules);
	g_array_unref(told.sightings);
	g_array_unref(told.devices);
	return mail;
}
