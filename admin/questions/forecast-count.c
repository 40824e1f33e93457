#include "forecast-count.h"

#include <math.h>
#include <stdlib.h>

#include "admin/sightings/device-weight.h"
#include "admin/store/rule-titles.h"
#include "admin/store/store-notices.h"
#include "admin/store/store-week.h"
#include "rule-history.h"

/* How many times as many devices may be given up, or as few, as it seems. */
#define HASTE 2.0

/* So likely it is that who has given up one device has given up another that was used before,
   too: most change all that they have at once. */
#define TOGETHER 0.7

/* Nine times of ten, chance is not further off. */
#define DEVIATIONS 1.65

/* What else may be wrong, as a part of the whole. */
#define MARGIN 0.01

/* So long before its last use of any, a device still came in its other ways. */
#define WAY_DAYS 30

#define WEEK ((time_t)7 * 86400)

/* Who broke a rule at any time, and whose devices are to be weighed. */
struct affected {
	bool active, good; /* seen lately, and in a way that works */
	bool rejected;     /* would have been at any time */
	bool told;
	guint devices, ways; /* how many there are */
};

/* One of that person's devices, as to one rule that it broke. */
struct affected_device {
	struct device_rest rest;
	guint16 device; /* its number */
	uint8_t rule;
};

/* And one of the ways in which it did. */
struct affected_way {
	guint32 device, habit;
	int64_t last;
};

struct counting {
	struct forecast *forecast;
	const struct sighting_judge *judge;
	int64_t now, since, week;
	bool only_since;                  /* what was not used since does not count */
	struct rule_histories *histories; /* NULL: none are counted */
	uint64_t enforced;                /* rules */
	GHashTable *told;                 /* names */
	struct device_weights *weights;
	GArray *people;           /* of struct affected, */
	GArray *affected_devices; /* of struct affected_device: theirs, one after another, */
	GArray *affected_ways;    /* and of struct affected_way */
	double variance;
	/* For each date of the course, which part of those who break each rule will be left. */
	double left[RULES_MAX][RULES_MAX];

	/* Of the user whose sightings come. */
	int64_t user_id;
	bool active, good, rejected, is_told;
	uint64_t broken; /* rules, as far as they count */
	uint64_t good_weeks, bad_weeks;
	struct devices *devices;
	GArray *ways; /* of struct affected_way */
};

/* ---- what is read ---- */

static void count_weeks(struct counting *counting)
{
	uint64_t active = counting->good_weeks | counting->bad_weeks;

	for (unsigned int i = 0; i < FORECAST_WEEKS; i++) {
		counting->forecast->weeks[i].active_users += active >> i & 1;
		counting->forecast->weeks[i].affected += counting->bad_weeks >> i & 1;
	}
}

/* Whether people are told of the one sooner. */
static bool is_sooner(const struct rule *a, const struct rule *b)
{
	time_t told_a = MIN(a->schedule.notify, a->schedule.enforce);
	time_t told_b = MIN(b->schedule.notify, b->schedule.enforce);

	return told_a != told_b ? told_a < told_b : a->index < b->index;
}

/* Among the rests of one device, one for each rule, the index of the rule whose devices are
   given up as it is: of which people are told first, of those that it still breaks or, where
   it is repaired, broke. */
static guint find_like(const struct counting *counting, const struct affected_device *rests,
		       guint count)
{
	const struct rule *rules = counting->judge->edition.policy->rules;
	guint like = 0;

	for (guint i = 1; i < count; i++) {
		bool repaired = rests[i].rest.until_repaired > 0;
		bool like_repaired = rests[like].rest.until_repaired > 0;

		if (repaired == like_repaired
			    ? is_sooner(&rules[rests[i].rule], &rules[rests[like].rule])
			    : like_repaired)
			like = i;
	}
	return like;
}

static void add_device(struct counting *counting, guint number, struct affected *person)
{
	const struct rule *rules = counting->judge->edition.policy->rules;
	struct affected_device rests[RULES_MAX];
	guint count = 0, like;

	for (uint64_t left = counting->broken; left != 0; left &= left - 1) {
		const struct rule *rule = &rules[__builtin_ctzll(left)];
		struct device_record record =
			devices_record(counting->devices, number, UINT64_C(1) << rule->index);

		if (record.bad.last != 0)
			rests[count++] = (struct affected_device){
				.rest = device_rest_of(counting->weights, &record, rule),
				.device = (guint16)number,
				.rule = (uint8_t)rule->index,
			};
	}
	if (count == 0)
		return;
	like = find_like(counting, rests, count);
	device_weights_add(counting->weights, &rests[like].rest);
	for (guint i = 0; i < count; i++)
		rests[i].rest.rule = rests[like].rule;
	g_array_append_vals(counting->affected_devices, rests, count);
	person->devices += count;
}

static void add_devices(struct counting *counting, struct affected *person)
{
	for (guint i = 0; i < devices_count(counting->devices); i++)
		add_device(counting, i, person);
}

/* Those that a device has left long ago say nothing of how it comes. */
static void add_ways(struct counting *counting, struct affected *person)
{
	const struct affected_way *ways = (const struct affected_way *)counting->ways->data;

	for (guint i = 0; i < counting->ways->len; i++) {
		int64_t last = 0;

		for (guint j = 0; j < counting->ways->len; j++) {
			if (ways[j].device == ways[i].device)
				last = MAX(last, ways[j].last);
		}
		if (ways[i].last < last - WAY_DAYS * MILLISECONDS_A_DAY)
			continue;
		g_array_append_val(counting->affected_ways, ways[i]);
		person->ways++;
	}
}

static void end_user(struct counting *counting)
{
	struct forecast *forecast = counting->forecast;
	struct affected person = {
		.active = counting->active,
		.good = counting->good,
		.rejected = counting->rejected,
		.told = counting->is_told,
	};

	count_weeks(counting);
	forecast->active_users += person.active;
	forecast->told += person.active && person.told;
	if (counting->broken == 0 && !counting->rejected)
		return;
	add_devices(counting, &person);
	add_ways(counting, &person);
	g_array_append_val(counting->people, person);
}

static void begin_user(struct counting *counting, int64_t user_id, const char *user)
{
	counting->user_id = user_id;
	counting->is_told = g_hash_table_contains(counting->told, user);
	counting->active = counting->good = counting->rejected = false;
	counting->broken = counting->good_weeks = counting->bad_weeks = 0;
	devices_begin(counting->devices);
	g_array_set_size(counting->ways, 0);
}

static void add_sighting(struct counting *counting, const struct store_sighting *sighting,
			 const struct sighting_verdict *verdict)
{
	struct affected_way way = {
		.device = (guint32)devices_add(counting->devices, sighting, verdict->broken),
		.habit = (guint32)sighting->habit->index,
		.last = sighting->last_seen,
	};

	counting->broken |= verdict->broken;
	if (verdict->rejecting != 0)
		g_array_append_val(counting->ways, way);
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
	weeks = seen_weeks(sighting, counting->week);
	*(verdict.rejecting == 0 ? &counting->good_weeks : &counting->bad_weeks) |= weeks;
	counting->active |= lately;
	counting->good |= lately && verdict.rejecting == 0;
	counting->rejected |= verdict.rejecting != 0;
	if (lately || !counting->only_since)
		add_sighting(counting, sighting, &verdict);
	return true;
}

/* ---- notices ---- */

static bool add_told(void *context, const struct store_notice *notice)
{
	const struct counting *counting = context;
	const struct sighting_judge *judge = counting->judge;

	if (notice->state == NOTICE_HANDED_OVER && notice->reason != NOTICE_FIXED &&
	    !store_notice_is_ahead(notice, counting->now) &&
	    (rule_titles_parse(judge->edition.policy, notice->rules) & judge->considered) != 0)
		g_hash_table_add(counting->told, g_strdup(notice->user));
	return true;
}

/* ---- what is to be expected ---- */

/* As it seems, and if more are given up, or fewer. */
enum { SEEMS, SOON, LATE, HASTES };
static const double hastes[HASTES] = {[SEEMS] = 1, [SOON] = HASTE, [LATE] = 1 / HASTE};

/* One device, whatever it breaks. */
struct weighed_device {
	int32_t last_day;
	double weights[HASTES];
	double comes; /* as it seems, and is rejected */
};

/* Of the person who is being weighed. As likely it is that any device comes again as that the
   most likely one does. */
struct weighing {
	double comes[HASTES]; /* and is rejected */
	double by_rule[RULES_MAX];
	GArray *devices; /* of struct weighed_device, by number */
};

static void find_weights(const struct counting *counting, const struct affected_device *device,
			 double weights_r[HASTES])
{
	for (int i = 0; i < HASTES; i++)
		weights_r[i] = device_weight(counting->weights, &device->rest, hastes[i]);
}

static void weigh_alone(const struct counting *counting, const struct affected_device *device,
			GArray *devices)
{
	struct weighed_device *weighed;
	double weights[HASTES];

	find_weights(counting, device, weights);
	if (device->device >= devices->len)
		g_array_set_size(devices, device->device + 1U);
	weighed = &g_array_index(devices, struct weighed_device, device->device);
	weighed->last_day = MAX(weighed->last_day, device->rest.last_day);
	for (int i = 0; i < HASTES; i++)
		weighed->weights[i] = MAX(weighed->weights[i], weights[i]);
}

/* Who gives up one device gives up the others, too, in most cases. */
static double with_others(const GArray *devices, guint number, int haste)
{
	const struct weighed_device *all = (const struct weighed_device *)devices->data;
	double least = 1;

	for (guint i = 0; i < devices->len; i++) {
		if (all[i].last_day > all[number].last_day)
			least = MIN(least, all[i].weights[haste]);
	}
	return 1 - TOGETHER * (1 - least);
}

static void weigh_with_others(const struct counting *counting, const struct affected_device *device,
			      struct weighing *weighing)
{
	double weights[HASTES], *by_rule = &weighing->by_rule[device->rule];
	struct weighed_device *weighed =
		&g_array_index(weighing->devices, struct weighed_device, device->device);

	find_weights(counting, device, weights);
	for (int i = 0; i < HASTES; i++)
		weights[i] *= with_others(weighing->devices, device->device, i);
	*by_rule = MAX(*by_rule, weights[SEEMS]);
	if ((counting->enforced >> device->rule & 1) == 0)
		return;
	weighed->comes = MAX(weighed->comes, weights[SEEMS]);
	for (int i = 0; i < HASTES; i++)
		weighing->comes[i] = MAX(weighing->comes[i], weights[i]);
}

static void weigh_devices(const struct counting *counting, const struct affected_device *devices,
			  guint count, struct weighing *weighing)
{
	*weighing = (struct weighing){.devices = weighing->devices};
	g_array_set_size(weighing->devices, 0);
	for (guint i = 0; i < count; i++)
		weigh_alone(counting, &devices[i], weighing->devices);
	for (guint i = 0; i < count; i++)
		weigh_with_others(counting, &devices[i], weighing);
}

/* Adds the person to each group that a way belongs to. */
static void count_in_groups(struct forecast_groups *groups, enum grouping grouping,
			    const struct affected_way *ways, guint count, const GArray *devices)
{
	for (guint i = 0; i < count; i++) {
		guint index = forecast_group_of(groups, grouping, ways[i].habit);
		double most = 0;

		for (guint j = 0; j < count; j++) {
			if (forecast_group_of(groups, grouping, ways[j].habit) != index)
				continue;
			if (j < i) {
				most = 0; /* it was counted with that */
				break;
			}
			most = MAX(most,
				   g_array_index(devices, struct weighed_device, ways[j].device)
					   .comes);
		}
		g_array_index(groups->groups[grouping], struct forecast_group, index).users += most;
	}
}

static void add_course(struct counting *counting, const struct weighing *weighing)
{
	struct forecast *forecast = counting->forecast;

	for (size_t i = 0; i < forecast->course_count; i++) {
		double most = 0;

		for (uint64_t left = counting->enforced; left != 0; left &= left - 1) {
			int rule = __builtin_ctzll(left);

			most = MAX(most, weighing->by_rule[rule] * counting->left[i][rule]);
		}
		forecast->course[i].users += most;
	}
}

static void count_person(struct counting *counting, const struct affected *person,
			 const struct affected_way *ways, const struct weighing *weighing)
{
	struct forecast *forecast = counting->forecast;
	double comes = weighing->comes[SEEMS];

	*(person->good ? &forecast->partly : &forecast->locked_out) += comes;
	forecast->low += weighing->comes[SOON];
	forecast->high += weighing->comes[LATE];
	counting->variance += comes * (1 - comes);
	if (!person->active)
		forecast->active_users += comes;
	else if (person->rejected)
		forecast->changed += 1 - comes;
	if (person->active && person->rejected && person->told)
		forecast->told_changed += 1 - comes;
	forecast->told_affected += person->told ? comes : 0;
	for (unsigned int i = 0; i < RULES_MAX; i++) {
		double breaks = weighing->by_rule[i];

		forecast->rules[i].users += breaks;
		forecast->rules[i].locked_out += person->good ? 0 : MIN(breaks, comes);
	}
	add_course(counting, weighing);
	for (int i = 0; i < GROUPING_COUNT; i++)
		count_in_groups(&forecast->groups, i, ways, person->ways, weighing->devices);
}

/* ---- the course ---- */

static int compare_dates(gconstpointer one, gconstpointer other)
{
	const struct forecast_date *a = one, *b = other;

	return (a->date > b->date) - (a->date < b->date);
}

static struct forecast_date *date_in(struct forecast *forecast, time_t date)
{
	for (size_t i = 0; i < forecast->course_count; i++) {
		if (forecast->course[i].date == date)
			return &forecast->course[i];
	}
	forecast->course[forecast->course_count].date = date;
	return &forecast->course[forecast->course_count++];
}

/* The dates to come, and which part of those who break each rule will be left. */
static void find_course(struct counting *counting)
{
	const struct policy *policy = counting->judge->edition.policy;
	struct forecast *forecast = counting->forecast;
	time_t now = (time_t)(forecast->reference / 1000);

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct schedule *schedule = &policy->rules[i].schedule;

		if (!forecast->rules[i].considered)
			continue;
		forecast->course_known |= MIN(schedule->notify, schedule->enforce) <= now - WEEK;
		if (schedule->enforce > now && schedule->enforce != SCHEDULE_NEVER)
			date_in(forecast, schedule->enforce)->rules |= UINT64_C(1) << i;
	}
	qsort(forecast->course, forecast->course_count, sizeof(*forecast->course), compare_dates);
	for (size_t i = 0; i < forecast->course_count; i++) {
		for (size_t j = 0; j < policy->rule_count; j++)
			counting->left[i][j] =
				device_weights_left(counting->weights, &policy->rules[j],
						    (int64_t)forecast->course[i].date * 1000);
	}
}

static void weigh_people(struct counting *counting)
{
	struct weighing weighing = {
		.devices = g_array_new(FALSE, TRUE, sizeof(struct weighed_device))};
	const struct affected_device *devices =
		(const struct affected_device *)counting->affected_devices->data;
	const struct affected_way *ways =
		(const struct affected_way *)counting->affected_ways->data;

	device_weights_reckon(counting->weights);
	find_course(counting);
	for (guint i = 0; i < counting->people->len; i++) {
		const struct affected *person =
			&g_array_index(counting->people, struct affected, i);

		weigh_devices(counting, devices, person->devices, &weighing);
		count_person(counting, person, ways, &weighing);
		devices += person->devices;
		ways += person->ways;
	}
	g_array_unref(weighing.devices);
}

static void widen_interval(struct forecast *forecast, double variance)
{
	double expected = forecast->locked_out + forecast->partly;
	double margin = DEVIATIONS * sqrt(variance) + MARGIN * expected;

	forecast->low = MAX(forecast->low - margin, 0);
	forecast->high += margin;
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

static void counting_init(struct counting *counting_r, struct forecast *forecast,
			  const struct sighting_judge *judge, int64_t now)
{
	*counting_r = (struct counting){
		.forecast = forecast,
		.judge = judge,
		.now = now,
		.since = forecast->since,
		.week = store_week(forecast->reference),
		.told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.people = g_array_new(FALSE, FALSE, sizeof(struct affected)),
		.affected_devices = g_array_new(FALSE, FALSE, sizeof(struct affected_device)),
		.devices = devices_create(),
		.affected_ways = g_array_new(FALSE, FALSE, sizeof(struct affected_way)),
		.ways = g_array_new(FALSE, FALSE, sizeof(struct affected_way)),
	};
	note_rules(counting_r);
	begin_user(counting_r, STORE_NOBODY, "");
}

static void counting_clear(struct counting *counting)
{
	g_hash_table_destroy(counting->told);
	device_weights_free(counting->weights);
	g_array_unref(counting->people);
	g_array_unref(counting->affected_devices);
	devices_free(counting->devices);
	g_array_unref(counting->affected_ways);
	g_array_unref(counting->ways);
}

static bool read_all(struct counting *counting, struct store *store)
{
	const struct store_filter filter = {
		.verified = true, .names = true, .offenders = counting->histories != NULL};
	struct forecast *forecast = counting->forecast;
	int64_t first;

	counting->weights =
		device_weights_create(counting->judge->edition.policy, store, forecast->reference);
	if (counting->weights == NULL ||
	    !rule_history_first_record(store, forecast->reference, &first) ||
	    !store_each_notice(store, NULL, add_told, counting) ||
	    !store_each_sighting(store, &filter, count, counting))
		return false;
	end_user(counting);
	forecast->days_recorded = (forecast->reference - first) / MILLISECONDS_A_DAY + 1;
	return true;
}

bool forecast_count(struct forecast *forecast_r, struct store *store,
		    const struct sighting_judge *judge, int64_t now, int64_t reference,
		    time_t since, struct rule_histories *histories)
{
	struct counting counting;
	bool answered;

	*forecast_r = (struct forecast){.at = judge->at,
					.reference = reference,
					.since = inquiry_since(since, reference),
					.groups = forecast_groups_create(store)};
	counting_init(&counting, forecast_r, judge, now);
	counting.only_since = since != SCHEDULE_NEVER;
	counting.histories = histories;
	answered = read_all(&counting, store);
	if (answered) {
		weigh_people(&counting);
		widen_interval(forecast_r, counting.variance);
		forecast_groups_sort(&forecast_r->groups);
	}
	counting_clear(&counting);
	return answered;
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
	if (at != 0)
		forecast_r->course_count = 0;
	return true;
}

bool forecast_offenders(struct forecast *forecast_r, struct rule_history histories_r[RULES_MAX],
			const struct inquiry *inquiry, int64_t now)
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
	counted = forecast_count(forecast_r, inquiry->store, &judge, now, reference, SCHEDULE_NEVER,
				 histories);
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
