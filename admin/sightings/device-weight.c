#include "device-weight.h"

#include <glib.h>
#include <math.h>
#include <string.h>

#define DAYS_A_WEEK 7
#define WEEKS 64 /* the last one stands for all before it, too */

/* That are looked at to reckon how many are given up: more would not say it better. */
#define SAMPLE 16384

/* More are not given up in a day. */
#define RATE_MAX 0.1

/* What is believed before anything is recorded: one in so many days. It weighs as much as
   that was seen of half a device, and what is known of all weeks as much in each of them as
   so many days of devices. */
#define RATE_DAYS 300
#define RATE_WEIGHT 20

#define ROUNDS 12

/* By which the course goes on, and in which people begin to act. */
#define RECENT_WEEKS 4
#define SLOWNESS 7 /* days */

/* Who is refused acts sooner; half of them within so many days, before more is known. */
#define REFUSED_SLOWNESS 3
#define REFUSED_POWER 1.0

/* Where refusals are not seen, a part of those who would act on others is believed to act. */
#define UNSEEN 0.25

/* What is less so need not be looked at any more. */
#define UNLIKELY 1e-9

/* A device that rests is late only after a while: it does not come on the minute. */
#define ALLOWANCE (MILLISECONDS_A_DAY / 10)

/* Fewer logins on weekends than half of those on other days say that people rest, too. */
#define USUAL_DAYS 28

/* Devices of one rule that were refused, or of one that were not, are reckoned together. */
#define SORTS (2 * RULES_MAX)

static size_t sort_of(unsigned int rule, bool refused)
{
	return 2U * rule + refused;
}

struct device_weights {
	const struct policy *policy;
	int64_t now;
	bool quiet_weekends;
	GArray *sample; /* of struct device_rest, */
	uint64_t step;  /* each of so many */
	uint64_t count;
	uint64_t known[SORTS]; /* of them, by sort */
	/* Of each sort, how many are given up in a day; the first: of the last seven days. */
	double rates[SORTS][WEEKS];
	/* By which people act on refusals that are not seen. */
	double unseen_power;
};

/* ---- weekends ---- */

static bool is_weekend(int64_t day)
{
	return (day + 3) % DAYS_A_WEEK >= 5; /* 1970-01-01 was a Thursday */
}

struct logins {
	uint64_t weekends, others;
};

static bool add_logins(void *context, const struct store_day *day)
{
	struct logins *logins = context;

	*(is_weekend(day->day) ? &logins->weekends : &logins->others) += day->sightings;
	return true;
}

/* False when the store fails. */
static bool look_at_weekends(struct device_weights *weights, struct store *store)
{
	int64_t today = weights->now / MILLISECONDS_A_DAY;
	struct logins logins = {0};

	if (!store_each_day(store, today - USUAL_DAYS, add_logins, &logins))
		return false;
	weights->quiet_weekends = logins.weekends * 5 < logins.others;
	return true;
}

/* ---- making ---- */

struct device_weights *device_weights_create(const struct policy *policy, struct store *store,
					     int64_t now)
{
	struct device_weights *weights = g_new0(struct device_weights, 1);

	weights->policy = policy;
	weights->now = now;
	weights->step = 1;
	weights->sample = g_array_new(FALSE, FALSE, sizeof(struct device_rest));
	if (look_at_weekends(weights, store))
		return weights;
	device_weights_free(weights);
	return NULL;
}

void device_weights_free(struct device_weights *weights)
{
	if (weights == NULL)
		return;
	g_array_unref(weights->sample);
	g_free(weights);
}

static int64_t day_of(int64_t time)
{
	return time / MILLISECONDS_A_DAY;
}

static uint16_t as_days(int64_t days)
{
	return (uint16_t)CLAMP(days, 0, UINT16_MAX);
}

/* What is refused before the password is looked at is nobody's, and so not seen. */
static int64_t last_visible(const struct device_weights *weights, const struct rule *rule)
{
	int64_t begin = rule->schedule.enforce;

	if (rule->reject != OUTCOME_REJECT_BEFORE || begin == SCHEDULE_NEVER)
		return weights->now;
	return begin == SCHEDULE_ALWAYS ? 0 : MIN(begin * 1000, weights->now);
}

struct device_rest device_rest_of(const struct device_weights *weights,
				  const struct device_record *record, const struct rule *rule)
{
	int64_t last = record->bad.last, first_day = day_of(record->bad.first);
	int64_t visible = last_visible(weights, rule) - last - ALLOWANCE;
	struct device_rest rest = {
		.last_day = (int32_t)day_of(last),
		.span = as_days(day_of(last) - first_day),
		.days = as_days(day_of(weights->now - last - ALLOWANCE)),
		.seen_days = as_days(day_of(visible)),
		.rule = (uint8_t)rule->index,
		.refused = last / 1000 >= rule->schedule.enforce,
	};

	rest.gaps = MIN(as_days((int64_t)record->bad_days - 1), rest.span);
	if (device_is_repaired(record))
		rest.until_repaired = MAX(as_days(day_of(record->good.first) - rest.last_day), 1);
	return rest;
}

/* ---- weighing ---- */

/* After how many days of use and of rest the next day is one of rest, too: the rhythm is not
   known any better. */
static double rests_on(const struct device_rest *rest, unsigned int day)
{
	const double doubt = 0.5;

	if (rest->gaps == 0)
		return 1;
	return (rest->span - rest->gaps + doubt + day) / (rest->span + doubt + day);
}

/* Nothing is to be learnt of the device from its not coming then. */
static bool absence_tells_nothing(const struct device_weights *weights,
				  const struct device_rest *rest, unsigned int day)
{
	bool rests_on_weekends = 4 * (rest->span - rest->gaps) >= rest->span;

	return day >= rest->seen_days || (weights->quiet_weekends && rests_on_weekends &&
					  is_weekend(rest->last_day + 1 + (int64_t)day));
}

/* How many more are given up in a day on which they were refused unseen, if they came. */
static double unseen_rate(const struct device_weights *weights, const struct device_rest *rest,
			  unsigned int day)
{
	if (day < rest->seen_days)
		return 0;
	return weights->unseen_power / (day - rest->seen_days + REFUSED_SLOWNESS);
}

/* How likely that is which is recorded, if the device is in use and rests by chance; and if
   it was given up in some week, and did not come for that reason. */
struct fate {
	double in_use, given_up;
	double weeks[WEEKS]; /* of given_up */
};

static void find_fate(const struct device_weights *weights, const struct device_rest *rest,
		      double haste, struct fate *fate_r)
{
	const double *rates = weights->rates[sort_of(rest->rule, rest->refused)];
	double in_use = 1, unseen = 1;

	*fate_r = (struct fate){0};
	for (unsigned int day = 0; day < rest->days && unseen > UNLIKELY; day++) {
		unsigned int week = MIN((rest->days - 1U - day) / DAYS_A_WEEK, WEEKS - 1U);
		double rate = rates[week] + unseen_rate(weights, rest, day);
		double given_up = in_use * MIN(rate * haste, 0.5);

		in_use -= given_up;
		fate_r->given_up += given_up * unseen;
		fate_r->weeks[week] += given_up * unseen;
		if (!absence_tells_nothing(weights, rest, day))
			unseen *= rests_on(rest, day);
	}
	fate_r->in_use = in_use * unseen;
}

double device_weight(const struct device_weights *weights, const struct device_rest *rest,
		     double haste)
{
	struct fate fate;

	if (rest->until_repaired > 0)
		return 0;
	if (rest->days == 0)
		return 1;
	find_fate(weights, rest, haste, &fate);
	return fate.in_use / (fate.in_use + fate.given_up);
}

/* ---- what people act on ---- */

/* What makes people act: notices, or refusals. Since when, and until when. */
struct reason {
	size_t sort;
	time_t begin, end;
	double slowness; /* days */
};

static struct reason reason_of(const struct rule *rule, bool refused)
{
	const struct schedule *schedule = &rule->schedule;

	return (struct reason){
		.sort = sort_of((unsigned int)rule->index, refused),
		.begin = refused ? schedule->enforce : MIN(schedule->notify, schedule->enforce),
		.end = refused ? SCHEDULE_NEVER : schedule->enforce,
		.slowness = refused ? REFUSED_SLOWNESS : SLOWNESS,
	};
}

/* Days from the one to the other; 0 if it is not later. */
static double days_since(time_t from, int64_t to)
{
	if (from == SCHEDULE_ALWAYS)
		return UINT16_MAX;
	if (from == SCHEDULE_NEVER)
		return 0;
	return MAX((double)(to - (int64_t)from * 1000) / (double)MILLISECONDS_A_DAY, 0);
}

static double mean_rate(const double *rates, unsigned int weeks)
{
	double sum = 0;

	for (unsigned int week = 0; week < weeks; week++)
		sum += rates[week];
	return sum / weeks;
}

/* As many are given up each day as power / (days since it began + slowness), by the last weeks
   in which it was so. False: so far nobody can have acted on it. */
static bool find_power(const struct device_weights *weights, const struct reason *reason,
		       double *power_r)
{
	/* In weeks until now, as rates are. */
	double over = ceil(days_since(reason->end, weights->now) / DAYS_A_WEEK);
	double days = days_since(reason->begin, weights->now) - over * DAYS_A_WEEK;
	unsigned int weeks = (unsigned int)CLAMP(days / DAYS_A_WEEK, 0, RECENT_WEEKS);
	double end = days + reason->slowness, begin = end - weeks * DAYS_A_WEEK;

	if (weeks == 0 || over + weeks >= WEEKS || weights->known[reason->sort] == 0)
		return false;
	*power_r = mean_rate(weights->rates[reason->sort] + (unsigned int)over, weeks) * weeks *
		   DAYS_A_WEEK / log(end / begin);
	return true;
}

/* The mean of all rules. */
static double usual_power(const struct device_weights *weights, bool refused)
{
	const struct policy *policy = weights->policy;
	double sum = 0, power;
	uint64_t known = 0;

	for (size_t i = 0; i < policy->rule_count; i++) {
		struct reason reason = reason_of(&policy->rules[i], refused);

		if (!find_power(weights, &reason, &power))
			continue;
		sum += power * (double)weights->known[reason.sort];
		known += weights->known[reason.sort];
	}
	if (known == 0)
		return refused ? REFUSED_POWER : 0;
	return sum / (double)known;
}

/* ---- reckoning ---- */

void device_weights_add(struct device_weights *weights, const struct device_rest *rest)
{
	GArray *sample = weights->sample;

	weights->known[sort_of(rest->rule, rest->refused)]++;
	if (weights->count++ % weights->step != 0)
		return;
	g_array_append_val(sample, *rest);
	if (sample->len < SAMPLE)
		return;
	for (size_t i = 0; 2 * i < sample->len; i++)
		g_array_index(sample, struct device_rest, i) =
			g_array_index(sample, struct device_rest, 2 * i);
	g_array_set_size(sample, sample->len / 2);
	weights->step *= 2;
}

/* Of one rule, week by week. */
struct toll {
	double given_up[WEEKS], days[WEEKS];
};

static void add_days(struct toll *toll, const struct device_weights *weights, int64_t first,
		     int64_t end, double part)
{
	int64_t today = day_of(weights->now);

	for (int64_t day = first; day < end; day++)
		toll->days[CLAMP((today - day - 1) / DAYS_A_WEEK, 0, WEEKS - 1)] += part;
}

static void add_repaired(struct toll *toll, const struct device_weights *weights,
			 const struct device_rest *rest)
{
	int64_t end = rest->last_day + rest->until_repaired, today = day_of(weights->now);

	for (int64_t day = rest->last_day; day < end; day++)
		toll->given_up[CLAMP((today - day - 1) / DAYS_A_WEEK, 0, WEEKS - 1)] +=
			1.0 / rest->until_repaired;
	add_days(toll, weights, rest->last_day, end, 0.5);
}

static void add_resting(struct toll *toll, const struct device_weights *weights,
			const struct device_rest *rest)
{
	struct fate fate;
	double all, in_use = 1;
	unsigned int end = rest->days;

	find_fate(weights, rest, 1, &fate);
	all = fate.in_use + fate.given_up;
	/* From the first week of rest to the present. */
	for (int week = (int)MIN((end - 1U) / DAYS_A_WEEK, WEEKS - 1U); end > 0 && week >= 0;
	     week--) {
		unsigned int days = end - (unsigned int)week * DAYS_A_WEEK;
		double given_up = fate.weeks[week] / all;

		toll->given_up[week] += given_up;
		toll->days[week] += days * (in_use - given_up / 2);
		in_use -= given_up;
		end -= days;
	}
}

static void set_rates(double *rates, const struct toll *toll)
{
	double given_up = 0.5, days = 0.5 * RATE_DAYS;

	for (unsigned int week = 0; week < WEEKS; week++) {
		given_up += toll->given_up[week];
		days += toll->days[week];
	}
	for (unsigned int week = 0; week < WEEKS; week++)
		rates[week] = MIN((toll->given_up[week] + RATE_WEIGHT * given_up / days) /
					  (toll->days[week] + RATE_WEIGHT),
				  RATE_MAX);
}

static void add(struct toll *toll, const struct device_weights *weights,
		const struct device_rest *rest)
{
	add_days(toll, weights, rest->last_day - rest->span, rest->last_day, 1);
	if (rest->until_repaired > 0)
		add_repaired(toll, weights, rest);
	else
		add_resting(toll, weights, rest);
}

/* Expectation and maximisation, in turn. */
void device_weights_reckon(struct device_weights *weights)
{
	struct toll *tolls = g_new(struct toll, SORTS);

	for (unsigned int round = 0; round <= ROUNDS; round++) {
		memset(tolls, 0, SORTS * sizeof(*tolls));
		for (guint i = 0; round > 0 && i < weights->sample->len; i++) {
			const struct device_rest *rest =
				&g_array_index(weights->sample, struct device_rest, i);

			add(&tolls[sort_of(rest->rule, rest->refused)], weights, rest);
		}
		for (size_t i = 0; i < 2 * weights->policy->rule_count; i++)
			set_rates(weights->rates[i], &tolls[i]);
	}
	g_free(tolls);
	/* While rates are reckoned it is 0: nothing is known of that. */
	weights->unseen_power = UNSEEN * usual_power(weights, true);
}

/* ---- the course ---- */

double device_weights_left(const struct device_weights *weights, const struct rule *rule,
			   bool refused, int64_t moment)
{
	struct reason reason = reason_of(rule, refused);
	double over = days_since(reason.end, weights->now);
	double begin = days_since(reason.begin, weights->now) - over;
	double end = days_since(reason.begin, moment) - days_since(reason.end, moment);
	double power;

	if (!find_power(weights, &reason, &power))
		power = usual_power(weights, refused);
	return pow((end + reason.slowness) / (begin + reason.slowness), -power);
}
