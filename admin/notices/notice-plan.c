#include "notice-plan.h"

#include <glib.h>

#include "notice-date.h"
#include "notice-due.h"
#include "notice-ways.h"

/* ---- what is open ---- */

/* A person's rules that are open and told of. */
struct open_rules {
	struct notice_course course;
	struct rule_case cases[RULES_MAX];
	size_t count;
	bool all_is_well; /* no rule says otherwise */
};

static void note_untold(const struct rule_case *c, struct notice_plan *plan)
{
	uint64_t bit = UINT64_C(1) << c->rule->index;
	bool untold = c->past.told == SCHEDULE_ALWAYS;
	bool to_come = c->course->now < c->date;
	bool in_vain = c->past.tried != SCHEDULE_ALWAYS || c->course->out_of_reach ||
		       c->course->person->attempts >= NOTICE_FAILURES_MAX;

	if (untold)
		plan->untold |= bit;
	if (untold && in_vain)
		plan->failed |= bit;
	if ((untold || to_come) && c->date != SCHEDULE_NEVER && c->first_open < c->date &&
	    c->date - c->first_open < NOTICE_LATE_DAYS * SECONDS_A_DAY)
		plan->late |= bit;
}

static void note_to_tell(const struct rule_case *c, struct notice_plan *plan)
{
	if (c->past.told != SCHEDULE_ALWAYS || c->date == SCHEDULE_NEVER ||
	    c->date <= c->course->now)
		return;
	plan->to_tell |= UINT64_C(1) << c->rule->index;
	plan->to_tell_from =
		MIN(plan->to_tell_from,
		    c->exempted ? notice_call_begin(c->date, NOTICE_LEAD_DAYS * SECONDS_A_DAY)
				: c->rule->schedule.notify);
	plan->to_tell_by = MIN(plan->to_tell_by, c->date);
}

static void note_date(const struct rule_case *c, struct notice_plan *plan)
{
	if (c->date <= c->course->now || c->date > plan->first_date)
		return;
	/* An exemption's end is that of all that ends with it, or it is not named. */
	if (c->date < plan->first_date)
		plan->exempt_until = c->exempted ? c->date : 0;
	else if (!c->exempted)
		plan->exempt_until = 0;
	plan->first_date = c->date;
}

/* What there is to say of an open rule. */
static void add_open_rule(struct open_rules *open, const struct rule_case *c,
			  struct notice_plan *plan)
{
	unsigned int index = c->rule->index;
	uint64_t bit = UINT64_C(1) << index;

	open->cases[open->count++] = *c;
	plan->rules |= bit;
	plan->enforce[index] = c->date;
	plan->first_open = MIN(plan->first_open, c->first_open);
	note_date(c, plan);
	if (!c->exempted && c->date > c->rule->schedule.enforce && c->date > c->course->now)
		plan->graced |= bit;
	if (notice_date_moved(c)) {
		plan->moved |= bit;
		plan->told_date[index] = c->past.date;
	}
	note_untold(c, plan);
}

/* Whether this rule is a reason not to say yet that all is well. */
static bool is_not_well(const struct rule_case *c, const struct rule_ways *ways)
{
	const struct schedule *schedule = &c->rule->schedule;
	bool concerns = c->past.told != SCHEDULE_ALWAYS || schedule->notify != SCHEDULE_NEVER ||
			c->date != SCHEDULE_NEVER;
	time_t soon = c->course->now + c->course->policy->notices.remind_every;
	bool date_is_near = c->date > c->course->now && c->date <= soon;

	return ways->broken && ((concerns && !ways->well) || date_is_near);
}

/* Who was told before being let off was told nothing of the date that counts, nor who was told a
   later one. */
static struct rule_past past_of_date(const struct rule_case *c)
{
	struct rule_past past = c->past;
	bool told_later = past.date > c->date && notice_date_moved(c);

	if ((c->exempted && past.date != c->date) || told_later)
		past.told = SCHEDULE_ALWAYS;
	return past;
}

/* Finds what is open, and what is fixed. */
static void look_at_rules(struct open_rules *open, uint64_t *open_ways, struct notice_plan *plan)
{
	const struct notice_course *course = &open->course;
	const struct notice_person *person = course->person;

	for (size_t i = 0; i < course->policy->rule_count; i++) {
		struct rule_case c = {.course = course, .rule = &course->policy->rules[i]};
		uint64_t bit = UINT64_C(1) << i;
		struct notice_date date = notice_date_find(person, c.rule, course->now);
		struct rule_past past;
		struct rule_ways ways;

		c.past = notice_past_of_rule(person, c.rule->index);
		c.date = date.time;
		c.exempted = date.exempted;
		past = past_of_date(&c);
		ways = notice_look_at_ways(person, c.rule, &past, date.ending, course->now,
					   open_ways);
		c.first_open = ways.first_open;
		c.last_open = ways.last_open;
		if (c.past.told != SCHEDULE_ALWAYS)
			plan->fixed |= bit;
		open->all_is_well = open->all_is_well && !is_not_well(&c, &ways);
		if (ways.last_open == SCHEDULE_ALWAYS)
			continue;
		note_to_tell(&c, plan);
		open->course.next_news = MIN(open->course.next_news, notice_next_news(&c));
		if (notice_is_told_of(&c))
			add_open_rule(open, &c, plan);
	}
}

/* ---- why to write ---- */

/* The higher the more pressing. */
static unsigned int urgency(enum notice_reason reason)
{
	static const unsigned int urgencies[NOTICE_REASON_COUNT] = {
		[NOTICE_REMINDER] = 1, [NOTICE_FIRST] = 2,    [NOTICE_LAST_CALL] = 3,
		[NOTICE_MOVED] = 4,    [NOTICE_BROWNOUT] = 5, [NOTICE_REFUSED] = 6,
	};

	return urgencies[reason];
}

static void find_reason(struct open_rules *open, struct notice_plan *plan)
{
	struct notice_course *course = &open->course;
	enum notice_reason reason;

	course->warnings = notice_past_warnings(course->person, plan->rules);
	plan->warnings = course->warnings;
	plan->heard_enough = notice_heard_enough(course);
	for (size_t i = 0; i < open->count; i++)
		course->next_call = MIN(course->next_call, notice_next_call(&open->cases[i]));
	for (size_t i = 0; i < open->count; i++) {
		if (!notice_is_due(&open->cases[i], &reason))
			continue;
		if (!plan->due || urgency(reason) > urgency(plan->reason))
			plan->reason = reason;
		plan->due = true;
	}
	/* What it says of dates is new. */
	if (plan->due && plan->moved != 0 && urgency(plan->reason) < urgency(NOTICE_MOVED))
		plan->reason = NOTICE_MOVED;
}

/* ---- good news ---- */

/* Good news is no use to those who came home from abroad. */
static bool is_about_settings(const struct policy *policy, uint64_t rules)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		enum kind kind = policy->rules[i].kind;

		if ((rules >> i & 1) != 0 && kind != KIND_COUNTRY && kind != KIND_RELAY)
			return true;
	}
	return false;
}

/* Nor to those who heard the matter often, and whose programs work although all of it is in
   force. */
static bool is_news(const struct notice_course *course, uint64_t fixed)
{
	for (size_t i = 0; i < course->policy->rule_count; i++) {
		if ((fixed >> i & 1) != 0 &&
		    course->policy->rules[i].schedule.enforce > course->now)
			return true;
	}
	return notice_past_warnings(course->person, fixed) < NOTICE_WARNINGS_MAX;
}

static void find_good_news(const struct open_rules *open, struct notice_plan *plan)
{
	const struct policy *policy = open->course.policy;

	if (!open->all_is_well || plan->rules != 0)
		plan->fixed = 0;
	if (plan->fixed != 0 && policy->notices.confirm_fixed &&
	    is_about_settings(policy, plan->fixed) && is_news(&open->course, plan->fixed)) {
		plan->due = true;
		plan->reason = NOTICE_FIXED;
	}
}

/* ---- why not now ---- */

/* Whether the person got as many mails as anybody shall, and this one is nothing new. */
static bool is_too_much(const struct notice_course *course, const struct notice_plan *plan)
{
	return course->mails >= NOTICE_MAILS_MAX && plan->untold == 0 &&
	       plan->reason != NOTICE_MOVED && plan->reason != NOTICE_BROWNOUT;
}

/* A mail that was not taken is tried again twice, and then after pauses: of an hour, and each
   twice as long as the one before. None lets a date or a brown-out come near. */
static time_t next_attempt(const struct notice_person *person, const struct notice_plan *plan)
{
	time_t pause = plan->reason == NOTICE_BROWNOUT ? SECONDS_A_DAY / 2
						       : NOTICE_PAUSE_DAYS * SECONDS_A_DAY;

	if (person->attempts < NOTICE_FAILURES_MAX)
		return person->attempted;
	if (person->attempts < NOTICE_FAILURES_MAX + 8)
		pause = MIN(pause, (time_t)3600 << (person->attempts - NOTICE_FAILURES_MAX));
	if (plan->first_date > person->attempted && plan->first_date != SCHEDULE_NEVER)
		pause = MIN(pause, (plan->first_date - person->attempted) / 4);
	return person->attempted + pause;
}

/* Not of what a clock that went wrong has tried. */
static void wait_for_mailbox(const struct notice_person *person, time_t now,
			     struct notice_plan *plan)
{
	plan->next_attempt = next_attempt(person, plan);
	plan->waits = person->attempts > 0 && plan->next_attempt > now && person->attempted <= now;
	if (plan->waits)
		plan->due = false;
}

/* ---- the whole ---- */

void notice_plan(const struct policy *policy, const struct notice_person *person, time_t now,
		 uint64_t *open_r, struct notice_plan *plan_r)
{
	/* The cases are many, and mostly none is used. */
	struct open_rules open;

	open.course = (struct notice_course){.policy = policy,
					     .person = person,
					     .open = open_r,
					     .now = now,
					     .next_call = SCHEDULE_NEVER,
					     .next_news = SCHEDULE_NEVER};
	open.count = 0;
	open.all_is_well = true;
	*plan_r = (struct notice_plan){.first_date = SCHEDULE_NEVER,
				       .to_tell_from = SCHEDULE_NEVER,
				       .to_tell_by = SCHEDULE_NEVER,
				       .first_open = SCHEDULE_NEVER};
	open.course.last_mail = notice_past_last_mail(person);
	open.course.last_warning = notice_past_last_warning(person);
	open.course.mails = notice_past_mails(person, now - NOTICE_MAILS_DAYS * SECONDS_A_DAY);
	open.course.out_of_reach = notice_past_is_out_of_reach(person);
	for (size_t i = 0; i < person->way_count; i++)
		open_r[i] = 0;
	look_at_rules(&open, open_r, plan_r);
	find_reason(&open, plan_r);
	find_good_news(&open, plan_r);
	if (plan_r->due && is_too_much(&open.course, plan_r))
		plan_r->due = false;
	if (plan_r->due)
		wait_for_mailbox(person, now, plan_r);
}

uint64_t notice_plan_told(const struct notice_plan *plan)
{
	return plan->due && plan->reason == NOTICE_FIXED ? plan->fixed : plan->rules;
}

bool notice_is_untold(const struct notice_plan *plan)
{
	return (plan->failed | plan->late) != 0;
}

bool notice_needs_call(const struct notice_plan *plan)
{
	return plan->rules != 0 && plan->warnings > 0 && plan->heard_enough;
}
