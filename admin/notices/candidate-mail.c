#include "candidate-mail.h"

#include <stdlib.h>

/* The rules of a mail, and their sightings, of one rule after the other. */
struct told {
	GArray *rules;     /* of struct notice_rule */
	GArray *sightings; /* of struct notice_sighting */
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

static void add_rule(struct told *told, const struct notice_candidate *candidate,
		     const struct rule *rule, time_t now)
{
	const struct notice_plan *plan = &candidate->plan;
	struct notice_rule added = {
		.rule = rule,
		.enforce = plan->reason == NOTICE_FIXED ? rule->schedule.enforce
							: plan->enforce[rule->index],
		.moved_from =
			(plan->moved >> rule->index & 1) == 0 ? 0 : plan->told_date[rule->index],
		.brownout = notice_next_brownout(rule, now),
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

/* The last day that ends here. 0 is none. */
static time_t last_day(time_t end)
{
	return end == 0 ? 0 : date_midnight(end - 1, 0);
}

static time_t first_grace_end(const struct notice_plan *plan)
{
	time_t first = 0;

	for (uint64_t left = plan->graced; left != 0; left &= left - 1) {
		time_t end = plan->enforce[__builtin_ctzll(left)];

		if (first == 0 || end < first)
			first = end;
	}
	return first;
}

char *candidate_mail(struct notice_composer *composer, const struct policy *policy,
		     const struct notice_candidate *candidate, const char *recipient,
		     const char *message_id, time_t now, size_t *length_r, const char **error_r)
{
	uint64_t rules = notice_plan_told(&candidate->plan);
	struct told told = {
		.rules = g_array_new(FALSE, FALSE, sizeof(struct notice_rule)),
		.sightings = g_array_new(FALSE, FALSE, sizeof(struct notice_sighting)),
	};
	struct notice notice = {
		.reason = candidate->plan.reason,
		.recipient = recipient,
		.user = candidate->user,
		.message_id = message_id,
		.date = now,
		.exempt_until = last_day(candidate->plan.exempt_until),
		.grace_until = last_day(first_grace_end(&candidate->plan)),
	};
	char *mail;

	for (size_t i = 0; i < policy->rule_count; i++) {
		if ((rules >> i & 1) != 0)
			add_rule(&told, candidate, &policy->rules[i], now);
	}
	set_sightings(&told);
	notice.rules = (struct notice_rule *)told.rules->data;
	notice.rule_count = told.rules->len;
	mail = notice_compose(composer, &notice, length_r, error_r);
	g_array_unref(told.rules);
	g_array_unref(told.sightings);
	return mail;
}
