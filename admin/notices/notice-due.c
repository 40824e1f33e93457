#include "notice-due.h"

#include <glib.h>

#include "admin/exemptions/own-date.h"

/* So long a reminder waits for news at most. */
#define NEWS_DAYS 28

/* So old a mail is as good as the last call to who has heard enough. */
#define ENOUGH_DAYS 14

/* A refusal so soon after a mail that announced it is none of its own. */
#define FRESH_DAYS 4

/* Whether a moment is so long after another one, which may be SCHEDULE_ALWAYS. */
static bool is_past(time_t moment, time_t since, time_t length)
{
	return since == SCHEDULE_ALWAYS || moment - since >= length;
}

/* ---- dates ---- */

time_t notice_call_begin(time_t date, time_t before)
{
	return date - before - SECONDS_A_DAY;
}

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

static time_t longest_call(const struct notice_settings *settings)
{
	return settings->last_call_count == 0 ? 0 : settings->last_calls[0];
}

time_t notice_lead_begin(const struct notice_settings *settings, time_t end)
{
	return notice_call_begin(end,
				 MAX(longest_call(settings), NOTICE_LEAD_DAYS * SECONDS_A_DAY));
}

void notice_way_let_off(struct notice_way *way, const struct policy *policy,
			const struct exemption *exemptions, size_t count, time_t now)
{
	way->allowed = way->ending = 0;
	for (size_t i = 0; i < policy->rule_count && count > 0; i++) {
		const struct rule *rule = &policy->rules[i];
		uint64_t bit = way->broken & UINT64_C(1) << i;
		bool dated = rule->schedule.enforce != SCHEDULE_NEVER;
		time_t moment = dated ? MAX(rule->schedule.enforce, now) : now;
		time_t end = exemptions_end(exemptions, count, rule, &way->country, moment);

		if (end == exemptions_end(exemptions, count, rule, NULL, moment))
			continue;
		if (dated && now >= notice_lead_begin(&policy->notices, end))
			way->ending |= bit;
		else
			way->allowed |= bit;
	}
}

/* When the person was told of the date that holds now. */
static time_t told_of_date(const struct rule_case *c)
{
	return c->past.date == 0 || c->past.date == c->date ? c->past.told : SCHEDULE_ALWAYS;
}

/* Another mail to who changes nothing is of no use, nor one more of many to who changes one
   thing after another. */
bool notice_heard_enough(const struct notice_course *course)
{
	return course->warnings >= NOTICE_WARNINGS_MAX || course->mails > NOTICE_WARNINGS_MAX;
}

bool notice_date_moved(const struct rule_case *c)
{
	time_t told = c->past.date;
	/* As it does for who was let off until after the rule's date. */
	bool has_come = c->course->now >= c->date && c->course->now >= told;

	return told != 0 && told != SCHEDULE_NEVER && told != c->date && !has_come &&
	       !(c->exempted && c->date > told);
}

/* An earlier date cannot wait. A later one is told with the mail that goes anyway, or in
   time before the old one. */
static bool move_is_due(const struct rule_case *c)
{
	return notice_date_moved(c) &&
	       (c->date < c->past.date ||
		c->course->now >=
			notice_call_begin(c->past.date, NOTICE_LEAD_DAYS * SECONDS_A_DAY));
}

/* ---- last calls and brown-outs ---- */

static bool exempted_from_brownout(const struct rule_case *c, const struct brownout *brownout)
{
	const struct notice_person *person = c->course->person;

	return exemptions_end(person->exemptions, person->exemption_count, c->rule, NULL,
			      brownout->begin) != brownout->begin;
}

/* The mail that announces one tells of all others of its day. */
static bool is_announced(const struct rule_case *c, const struct brownout *brownout)
{
	time_t told = c->past.told_of_brownout;
	struct brownout before;

	if (told < date_midnight(brownout->begin, -NOTICE_BROWNOUT_DAYS))
		return false;
	before = notice_next_brownout(c->rule, told);
	return date_midnight(before.begin, 0) == date_midnight(brownout->begin, 0);
}

static bool brownout_is_due(const struct rule_case *c)
{
	time_t now = c->course->now;
	struct brownout next = notice_next_brownout(c->rule, now);
	time_t announce = next.begin - NOTICE_BROWNOUT_DAYS * SECONDS_A_DAY;

	return next.end != 0 && now >= announce && now < next.begin && !is_announced(c, &next) &&
	       !exempted_from_brownout(c, &next);
}

/* Any mail says the date, so one that is hardly older is as good; for who has heard enough, one
   of two weeks. */
static bool call_is_due(const struct rule_case *c, time_t before)
{
	time_t begin = notice_call_begin(c->date, before);
	time_t as_good = notice_heard_enough(c->course)
				 ? ENOUGH_DAYS * SECONDS_A_DAY
				 : MIN(before, NOTICE_MERGED_DAYS * SECONDS_A_DAY);

	return c->course->now >= begin && c->past.tried < begin &&
	       told_of_date(c) < begin - as_good;
}

/* Who has heard enough hears the last one only. */
static size_t first_call(const struct notice_course *course)
{
	size_t count = course->policy->notices.last_call_count;

	return count > 0 && notice_heard_enough(course) ? count - 1 : 0;
}

static bool last_call_is_due(const struct rule_case *c)
{
	const struct notice_settings *settings = &c->course->policy->notices;

	if (c->date == SCHEDULE_NEVER)
		return false;
	for (size_t i = first_call(c->course); i < settings->last_call_count; i++) {
		if (call_is_due(c, settings->last_calls[i]))
			return true;
	}
	return false;
}

/* Who was let off, or told that there is no date yet, hears of it in good time. */
static bool lead_is_due(const struct rule_case *c)
{
	return c->date != SCHEDULE_NEVER && (c->exempted || c->past.date == SCHEDULE_NEVER) &&
	       call_is_due(c, NOTICE_LEAD_DAYS * SECONDS_A_DAY);
}

time_t notice_next_call(const struct rule_case *c)
{
	const struct notice_settings *settings = &c->course->policy->notices;
	time_t next = SCHEDULE_NEVER;

	if (c->date == SCHEDULE_NEVER)
		return SCHEDULE_NEVER;
	for (size_t i = first_call(c->course); i < settings->last_call_count; i++) {
		time_t begin = notice_call_begin(c->date, settings->last_calls[i]);

		if (begin > c->course->now)
			next = MIN(next, begin);
	}
	return next;
}

time_t notice_next_news(const struct rule_case *c)
{
	time_t now = c->course->now, notify = c->rule->schedule.notify;
	struct brownout brownout = notice_next_brownout(c->rule, now);
	time_t announce = brownout.begin - NOTICE_BROWNOUT_DAYS * SECONDS_A_DAY;

	if (notify > now)
		return c->exempted ? SCHEDULE_NEVER : notify;
	if (brownout.end == 0 || announce <= now || exempted_from_brownout(c, &brownout))
		return SCHEDULE_NEVER;
	return announce;
}

/* ---- what nothing urges ---- */

/* Whether so much time is left at a moment. */
static bool leaves(const struct rule_case *c, time_t moment, time_t time)
{
	return c->date == SCHEDULE_NEVER || c->date - moment >= time;
}

/* Whether a moment comes within a time from now, or hardly later. */
static bool is_near(const struct notice_course *course, time_t moment, time_t time)
{
	return moment != SCHEDULE_NEVER &&
	       moment - course->now < time + NOTICE_MERGED_DAYS * SECONDS_A_DAY;
}

/* Whether a mail that goes anyway, before it is too late, will tell of it. */
static bool can_wait(const struct rule_case *c)
{
	const struct notice_course *course = c->course;
	const struct notice_settings *settings = &course->policy->notices;
	time_t call = longest_call(settings) + SECONDS_A_DAY;

	if (course->last_mail == SCHEDULE_ALWAYS)
		return false;
	if (!is_past(course->now, course->last_warning, settings->remind_every) &&
	    leaves(c, course->last_warning + settings->remind_every,
		   NOTICE_LEAD_DAYS * SECONDS_A_DAY))
		return true;
	if (!is_past(course->now, course->last_mail, NOTICE_MERGED_DAYS * SECONDS_A_DAY) &&
	    leaves(c, course->last_mail + NOTICE_MERGED_DAYS * SECONDS_A_DAY, call))
		return true;
	return (is_near(course, course->next_call, 0) && leaves(c, course->next_call, call)) ||
	       (is_near(course, course->next_news, 0) && leaves(c, course->next_news, call));
}

static bool first_is_due(const struct rule_case *c)
{
	time_t interval = c->course->policy->notices.remind_every;

	if (c->past.told != SCHEDULE_ALWAYS || c->course->out_of_reach)
		return false;
	/* It was refused; or fixed, without a word, and has come back. */
	if (c->past.tried != SCHEDULE_ALWAYS)
		return interval > 0 && c->course->now - c->past.tried >= interval;
	return !can_wait(c);
}

/* Each time twice as long after the last mail; but none where there will be news in the same
   time, or in a month, or a last call in two days. */
static bool reminder_is_due(const struct rule_case *c)
{
	const struct notice_course *course = c->course;
	time_t interval = course->policy->notices.remind_every;

	if (c->past.told == SCHEDULE_ALWAYS || course->out_of_reach || interval == 0 ||
	    notice_heard_enough(course) || c->last_open <= c->past.tried)
		return false;
	interval <<= course->warnings - 1;
	return course->now - course->last_mail >= interval &&
	       !is_near(course, course->next_call, 0) &&
	       !is_near(course, course->next_news, MIN(interval, NEWS_DAYS * SECONDS_A_DAY));
}

/* ---- refusals ---- */

/* Whether the refusal is what a mail announced just before. */
static bool is_foreseen(const struct rule_case *c, const struct notice_way *way)
{
	time_t refused = MAX(way->first_seen, c->date);

	time_t fresh =
		notice_heard_enough(c->course) ? ENOUGH_DAYS + NOTICE_MERGED_DAYS : FRESH_DAYS;

	return !is_past(refused, told_of_date(c), fresh * SECONDS_A_DAY);
}

static bool refusal_is_due(const struct rule_case *c)
{
	const struct notice_person *person = c->course->person;

	if (c->past.told_of_refusal != SCHEDULE_ALWAYS &&
	    c->past.told_of_refusal >= c->rule->schedule.enforce)
		return false;
	for (size_t i = 0; i < person->way_count; i++) {
		const struct notice_way *way = &person->ways[i];

		if (((c->course->open[i] & way->refused) >> c->rule->index & 1) != 0 &&
		    !is_foreseen(c, way))
			return true;
	}
	return false;
}

/* ---- the whole ---- */

bool notice_is_told_of(const struct rule_case *c)
{
	const struct schedule *schedule = &c->rule->schedule;
	time_t now = c->course->now;

	/* An exemption that begins at the date is none in a brown-out before it. */
	if (c->exempted)
		return brownout_is_due(c) ||
		       now >= notice_lead_begin(&c->course->policy->notices, c->date);
	return now >= schedule->notify || now >= schedule->enforce || notice_date_moved(c);
}

static bool find_reason(const struct rule_case *c, enum notice_reason *reason_r)
{
	if (brownout_is_due(c))
		*reason_r = NOTICE_BROWNOUT;
	else if (move_is_due(c))
		*reason_r = NOTICE_MOVED;
	else if (last_call_is_due(c))
		*reason_r = NOTICE_LAST_CALL;
	else if (lead_is_due(c))
		*reason_r = c->past.told == SCHEDULE_ALWAYS ? NOTICE_FIRST : NOTICE_LAST_CALL;
	else if (!c->exempted && first_is_due(c))
		*reason_r = NOTICE_FIRST;
	else if (!c->exempted && reminder_is_due(c))
		*reason_r = NOTICE_REMINDER;
	else
		return false;
	return true;
}

bool notice_is_due(const struct rule_case *c, enum notice_reason *reason_r)
{
	time_t now = c->course->now;

	/* Of a rule that is only observed again there is nothing else to say. */
	if (!c->exempted && now < c->rule->schedule.notify && now < c->date) {
		*reason_r = NOTICE_MOVED;
		return move_is_due(c);
	}
	if (now < c->date)
		return find_reason(c, reason_r);
	if (refusal_is_due(c)) {
		*reason_r = NOTICE_REFUSED;
		return true;
	}
	/* Seen just before the date, or left over by the limits. */
	*reason_r = NOTICE_FIRST;
	return c->rule->schedule.notify < c->date && c->first_open < c->date && first_is_due(c);
}
