#include "forecast-weigh.h"

#include <math.h>
#include <stdlib.h>

/* How many times as many devices may be given up, or as few, as it seems. */
#define HASTE 2.0

/* So likely it is that who has given up one device has given up another that was used before,
   too: most change all that they have at once. */
#define TOGETHER 0.7

/* Nine times of ten, chance is not further off. */
#define DEVIATIONS 1.65

/* What else may be wrong, as a part of the whole. */
#define MARGIN 0.01

/* The course is not known before a rule was told of, or enforced, for so long. */
#define COURSE_BEGINS (7 * SECONDS_A_DAY)

struct prospect {
	struct forecast *forecast;
	const struct affected_people *people;
	uint64_t enforced;
	double variance;
	/* For each date of the course, which part of those who break each rule will be left. */
	struct left {
		double told[RULES_MAX], refused[RULES_MAX];
	} left[RULES_MAX];
};

/* ---- one person ---- */

/* As it seems, and if more are given up, or fewer. */
enum { SEEMS, SOON, LATE, HASTES };
static const double hastes[HASTES] = {[SEEMS] = 1, [SOON] = HASTE, [LATE] = 1 / HASTE};

struct weights {
	double of[HASTES];
};

/* One device, whatever it breaks. */
struct weighed_device {
	int32_t last_day;
	struct weights weights;
	double comes; /* as it seems, and is rejected */
};

/* Of the person who is being weighed. As likely it is that any device comes again as that the
   most likely one does. */
struct weighing {
	double comes[HASTES]; /* and is rejected */
	double by_rule[RULES_MAX];
	GArray *alone;   /* of struct weights: of each device as to each rule */
	GArray *devices; /* of struct weighed_device, by number */
};

static void weigh_alone(const struct prospect *prospect, const struct affected_device *device,
			struct weighing *weighing)
{
	GArray *devices = weighing->devices;
	struct weighed_device *weighed;
	struct weights weights;

	if (device->device >= devices->len)
		g_array_set_size(devices, device->device + 1U);
	weighed = &g_array_index(devices, struct weighed_device, device->device);
	weighed->last_day = MAX(weighed->last_day, device->rest.last_day);
	for (int i = 0; i < HASTES; i++) {
		weights.of[i] = device_weight(prospect->people->weights, &device->rest, hastes[i]);
		weighed->weights.of[i] = MAX(weighed->weights.of[i], weights.of[i]);
	}
	g_array_append_val(weighing->alone, weights);
}

/* How much is left of what else a person has, where so much is left of one thing. */
static double left_beside(double least)
{
	return 1 - TOGETHER * (1 - least);
}

/* Who gives up one device gives up the others, too, in most cases. */
static double with_others(const GArray *devices, guint number, int haste)
{
	const struct weighed_device *all = (const struct weighed_device *)devices->data;
	double least = 1;

	for (guint i = 0; i < devices->len; i++) {
		if (all[i].last_day > all[number].last_day)
			least = MIN(least, all[i].weights.of[haste]);
	}
	return left_beside(least);
}

static void weigh_with_others(const struct prospect *prospect, const struct affected_device *device,
			      struct weights weights, struct weighing *weighing)
{
	double *by_rule = &weighing->by_rule[device->rule];
	struct weighed_device *weighed =
		&g_array_index(weighing->devices, struct weighed_device, device->device);

	for (int i = 0; i < HASTES; i++)
		weights.of[i] *= with_others(weighing->devices, device->device, i);
	*by_rule = MAX(*by_rule, weights.of[SEEMS]);
	if ((prospect->enforced >> device->rule & 1) == 0)
		return;
	weighed->comes = MAX(weighed->comes, weights.of[SEEMS]);
	for (int i = 0; i < HASTES; i++)
		weighing->comes[i] = MAX(weighing->comes[i], weights.of[i]);
}

static void weigh_devices(const struct prospect *prospect, const struct affected_device *devices,
			  guint count, struct weighing *weighing)
{
	*weighing = (struct weighing){.alone = weighing->alone, .devices = weighing->devices};
	g_array_set_size(weighing->alone, 0);
	g_array_set_size(weighing->devices, 0);
	for (guint i = 0; i < count; i++)
		weigh_alone(prospect, &devices[i], weighing);
	for (guint i = 0; i < count; i++)
		weigh_with_others(prospect, &devices[i],
				  g_array_index(weighing->alone, struct weights, i), weighing);
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

/* Who acts on the refusals of one rule changes what breaks another, too, in most cases. With
   notices that is known: those of all rules go on already. */
static double weigh_at_date(const struct weighing *weighing, uint64_t rules,
			    const struct left *left)
{
	double least = 1, most = 0;

	for (uint64_t rest = rules; rest != 0; rest &= rest - 1) {
		int rule = __builtin_ctzll(rest);

		if (weighing->by_rule[rule] > 0)
			least = MIN(least, left->refused[rule]);
	}
	for (uint64_t rest = rules; rest != 0; rest &= rest - 1) {
		int rule = __builtin_ctzll(rest);
		double refused = MIN(left->refused[rule], left_beside(least));

		most = MAX(most, weighing->by_rule[rule] * left->told[rule] * refused);
	}
	return most;
}

static void add_course(struct prospect *prospect, const struct weighing *weighing)
{
	struct forecast *forecast = prospect->forecast;

	for (size_t i = 0; i < forecast->course_count; i++) {
		forecast->course[i].users +=
			weigh_at_date(weighing, prospect->enforced, &prospect->left[i]);
	}
}

static void count_person(struct prospect *prospect, const struct affected_person *person,
			 const struct affected_way *ways, const struct weighing *weighing)
{
	struct forecast *forecast = prospect->forecast;
	double comes = weighing->comes[SEEMS];

	*(person->good ? &forecast->partly : &forecast->locked_out) += comes;
	forecast->low += weighing->comes[SOON];
	forecast->high += weighing->comes[LATE];
	prospect->variance += comes * (1 - comes);
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
	add_course(prospect, weighing);
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

static void find_left(struct prospect *prospect, size_t date, size_t index)
{
	const struct device_weights *weights = prospect->people->weights;
	const struct rule *rule = &prospect->people->policy->rules[index];
	int64_t moment = (int64_t)prospect->forecast->course[date].date * 1000;
	struct left *left = &prospect->left[date];

	left->told[index] = device_weights_left(weights, rule, false, moment);
	left->refused[index] = device_weights_left(weights, rule, true, moment);
}

/* The dates to come, and which part of those who break each rule will be left. */
static void find_course(struct prospect *prospect)
{
	const struct policy *policy = prospect->people->policy;
	struct forecast *forecast = prospect->forecast;
	time_t now = (time_t)(forecast->reference / 1000);

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct schedule *schedule = &policy->rules[i].schedule;

		if (!forecast->rules[i].considered)
			continue;
		forecast->course_known |=
			MIN(schedule->notify, schedule->enforce) <= now - COURSE_BEGINS;
		if (schedule->enforce > now && schedule->enforce != SCHEDULE_NEVER)
			date_in(forecast, schedule->enforce)->rules |= UINT64_C(1) << i;
	}
	qsort(forecast->course, forecast->course_count, sizeof(*forecast->course), compare_dates);
	for (size_t i = 0; i < forecast->course_count; i++) {
		for (size_t j = 0; j < policy->rule_count; j++)
			find_left(prospect, i, j);
	}
}

static void weigh_people(struct prospect *prospect)
{
	struct weighing weighing = {
		.alone = g_array_new(FALSE, FALSE, sizeof(struct weights)),
		.devices = g_array_new(FALSE, TRUE, sizeof(struct weighed_device)),
	};
	const struct affected_device *devices =
		(const struct affected_device *)prospect->people->devices->data;
	const struct affected_way *ways = (const struct affected_way *)prospect->people->ways->data;

	device_weights_reckon(prospect->people->weights);
	find_course(prospect);
	for (guint i = 0; i < prospect->people->people->len; i++) {
		const struct affected_person *person =
			&g_array_index(prospect->people->people, struct affected_person, i);

		weigh_devices(prospect, devices, person->devices, &weighing);
		count_person(prospect, person, ways, &weighing);
		devices += person->devices;
		ways += person->ways;
	}
	g_array_unref(weighing.alone);
	g_array_unref(weighing.devices);
}

static void widen_interval(struct forecast *forecast, double variance)
{
	double expected = forecast->locked_out + forecast->partly;
	double margin = DEVIATIONS * sqrt(variance) + MARGIN * expected;

	forecast->low = MAX(forecast->low - margin, 0);
	forecast->high += margin;
}

void forecast_weigh(struct forecast *forecast, const struct affected_people *people,
		    uint64_t enforced)
{
	struct prospect prospect = {.forecast = forecast, .people = people, .enforced = enforced};

	weigh_people(&prospect);
	widen_interval(forecast, prospect.variance);
}
