#include "unit.h"
#include "directory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin/sightings/device-weight.h"

#define DAY MILLISECONDS_A_DAY

/* 2024-09-20 08:15:02.123 UTC, a Friday. */
#define NOW INT64_C(1726820102123)

static struct rule rules[] = {
	{
		.title = (char *)"encryption",
		.kind = KIND_ENCRYPTION,
		.reject = OUTCOME_REJECT_AFTER,
		.schedule = {SCHEDULE_NEVER, NOW / 1000 - 28 * 86400, NOW / 1000 + 30 * 86400, NULL,
			     0},
	},
	{
		.title = (char *)"country",
		.kind = KIND_COUNTRY,
		.reject = OUTCOME_REJECT_BEFORE,
		.index = 1,
		.schedule = {SCHEDULE_NEVER, SCHEDULE_NEVER, NOW / 1000 - 20 * 86400, NULL, 0},
	},
	{
		.title = (char *)"port",
		.kind = KIND_IMPLICIT_TLS,
		.reject = OUTCOME_REJECT_AFTER,
		.index = 2,
		.schedule = {SCHEDULE_NEVER, NOW / 1000 + 10 * 86400, NOW / 1000 + 40 * 86400, NULL,
			     0},
	},
	{
		.title = (char *)"mechanism",
		.kind = KIND_MECHANISM,
		.reject = OUTCOME_REJECT_AFTER,
		.index = 3,
		.schedule = {SCHEDULE_NEVER, SCHEDULE_NEVER, NOW / 1000 - 30 * 86400, NULL, 0},
	},
};
static const struct rule *encryption = &rules[0], *country = &rules[1], *port = &rules[2];
static const struct rule *mechanism = &rules[3];
static const struct policy policy = {.rules = rules, .rule_count = 4};

static struct device_weights *create(bool quiet_weekends)
{
	char uri[128];
	struct store_failure failure;
	struct device_weights *weights;
	struct store *store;

	snprintf(uri, sizeof(uri), "sqlite:%s/store-%d.db", directory, quiet_weekends);
	store = store_open(uri, NULL, STORE_WRITE, &failure);
	if (store == NULL)
		fail_msg("%s", failure.text);
	assert_true(store_begin(store));
	for (int i = 0; i < 28; i++) {
		struct store_day day = {.day = NOW / DAY - i};
		bool weekend = (day.day + 3) % 7 >= 5;

		day.sightings = day.lines = weekend && quiet_weekends ? 20 : 100;
		assert_true(store_add_day(store, &day));
	}
	assert_true(store_commit(store));
	weights = device_weights_create(&policy, store, NOW);
	assert_non_null(weights);
	store_close(store);
	return weights;
}

/* Used on so many days, the first and the last so many days ago. */
static struct device_rest used(const struct device_weights *weights, const struct rule *rule,
			       int first, int last, unsigned int days)
{
	const struct device_record record = {
		.bad = {NOW - first * DAY, NOW - last * DAY},
		.bad_days = days,
		.rhythm = days < 2 ? 0 : (first - last) * DAY / (days - 1),
	};

	return device_rest_of(weights, &record, rule);
}

static double weight(const struct device_weights *weights, const struct device_rest rest)
{
	return device_weight(weights, &rest, 1);
}

static void add(struct device_weights *weights, const struct device_rest rest)
{
	device_weights_add(weights, &rest);
}

static void test_rhythms(void **state)
{
	struct device_weights *weights = create(false);
	(void)state;

	device_weights_reckon(weights);
	/* In use. */
	assert_true(weight(weights, used(weights, encryption, 50, 0, 40)) == 1);
	/* Daily, every two weeks, on one day only; all rest for 14 days. */
	assert_true(weight(weights, used(weights, encryption, 44, 14, 31)) < 0.01);
	assert_true(weight(weights, used(weights, encryption, 84, 14, 6)) > 0.8);
	assert_true(weight(weights, used(weights, encryption, 14, 14, 1)) > 0.9);
	/* The longer, the less. */
	for (int last = 0, days = 2; last < 400; last++) {
		double one = weight(weights, used(weights, encryption, last + 10, last, days));
		double next = weight(weights, used(weights, encryption, last + 11, last + 1, days));

		assert_true(one >= next && next > 0);
	}
	device_weights_free(weights);
}

static void test_repaired(void **state)
{
	struct device_weights *weights = create(false);
	const struct device_record record = {.good = {NOW - DAY, NOW - DAY},
					     .bad = {NOW - 30 * DAY, NOW - 2 * DAY},
					     .bad_days = 29,
					     .rhythm = DAY};
	(void)state;

	add(weights, device_rest_of(weights, &record, encryption));
	device_weights_reckon(weights);
	assert_true(weight(weights, device_rest_of(weights, &record, encryption)) == 0);
	device_weights_free(weights);
}

/* Of those that are all the same, more than SAMPLE. */
static double weight_among(unsigned int staying, unsigned int given_up, double haste)
{
	struct device_weights *weights = create(false);
	struct device_rest rest = used(weights, encryption, 70, 14, 5);
	double found;

	for (unsigned int i = 0; i < staying; i++)
		add(weights, used(weights, encryption, 70, 0, 60));
	for (unsigned int i = 0; i < given_up; i++)
		add(weights, used(weights, encryption, 70, 10, 55));
	device_weights_reckon(weights);
	found = device_weight(weights, &rest, haste);
	device_weights_free(weights);
	return found;
}

static void test_others_tell(void **state)
{
	double stay = weight_among(20000, 0, 1), half = weight_among(10000, 10000, 1);
	(void)state;

	assert_true(stay > 0.99);
	assert_true(half < stay - 0.2 && half > 0.2);
	assert_true(weight_among(1000, 1000, 2) < half);
	assert_true(weight_among(1000, 1000, 0.5) > half);
	/* A sample says the same. */
	assert_true(weight_among(1000, 1000, 1) - half < 0.01);
	assert_true(weight_among(1000, 1000, 1) - half > -0.01);
}

/* Rules are apart. */
static void test_rules(void **state)
{
	struct device_weights *weights = create(false);
	(void)state;

	for (unsigned int i = 0; i < 100; i++) {
		add(weights, used(weights, encryption, 70, 10, 55));
		add(weights, used(weights, port, 70, 0, 60));
	}
	device_weights_reckon(weights);
	assert_true(weight(weights, used(weights, encryption, 70, 14, 5)) <
		    weight(weights, used(weights, port, 70, 14, 5)) - 0.2);
	device_weights_free(weights);
}

/* Nor do those that were refused say anything of those that were not. */
static void test_refused(void **state)
{
	struct device_weights *weights = create(false);
	(void)state;

	for (unsigned int i = 0; i < 100; i++)
		add(weights, used(weights, mechanism, 70, 20, 51));
	device_weights_reckon(weights);
	assert_true(weight(weights, used(weights, mechanism, 99, 29, 4)) <
		    weight(weights, used(weights, mechanism, 101, 31, 4)) - 0.2);
	device_weights_free(weights);
}

/* On Monday morning, who came from Monday to Friday only is expected. */
static void test_weekends(void **state)
{
	struct device_weights *weights[] = {create(false), create(true)};
	double found[2][2];
	(void)state;

	for (unsigned int i = 0; i < 2; i++) {
		device_weights_reckon(weights[i]);
		/* Last seen on a Friday a week ago, and every day or five in seven. */
		found[i][0] = weight(weights[i], used(weights[i], encryption, 67, 7, 61));
		found[i][1] = weight(weights[i], used(weights[i], encryption, 67, 7, 44));
	}
	assert_true(found[0][0] == found[1][0]);
	assert_true(found[0][1] < found[1][1]);
	device_weights_free(weights[0]);
	device_weights_free(weights[1]);
}

/* What is refused before the password is looked at is not seen: that it does not come is no
   sign, but some will have acted on that. */
static void test_invisible(void **state)
{
	struct device_weights *weights = create(false);
	(void)state;

	device_weights_reckon(weights);
	assert_true(weight(weights, used(weights, country, 50, 20, 31)) > 0.5);
	assert_true(weight(weights, used(weights, country, 50, 20, 31)) < 0.8);
	assert_true(weight(weights, used(weights, encryption, 50, 20, 31)) < 0.01);
	assert_true(weight(weights, used(weights, country, 70, 40, 31)) < 0.01);
	device_weights_free(weights);
}

static double told(const struct device_weights *weights, const struct rule *rule, int days)
{
	return device_weights_left(weights, rule, false, NOW + days * DAY);
}

static double refused(const struct device_weights *weights, const struct rule *rule, int days)
{
	return device_weights_left(weights, rule, true, NOW + days * DAY);
}

static void test_course(void **state)
{
	struct device_weights *weights = create(false);
	double soon, late;
	(void)state;

	for (unsigned int i = 0; i < 100; i++) {
		add(weights, used(weights, encryption, 70, i < 60 ? 0 : (int)(i % 28) + 1, 50));
		add(weights, used(weights, port, 70, 0, 70));
	}
	device_weights_reckon(weights);
	assert_true(told(weights, encryption, 0) == 1);
	soon = told(weights, encryption, 7);
	late = told(weights, encryption, 30);
	assert_true(late < soon && soon < 0.98);
	/* More slowly than before. */
	assert_true(late > 0.6);
	/* Where nobody is told until ten days from now, it is as with the other. */
	assert_true(told(weights, port, 9) == 1);
	assert_true(told(weights, port, 17) < 0.98);
	/* From the date on, people act because they are refused. */
	assert_true(fabs(told(weights, encryption, 60) - late) < 0.001);
	device_weights_free(weights);
}

/* What refusals change nobody knows before; then it is known by the others. */
static void test_course_of_refusals(void **state)
{
	struct device_weights *weights = create(false);
	(void)state;

	add(weights, used(weights, encryption, 70, 0, 70));
	device_weights_reckon(weights);
	assert_true(refused(weights, encryption, 29) == 1);
	assert_true(fabs(refused(weights, encryption, 33) - 0.5) < 0.01);
	assert_true(refused(weights, encryption, 60) < 0.1);
	/* The longer they were, the fewer act. */
	assert_true(refused(weights, mechanism, 3) > 0.9);
	device_weights_free(weights);

	/* They go on all the same. */
	weights = create(false);
	for (unsigned int i = 0; i < 100; i++)
		add(weights, used(weights, mechanism, 70, 0, 70));
	device_weights_reckon(weights);
	assert_true(refused(weights, mechanism, 30) > 0.9);
	assert_true(refused(weights, encryption, 33) > 0.9);
	assert_true(told(weights, mechanism, 30) == 1);
	device_weights_free(weights);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rhythms),
		cmocka_unit_test(test_repaired),
		cmocka_unit_test(test_others_tell),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_weekends),
		cmocka_unit_test(test_invisible),
		cmocka_unit_test(test_course),
		cmocka_unit_test(test_course_of_refusals),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
