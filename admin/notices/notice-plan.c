#include "notice-plan.h"

#include "admin/exemptions/own-date.h"

#define DAY ((time_t)86400)

/* What is past for one rule. SCHEDULE_ALWAYS: never. */
struct rule_past {
	time_t fixed;
	/* Since it was fixed: */
	time_t tried; /* handed over, or refused for good */
	time_t told;  /* handed over */
	time_t told_of_refusal;
	time_t told_of_brownout;
	bool told_before; /* before it was fixed, which nobody said */
};

static time_t later(time_t a, time_t b)
{
	return a > b ? a : b;
}

static struct rule_past find_past(const struct notice_person *person, uint64_t bit)
{
	struct rule_past past = {SCHEDULE_ALWAYS, SCHEDULE_ALWAYS, SCHEDULE_ALWAYS,
				 SCHEDULE_ALWAYS, SCHEDULE_ALWAYS, false};

	for (size_t i = 0; i < person->past_count; i++) {
		const struct notice_past *notice = &person->past[i];

		if ((notice->rules & bit) == 0 || notice->state == NOTICE_INTENDED)
			continue;
		if (notice->reason == NOTICE_FIXED) {
			past = (struct rule_past){
				notice->time,    SCHEDULE_ALWAYS,
				SCHEDULE_ALWAYS, SCHEDULE_ALWAYS,
				SCHEDULE_ALWAYS, notice->state != NOTICE_HANDED_OVER};
			continue;
		}
		past.tried = notice->time;
		if (notice->state == NOTICE_HANDED_OVER)
			past.told = notice->time;
		if (notice->reason == NOTICE_REFUSED)
			past.told_of_refusal = notice->time;
		if (notice->reason == NOTICE_BROWNOUT)
			past.told_of_brownout = notice->time;
	}
	return past;
}

/* When the person was last written to, or that was tried. */
static time_t last_mail(const struct notice_person *person)
{
	time_t last = SCHEDULE_ALWAYS;

	for (size_t i = 0; i < person->past_count; i++) {
		const struct notice_past *notice = &person->past[i];

		if (notice->state != NOTICE_INTENDED && notice->state != NOTICE_NOTED)
			last = later(last, notice->time);
	}
	return last;
}

/* Whether the last mails all failed. */
static bool is_out_of_reach(const struct notice_person *person)
{
	unsigned int failures = 0;

	for (size_t i = 0; i < person->past_count; i++) {
		if (person->past[i].state == NOTICE_FAILED)
			failures++;
		else if (person->past[i].state == NOTICE_HANDED_OVER)
			failures = 0;
	}
	return failures >= NOTICE_FAILURES_MAX;
}

/* ---- fixed or not ---- */

enum notice_purpose notice_purpose_of(enum service service)
{
	switch (service) {
	case SERVICE_IMAP:
	case SERVICE_POP3:
		return PURPOSE_READ;
	case SERVICE_SIEVE:
		return PURPOSE_FILTER;
	default:
		return PURPOSE_SEND;
	}
}

/* Whether the person came by another way that keeps the rule, instead of this one,
   which was not used since: for so long, where it was the same device, and for so
   long where it was another. */
static bool is_fixed(const struct notice_person *person, const struct notice_way *way, uint64_t bit,
		     time_t now, time_t same_device, time_t other_device)
{
	time_t unused = now - way->last_seen;

	for (size_t i = 0; i < person->way_count; i++) {
		const struct notice_way *other = &person->ways[i];

		if ((other->broken & ~other->allowed & bit) != 0 ||
		    other->last_seen <= way->last_seen)
			continue;
		if (other->device == way->device && other->first_seen > way->last_seen &&
		    unused >= same_device)
			return true;
		if (notice_purpose_of(other->service) == notice_purpose_of(way->service) &&
		    unused >= other_device)
			return true;
	}
	return false;
}

struct rule_ways {
	time_t last_open; /* SCHEDULE_ALWAYS: none is */
	bool settled;     /* all are fixed, and have been for a while */
};

/* Adds the rule to the ways that are open for it. */
static struct rule_ways look_at_ways(const struct notice_person *person, uint64_t bit, time_t fixed,
				     time_t now, uint64_t *open)
{
	struct rule_ways found = {SCHEDULE_ALWAYS, true};

	for (size_t i = 0; i < person->way_count; i++) {
		const struct notice_way *way = &person->ways[i];

		if ((way->broken & ~way->allowed & bit) == 0 || way->last_seen <= fixed)
			continue;
		if (!is_fixed(person, way, bit, now, 0, NOTICE_QUIET_DAYS * DAY)) {
			open[i] |= bit;
			found.last_open = later(found.last_open, way->last_seen);
		}
		if (!is_fixed(person, way, bit, now, NOTICE_QUIET_DAYS * DAY,
			      NOTICE_SETTLED_DAYS * DAY))
			found.settled = false;
	}
	return found;
}

/* ---- dates ---- */

struct brownout notice_next_brownout(const struct rule *rule, time_t now)
{
	const struct schedule *schedule = &rule->schedule;
	struct brownout next = {0, 0};

	for (size_t i = 0; i < schedule->brownout_count; i++) {
		const struct brownout *brownout = &schedule->brownouts[i];

		/* In another phase it has no effect. */
		if (brownout->begin < schedule->notify || brownout->begin >= schedule->enforce ||
		    brownout->end <= now)
			continue;
		if (next.end == 0 || brownout->begin < next.begin)
			next = *brownout;
	}
	return next;
}

/* ---- what is due for one rule ---- */

struct rule_case {
	const struct policy *policy;
	const struct notice_person *person;
	const struct rule *rule;
	struct rule_past past;
	time_t now;
	time_t date; /* the person's own */
	bool exempted;
	struct rule_ways ways;
	const uint64_t *open; /* of each way */
	time_t last_mail;
	bool out_of_reach;
};

static bool refusal_is_due(const struct rule_case *c)
{
	uint64_t bit = UINT64_C(1) << c->rule->index;

	if (c->past.told_of_refusal != SCHEDULE_ALWAYS &&
	    c->past.told_of_refusal >= c->rule->schedule.enforce)
		return false;
	for (size_t i = 0; i < c->person->way_count; i++) {
		if ((c->open[i] & c->person->ways[i].refused & bit) != 0)
			return true;
	}
	return false;
}

static bool brownout_is_due(const struct rule_case *c)
{
	struct brownout next = notice_next_brownout(c->rule, c->now);
	time_t announce = next.begin - NOTICE_BROWNOUT_DAYS * DAY;

	return next.end != 0 && c->now >= announce && c->now < next.begin &&
	       c->past.told_of_brownout < announce &&
	       exemptions_end(c->person->exemptions, c->person->exemption_count, c->rule,
			      next.begin) == next.begin;
}

/* Any mail says the date, so one within the same time before it is as good. */
static bool last_call_is_due(const struct rule_case *c)
{
	const struct notice_settings *settings = &c->policy->notices;

	if (c->date == SCHEDULE_NEVER)
		return false;
	for (size_t i = 0; i < settings->last_call_count; i++) {
		time_t begin = c->date - settings->last_calls[i];

		if (c->now >= begin && c->past.tried < begin)
			return true;
	}
	return false;
}

/* Long enough ago for the next mail that nothing urges. */
static bool may_repeat(const struct rule_case *c, time_t last)
{
	time_t interval = c->policy->notices.remind_every;

	return last == SCHEDULE_ALWAYS || (interval > 0 && c->now - last >= interval);
}

static bool first_is_due(const struct rule_case *c)
{
	if (c->past.told != SCHEDULE_ALWAYS || c->out_of_reach)
		return false;
	/* It was refused; or fixed, without a word, and has come back. */
	if (c->past.tried != SCHEDULE_ALWAYS)
		return may_repeat(c, c->past.tried);
	return !c->past.told_before || c->policy->notices.remind_every == 0 ||
	       may_repeat(c, c->last_mail);
}

static bool reminder_is_due(const struct rule_case *c)
{
	return c->past.told != SCHEDULE_ALWAYS && !c->out_of_reach &&
	       c->ways.last_open > c->past.tried && may_repeat(c, c->last_mail);
}

/* Whether there is anything to say of an open rule today, be it due or not. */
static bool is_told_of(const struct rule_case *c)
{
	const struct notice_settings *settings = &c->policy->notices;
	const struct schedule *schedule = &c->rule->schedule;

	/* An exemption that begins at the date is none in a brown-out before it. */
	if (c->exempted)
		return brownout_is_due(c) || (settings->last_call_count > 0 &&
					      c->date - c->now <= settings->last_calls[0]);
	return c->now >= schedule->notify || c->now >= schedule->enforce;
}

static bool find_reason(const struct rule_case *c, enum notice_reason *reason_r)
{
	if (c->now >= c->date) {
		*reason_r = NOTICE_REFUSED;
		return refusal_is_due(c);
	}
	if (brownout_is_due(c))
		*reason_r = NOTICE_BROWNOUT;
	else if (last_call_is_due(c))
		*reason_r = NOTICE_LAST_CALL;
	else if (!c->exempted && first_is_due(c))
		*reason_r = NOTICE_FIRST;
	else if (!c->exempted && reminder_is_due(c))
		*reason_r = NOTICE_REMINDER;
	else
		return false;
	return true;
}

/* ---- the whole ---- */

/* The higher the more pressing. */
static unsigned int urgency(enum notice_reason reason)
{
	static const unsigned int urgencies[NOTICE_REASON_COUNT] = {
		[NOTICE_REMINDER] = 1, [NOTICE_FIRST] = 2,   [NOTICE_LAST_CALL] = 3,
		[NOTICE_BROWNOUT] = 4, [NOTICE_REFUSED] = 5,
	};

	return urgencies[reason];
}

static void add_open_rule(struct rule_case *c, struct notice_plan *plan)
{
	enum notice_reason reason;
	unsigned int index = c->rule->index;

	plan->rules |= UINT64_C(1) << index;
	plan->enforce[index] = c->date;
	if (c->date > c->now && c->date < plan->first_date)
		plan->first_date = c->date;
	if (c->exempted)
		plan->exempt_until = later(plan->exempt_until, c->date);
	if (!find_reason(c, &reason))
		return;
	if (!plan->due || urgency(reason) > urgency(plan->reason))
		plan->reason = reason;
	plan->due = true;
}

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

void notice_plan(const struct policy *policy, const struct notice_person *person, time_t now,
		 uint64_t *open_r, struct notice_plan *plan_r)
{
	struct rule_case c = {.policy = policy, .person = person, .now = now, .open = open_r};

	*plan_r = (struct notice_plan){.first_date = SCHEDULE_NEVER};
	c.last_mail = last_mail(person);
	c.out_of_reach = is_out_of_reach(person);
	for (size_t i = 0; i < person->way_count; i++)
		open_r[i] = 0;
	for (size_t i = 0; i < policy->rule_count; i++) {
		uint64_t bit = UINT64_C(1) << i;

		c.rule = &policy->rules[i];
		c.past = find_past(person, bit);
		c.ways = look_at_ways(person, bit, c.past.fixed, now, open_r);
		c.date = own_date(person->exemptions, person->exemption_count, c.rule, now,
				  &c.exempted);
		if (c.ways.settled && c.past.told != SCHEDULE_ALWAYS)
			plan_r->fixed |= bit;
		if (c.ways.last_open != SCHEDULE_ALWAYS && is_told_of(&c))
			add_open_rule(&c, plan_r);
	}
	if (plan_r->rules == 0 && plan_r->fixed != 0 && policy->notices.confirm_fixed &&
	    is_about_settings(policy, plan_r->fixed)) {
		plan_r->due = true;
		plan_r->reason = NOTICE_FIXED;
	}
}

uint64_t notice_plan_told(const struct notice_plan *plan)
{
	return plan->due && plan->reason == NOTICE_FIXED ? plan->fixed : plan->rules;
}
