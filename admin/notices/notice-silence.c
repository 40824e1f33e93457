#include "notice-silence.h"

#include <inttypes.h>
#include <string.h>

#include "admin/terminal/display.h"
#include "notice-due.h"
#include "notice-grace.h"
#include "notice-ways.h"
#include "run-clock.h"

/* A way through the whole store each; mostly two do. */
#define PASSES_MAX 16

/* One way through it, as of some time. */
struct search {
	const struct policy *policy;
	time_t at;
	bool due;    /* something is, and the way ended there */
	time_t next; /* when something may be due first, later on; SCHEDULE_NEVER: it will not */
	uint64_t people;             /* who break any rule */
	uint64_t of_rule[RULES_MAX]; /* who break that one */
	uint64_t untold;             /* rules that somebody cannot be told of */
	GArray *open;                /* of uint64_t; room for what a plan finds */
};

/* ---- who breaks what ---- */

static void count(struct search *search, const struct notice_person *person)
{
	uint64_t broken = 0;

	for (size_t i = 0; i < person->way_count; i++)
		broken |= person->ways[i].broken;
	search->people += broken != 0;
	for (; broken != 0; broken &= broken - 1)
		search->of_rule[__builtin_ctzll(broken)]++;
}

static const char *why_silent(const struct search *search, const struct rule *rule)
{
	switch (schedule_phase(&rule->schedule, search->at)) {
	case PHASE_OFF:
		return "it is off";
	case PHASE_OBSERVE:
		return "it is observed only";
	case PHASE_NOTIFY:
	case PHASE_ENFORCE:
		break;
	}
	if (rule->schedule.notify >= rule->schedule.enforce)
		return "it has no notify phase, so only who is refused is told";
	if ((search->untold >> rule->index & 1) != 0)
		return "they were told, have changed it, are let off, or cannot be told: see "
		       "\"portcullis notify --untold\"";
	return "they were told, have changed it, or are let off";
}

static void add_rules(GString *text, const struct search *search)
{
	for (size_t i = 0; i < search->policy->rule_count; i++) {
		const struct rule *rule = &search->policy->rules[i];

		if (search->of_rule[i] > 0)
			g_string_append_printf(
				text, "%s: users who were seen breaking it: %" PRIu64 "; %s.\n",
				rule->title, search->of_rule[i], why_silent(search, rule));
	}
}

/* ---- when that changes ---- */

/* Plans for the moment, if that may be the first one. */
static void try(struct search *search, const struct notice_person *person, time_t moment)
{
	struct notice_plan plan;

	if (moment <= search->at || moment >= search->next)
		return;
	notice_plan(search->policy, person, moment, (uint64_t *)search->open->data, &plan);
	if (plan.due)
		search->next = moment;
}

static void try_last_calls(struct search *search, const struct notice_person *person, time_t date)
{
	const struct notice_settings *settings = &search->policy->notices;

	if (date == SCHEDULE_NEVER || date <= search->at)
		return;
	try(search, person, notice_call_begin(date, NOTICE_LEAD_DAYS * SECONDS_A_DAY));
	for (size_t i = 0; i < settings->last_call_count; i++)
		try(search, person, notice_call_begin(date, settings->last_calls[i]));
}

/* When there may be a reminder, or what waited for one. */
static void try_after(struct search *search, const struct notice_person *person,
		      const struct notice_past *past)
{
	time_t interval = search->policy->notices.remind_every;

	try(search, person, past->time + NOTICE_MERGED_DAYS * SECONDS_A_DAY);
	/* Until then it is one of many. */
	try(search, person, past->time + NOTICE_MAILS_DAYS * SECONDS_A_DAY + 1);
	for (unsigned int i = 1; i < NOTICE_WARNINGS_MAX; i++, interval *= 2)
		try(search, person, past->time + interval);
	for (size_t i = 0; i < search->policy->rule_count; i++) {
		if (past->dates[i] != 0)
			try_last_calls(search, person, past->dates[i]);
	}
}

static void try_dates(struct search *search, const struct notice_person *person,
		      const struct schedule *schedule)
{
	try(search, person, schedule->notify);
	try(search, person, schedule->enforce);
	for (size_t i = 0; i < schedule->brownout_count; i++)
		try(search, person,
		    schedule->brownouts[i].begin - NOTICE_BROWNOUT_DAYS * SECONDS_A_DAY);
	try_last_calls(search, person, schedule->enforce);
}

/* Another way through the store is to begin then. */
static void look_again(struct search *search, time_t moment)
{
	if (moment > search->at)
		search->next = MIN(search->next, moment);
}

static void try_exemption(struct search *search, const struct notice_person *person,
			  const struct exemption *exemption)
{
	/* What it allows, the plan knows as of now only. */
	if (exemption->country_count > 0) {
		look_again(search, notice_lead_begin(&search->policy->notices, exemption->end));
		look_again(search, exemption->end);
	}
	try(search, person, exemption->end);
	try_last_calls(search, person, exemption->end);
}

/* When all may be well, and that may be said. */
static void try_device(struct search *search, const struct notice_person *person, size_t device)
{
	for (size_t i = 0; i < search->policy->rule_count; i++)
		try(search, person,
		    notice_device_well_from(person, device, &search->policy->rules[i]));
}

/* All moments at which something may become due for a person who does nothing more. */
static void look_ahead(struct search *search, const struct notice_person *person)
{
	const struct policy *policy = search->policy;

	g_array_set_size(search->open, (guint)person->way_count);
	for (size_t i = 0; i < policy->rule_count; i++) {
		time_t grace_end = notice_grace_end(person, &policy->rules[i], search->at);

		try_dates(search, person, &policy->rules[i].schedule);
		try(search, person, grace_end);
		try_last_calls(search, person, grace_end);
	}
	for (size_t i = 0; i < person->exemption_count; i++)
		try_exemption(search, person, &person->exemptions[i]);
	for (size_t i = 0; i < person->past_count; i++)
		try_after(search, person, &person->past[i]);
	for (size_t i = 0; i < devices_count(person->devices) && policy->notices.confirm_fixed; i++)
		try_device(search, person, i);
}

/* When a mail that was not taken is tried again. */
static void try_attempt(struct search *search, const struct notice_candidate *candidate)
{
	if (candidate->plan.waits)
		try(search, &candidate->person, candidate->plan.next_attempt);
}

static bool look(void *context, const struct notice_candidate *candidate)
{
	struct search *search = context;

	search->due = candidate->plan.due;
	if (search->due)
		return false;
	count(search, &candidate->person);
	search->untold |= candidate->plan.failed | candidate->plan.late;
	look_ahead(search, &candidate->person);
	try_attempt(search, candidate);
	return true;
}

/* False when the store fails. */
static bool pass(struct search *search, struct notice_people *people, const char *user)
{
	search->due = false;
	search->next = SCHEDULE_NEVER;
	search->people = 0;
	search->untold = 0;
	memset(search->of_rule, 0, sizeof(search->of_rule));
	return notice_people_each(people, user, search->at, look, search);
}

/* When --at shows what is due from a moment on, and what it is called there: a day stands for
   the end of its quiet hours, and nothing is finer than a minute. */
static time_t showing_time(const struct policy *policy, time_t moment,
			   char text_r[static DATE_TEXT_SIZE])
{
	time_t begin =
		run_clock_working_hour(&policy->notices.quiet_hours, date_midnight(moment, 0));
	time_t minute = moment + (60 - moment % 60) % 60;

	if (moment <= begin) {
		iso_day_format(begin, text_r);
		return begin;
	}
	date_format(minute, text_r);
	return minute;
}

/* After the way through the store as of now. False when the store fails. */
static bool add_when(GString *text, struct search *search, struct notice_people *people,
		     const char *user)
{
	char when[DATE_TEXT_SIZE];

	for (int passes = 1; passes < PASSES_MAX && search->next != SCHEDULE_NEVER; passes++) {
		search->at = showing_time(search->policy, search->next, when);
		if (!pass(search, people, user))
			return false;
		if (search->due) {
			g_string_append_printf(text, "With --at \"%s\" there is something.\n",
					       when);
			return true;
		}
	}
	if (search->next == SCHEDULE_NEVER)
		g_string_append(text, "None of the dates to come changes that.\n");
	else
		g_string_append_printf(text,
				       "Until \"%s\" nothing changes that; what comes later was "
				       "not looked at.\n",
				       when);
	return true;
}

/* ---- the whole ---- */

/* While the store is being read. */
static bool explain(GString *text, struct search *search, struct notice_people *people,
		    const char *user)
{
	if (!pass(search, people, user))
		return false;
	if (search->people == 0) {
		g_string_append_printf(text, "%s seen breaking a rule, with the right password.\n",
				       user == NULL ? "Nobody was" : "Not once was this user");
		return true;
	}
	add_rules(text, search);
	return add_when(text, search, people, user);
}

char *notice_silence(const struct policy *policy, struct notice_people *people, struct store *store,
		     const char *user, time_t now)
{
	struct search search = {
		.policy = policy, .at = now, .open = g_array_new(FALSE, FALSE, sizeof(uint64_t))};
	GString *text = g_string_new(NULL);
	bool fine = notice_people_begin(people, store) && explain(text, &search, people, user);

	g_array_unref(search.open);
	if (fine)
		store_rollback(store);
	return g_string_free(text, !fine);
}
