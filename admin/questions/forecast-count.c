#include "forecast-count.h"

#include "admin/store/rule-titles.h"
#include "admin/store/store-notices.h"
#include "admin/store/store-week.h"
#include "admin/sightings/suspect-habits.h"
#include "forecast-weigh.h"
#include "person-buffer.h"

struct counting {
	struct forecast *forecast;
	const struct sighting_judge *judge;
	int64_t now, since, week;
	bool only_since;                  /* what was not used since does not count */
	struct rule_histories *histories; /* NULL: none are counted */
	uint64_t enforced;                /* rules */
	uint64_t known, untold;           /* likewise: of what the records tell, or do not */
	bool *suspects;                   /* habits; NULL: everybody is counted one by one */
	struct affected_people people;
	struct store *store;
	const struct forecast_company *company; /* NULL: nobody else wants what is read */
	struct person_buffer buffer;            /* with company */
	bool failed;

	/* Of the user whose sightings come. */
	int64_t user_id;
	struct affected_person person;
	uint64_t good_weeks, bad_weeks;
};

/* ---- what is read ---- */

static void count_weeks(struct counting *counting)
{
	uint64_t active = counting->good_weeks | counting->bad_weeks;

	for (unsigned int i = 0; i < FORECAST_WEEKS; i++) {
		if (counting->suspects == NULL)
			counting->forecast->weeks[i].active_users += active >> i & 1;
		counting->forecast->weeks[i].affected += counting->bad_weeks >> i & 1;
	}
}

static void end_user(struct counting *counting)
{
	const struct affected_person *person = &counting->person;

	count_weeks(counting);
	if (counting->suspects == NULL)
		counting->forecast->active_users += person->active;
	counting->forecast->told += person->active && person->told;
	affected_people_end(&counting->people, *person);
}

static bool add_told(void *context, const struct store_notice *notice)
{
	struct counting *counting = context;
	const struct sighting_judge *judge = counting->judge;

	counting->person.told |=
		notice->state == NOTICE_HANDED_OVER && notice->reason != NOTICE_FIXED &&
		!store_notice_is_ahead(notice, counting->now) &&
		(rule_titles_parse(judge->edition.policy, notice->rules) & judge->considered) != 0;
	return true;
}

static void begin_user(struct counting *counting, int64_t user_id, const char *user)
{
	counting->user_id = user_id;
	counting->person = (struct affected_person){0};
	counting->good_weeks = counting->bad_weeks = 0;
	affected_people_begin(&counting->people);
	if (user_id != STORE_NOBODY && counting->histories == NULL &&
	    !store_each_notice(counting->store, user, add_told, counting))
		counting->failed = true;
}

static bool count(void *context, const struct store_sighting *sighting)
{
	struct counting *counting = context;
	bool lately = sighting->last_seen >= counting->since;
	struct sighting_verdict verdict;
	uint64_t weeks;

	if (!sighting_is_somebodys(sighting))
		return true;
	if (sighting->user_id != counting->user_id) {
		end_user(counting);
		begin_user(counting, sighting->user_id, sighting->user);
	}
	if (counting->histories != NULL)
		rule_histories_add(counting->histories, sighting);
	verdict = sighting_judge_ask(counting->judge, sighting);
	counting->known |= verdict.broken | verdict.kept | verdict.exempt;
	counting->untold |= verdict.untold;
	weeks = seen_weeks(sighting, counting->week);
	*(verdict.rejecting == 0 ? &counting->good_weeks : &counting->bad_weeks) |= weeks;
	counting->person.active |= lately;
	counting->person.good |= lately && verdict.rejecting == 0;
	counting->person.rejected |= verdict.rejecting != 0;
	if (lately || !counting->only_since)
		affected_people_add(&counting->people, sighting, &verdict);
	return !counting->failed;
}

/* ---- in company ---- */

/* Others want people, too, who never broke a rule: that is known when all of somebody has come. */
static void count_buffered(struct counting *counting)
{
	if (person_buffer_is_offender(&counting->buffer))
		person_buffer_each(&counting->buffer, count, counting);
	person_buffer_clear(&counting->buffer);
}

static bool count_in_company(void *context, const struct store_sighting *sighting)
{
	struct counting *counting = context;

	if (person_buffer_ends_with(&counting->buffer, sighting->user_id))
		count_buffered(counting);
	person_buffer_add(&counting->buffer, sighting);
	counting->company->visit(counting->company->context, sighting);
	return !counting->failed;
}

static bool read_in_company(struct counting *counting, struct store *store)
{
	bool read;

	person_buffer_init(&counting->buffer);
	read = store_each_sighting(store, counting->company->filter, count_in_company, counting);
	count_buffered(counting);
	person_buffer_free(&counting->buffer);
	return read;
}

/* ---- the whole ---- */

static void note_rules(struct counting *counting)
{
	const struct sighting_judge *judge = counting->judge;
	struct forecast *forecast = counting->forecast;

	for (size_t i = 0; i < judge->edition.policy->rule_count; i++) {
		forecast->rules[i].considered = (judge->considered >> i & 1) != 0;
		forecast->rules[i].phase = schedule_phase(&judge->rules[i].schedule, judge->at);
		if (forecast->rules[i].phase == PHASE_ENFORCE)
			counting->enforced |= UINT64_C(1) << i;
	}
}

/* Of who can only be active, it is enough to know how many they are; but that a record does not
   tell something is known of the records alone. */
static bool count_activity(struct counting *counting, struct store *store)
{
	struct forecast *forecast = counting->forecast;
	struct store_activity activity;

	if (counting->suspects == NULL)
		return true;
	if (!store_count_activity(store, counting->since, counting->week, &activity))
		return false;
	forecast->active_users = (double)activity.lately;
	for (unsigned int i = 0; i < FORECAST_WEEKS; i++)
		forecast->weeks[i].active_users = activity.weeks[i];
	return true;
}

static void find_suspects(struct counting *counting, const struct store *store)
{
	uint64_t untold;

	if (counting->histories != NULL)
		return;
	counting->suspects = suspect_habits_find(counting->judge, store, &untold);
	if (untold != 0)
		g_clear_pointer(&counting->suspects, g_free);
}

static bool read_all(struct counting *counting, struct store *store)
{
	struct store_filter filter = {.verified = true, .names = true};
	struct forecast *forecast = counting->forecast;
	int64_t first;

	find_suspects(counting, store);
	filter.offenders = counting->histories != NULL || counting->suspects != NULL;
	filter.habits = counting->suspects;
	filter.told = counting->suspects != NULL;
	begin_user(counting, STORE_NOBODY, "");
	if (!rule_history_first_record(store, forecast->reference, &first) ||
	    !count_activity(counting, store) ||
	    !(counting->company != NULL ? read_in_company(counting, store)
					: store_each_sighting(store, &filter, count, counting)) ||
	    counting->failed)
		return false;
	end_user(counting);
	for (size_t i = 0; i < RULES_MAX; i++)
		forecast->rules[i].untold = (counting->untold & ~counting->known) >> i & 1;
	forecast->days_recorded = (forecast->reference - first) / MILLISECONDS_A_DAY + 1;
	return true;
}

static bool count_people(struct forecast *forecast_r, struct store *store,
			 const struct sighting_judge *judge, int64_t now, int64_t reference,
			 time_t since, struct rule_histories *histories,
			 const struct forecast_company *company)
{
	struct counting counting = {.forecast = forecast_r,
				    .judge = judge,
				    .now = now,
				    .since = inquiry_since(since, reference),
				    .only_since = since != SCHEDULE_NEVER,
				    .week = store_week(reference),
				    .histories = histories,
				    .store = store,
				    .company = company};
	bool answered;

	*forecast_r = (struct forecast){.at = judge->at,
					.reference = reference,
					.since = counting.since,
					.groups = forecast_groups_create(store)};
	note_rules(&counting);
	answered =
		affected_people_init(&counting.people, judge->edition.policy, store, reference) &&
		read_all(&counting, store);
	if (answered) {
		forecast_weigh(forecast_r, &counting.people, counting.enforced);
		forecast_groups_sort(&forecast_r->groups);
	}
	affected_people_clear(&counting.people);
	g_free(counting.suspects);
	return answered;
}

bool forecast_count(struct forecast *forecast_r, struct store *store,
		    const struct sighting_judge *judge, int64_t now, int64_t reference,
		    time_t since, struct rule_histories *histories)
{
	return count_people(forecast_r, store, judge, now, reference, since, histories, NULL);
}

bool forecast_ask(struct forecast *forecast_r, const struct inquiry *inquiry,
		  const struct rule *rule, time_t at, time_t since)
{
	const struct edition edition = loaded_edition(&inquiry->loaded);
	time_t moment = at == 0 ? time(NULL) : at;
	struct sighting_judge judge;
	int64_t reference;

	*forecast_r = (struct forecast){0};
	if (!inquiry_reference(inquiry, &reference))
		return false;
	sighting_judge_init(&judge, &edition, moment, at == 0);
	if (rule != NULL)
		judge.considered = UINT64_C(1) << rule->index;
	if (!forecast_count(forecast_r, inquiry->store, &judge, (int64_t)time(NULL) * 1000,
			    reference, since, NULL))
		return false;
	if (at != 0 || !forecast_r->course_known)
		forecast_r->course_count = 0;
	return true;
}

bool forecast_offenders(struct forecast *forecast_r, struct rule_history histories_r[RULES_MAX],
			const struct inquiry *inquiry, int64_t now,
			const struct forecast_company *company)
{
	const struct edition edition = loaded_edition(&inquiry->loaded);
	struct rule_histories *histories;
	struct sighting_judge judge;
	int64_t reference;
	bool counted;

	*forecast_r = (struct forecast){0};
	if (!inquiry_store_reference(inquiry->store, now, &reference))
		return false;
	histories = rule_histories_begin(inquiry->store, edition.policy, now);
	sighting_judge_init(&judge, &edition, (time_t)(now / 1000), true);
	counted = count_people(forecast_r, inquiry->store, &judge, now, reference, SCHEDULE_NEVER,
			       histories, company);
	rule_histories_end(histories, histories_r);
	return counted;
}

bool forecast_open(struct forecast *forecast_r, struct store *store, const struct edition *edition,
		   time_t now)
{
	const struct policy *policy = edition->policy;
	int64_t moment = (int64_t)now * 1000, reference;
	struct sighting_judge judge;

	*forecast_r = (struct forecast){0};
	sighting_judge_init(&judge, edition, now, true);
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct schedule *schedule = &policy->rules[i].schedule;

		if (now < schedule->notify && now < schedule->enforce)
			judge.considered &= ~(UINT64_C(1) << i);
	}
	return inquiry_store_reference(store, moment, &reference) &&
	       forecast_count(forecast_r, store, &judge, moment, reference, SCHEDULE_NEVER, NULL);
}

uint64_t forecast_people(double expected)
{
	return (uint64_t)(expected + 0.5);
}

void forecast_free(struct forecast *forecast)
{
	forecast_groups_free(&forecast->groups);
}
