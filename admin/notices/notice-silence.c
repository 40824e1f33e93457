#include "notice-silence.h"

#include <inttypes.h>

#include "admin/terminal/display.h"
#include "run-clock.h"

#define DAY ((time_t)86400)

/* So many of the next moments are tried: each may be a way through the whole store. */
#define MOMENTS_MAX 16

/* ---- who breaks what ---- */

struct breakers {
	uint64_t people; /* who break any rule */
	uint64_t of_rule[RULES_MAX];
};

static bool count(void *context, const struct notice_candidate *candidate)
{
	struct breakers *breakers = context;
	uint64_t broken = 0;

	for (size_t i = 0; i < candidate->way_count; i++)
		broken |= candidate->ways[i].broken & ~candidate->ways[i].allowed;
	breakers->people += broken != 0;
	for (; broken != 0; broken &= broken - 1)
		breakers->of_rule[__builtin_ctzll(broken)]++;
	return true;
}

static const char *why_silent(enum phase phase)
{
	switch (phase) {
	case PHASE_OFF:
		return "it is off";
	case PHASE_OBSERVE:
		return "it is observed only";
	case PHASE_NOTIFY:
	case PHASE_ENFORCE:
		break;
	}
	return "they were told, have changed it, or are let off";
}

static void add_rules(GString *text, const struct policy *policy, const struct breakers *breakers,
		      time_t now)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (breakers->of_rule[i] > 0)
			g_string_append_printf(
				text, "%s: users who were seen breaking it: %" PRIu64 "; %s.\n",
				rule->title, breakers->of_rule[i],
				why_silent(schedule_phase(&rule->schedule, now)));
	}
}

/* ---- when that changes ---- */

static time_t midnight(time_t time)
{
	struct tm local;

	if (localtime_r(&time, &local) == NULL)
		return time;
	local.tm_hour = local.tm_min = local.tm_sec = 0;
	local.tm_isdst = -1;
	return mktime(&local);
}

/* When the first mails leave that are due from a moment on, and what --at calls that: a day
   stands for the end of its quiet hours. */
static time_t sending_time(const struct policy *policy, time_t moment,
			   char text_r[static DATE_TEXT_SIZE])
{
	time_t begin = run_clock_working_hour(&policy->notices.quiet_hours, midnight(moment));

	if (moment <= begin) {
		iso_day_format(begin, text_r);
		return begin;
	}
	date_format(moment, text_r);
	return moment;
}

static void add_moment(GArray *moments, time_t moment, time_t now)
{
	if (moment > now && moment != SCHEDULE_NEVER)
		g_array_append_val(moments, moment);
}

static gint compare_moments(gconstpointer one, gconstpointer other)
{
	const time_t *a = one, *b = other;

	return (*a > *b) - (*a < *b);
}

/* What may make something due, in the order of time. */
static GArray *find_moments(const struct policy *policy, const struct breakers *breakers,
			    time_t now)
{
	const struct notice_settings *settings = &policy->notices;
	GArray *moments = g_array_new(FALSE, FALSE, sizeof(time_t));

	if (settings->remind_every > 0)
		add_moment(moments, now + settings->remind_every, now);
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct schedule *schedule = &policy->rules[i].schedule;

		if (breakers->of_rule[i] == 0)
			continue;
		add_moment(moments, schedule->notify, now);
		for (size_t j = 0; j < schedule->brownout_count; j++)
			add_moment(moments,
				   schedule->brownouts[j].begin - NOTICE_BROWNOUT_DAYS * DAY, now);
		if (schedule->enforce == SCHEDULE_NEVER)
			continue;
		add_moment(moments, schedule->enforce, now);
		for (size_t j = 0; j < settings->last_call_count; j++)
			add_moment(moments, schedule->enforce - settings->last_calls[j], now);
	}
	g_array_sort(moments, compare_moments);
	return moments;
}

static bool note_due(void *context, const struct notice_candidate *candidate)
{
	bool *due = context;

	*due = candidate->plan.due;
	return !*due;
}

/* False when the store fails. */
static bool add_when(GString *text, const struct policy *policy, struct notice_people *people,
		     const char *user, const GArray *moments)
{
	char moment[DATE_TEXT_SIZE];
	bool due = false;

	for (guint i = 0; i < moments->len && i < MOMENTS_MAX; i++) {
		time_t time = sending_time(policy, g_array_index(moments, time_t, i), moment);

		if (!notice_people_each(people, user, time, note_due, &due))
			return false;
		if (due) {
			g_string_append_printf(text, "With --at \"%s\" there is something.\n",
					       moment);
			return true;
		}
	}
	g_string_append(text, "None of the dates to come changes that.\n");
	return true;
}

/* ---- the whole ---- */

/* While the store is being read. */
static bool explain(GString *text, const struct policy *policy, struct notice_people *people,
		    const char *user, time_t now)
{
	struct breakers breakers = {0};
	GArray *moments;
	bool fine;

	if (!notice_people_each(people, user, now, count, &breakers))
		return false;
	if (breakers.people == 0) {
		g_string_append_printf(text, "%s seen breaking a rule, with the right password.\n",
				       user == NULL ? "Nobody was" : "Not once was this user");
		return true;
	}
	add_rules(text, policy, &breakers, now);
	moments = find_moments(policy, &breakers, now);
	fine = add_when(text, policy, people, user, moments);
	g_array_unref(moments);
	return fine;
}

char *notice_silence(const struct policy *policy, struct notice_people *people, struct store *store,
		     const char *user, time_t now)
{
	GString *text = g_string_new(NULL);

	if (notice_people_begin(people, store) && explain(text, policy, people, user, now)) {
		store_rollback(store);
		return g_string_free(text, FALSE);
	}
	g_string_free(text, TRUE);
	return NULL;
}
