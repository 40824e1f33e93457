#include "unit.h"
#include "dates.h"

#include <stdlib.h>
#include <string.h>

#include "admin/notices/notice-due.h"

#define ENCRYPTION UINT64_C(1)
#define MECHANISM UINT64_C(2)
#define COUNTRY UINT64_C(4)

#define DAY ((time_t)86400)

/* The policy of all cases:
   encryption: observe 1 May, notify 1 June, enforce 20 September 2024, with a
   brown-out from 20 August 10:00 on for four hours; mechanism: notify 1 July, no
   date to enforce; country: enforce from 1 October on, without a notify phase. */
static struct brownout brownouts[2];
static struct rule rules[3];
static const struct country abroad = {"US"};
static time_t last_calls[] = {7 * DAY, 1 * DAY};
static struct policy policy = {.rules = rules, .rule_count = COUNT(rules)};

static int set_up(void **state)
{
	(void)state;
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	brownouts[0] = (struct brownout){date("2024-08-20 10:00"), date("2024-08-20 14:00")};
	rules[0] = (struct rule){.title = (char *)"encryption",
				 .kind = KIND_ENCRYPTION,
				 .schedule = {date("2024-05-01"), date("2024-06-01"),
					      date("2024-09-20"), brownouts, 1},
				 .index = 0};
	rules[1] = (struct rule){
		.title = (char *)"mechanism",
		.kind = KIND_MECHANISM,
		.schedule = {SCHEDULE_NEVER, date("2024-07-01"), SCHEDULE_NEVER, NULL, 0},
		.index = 1};
	rules[2] = (struct rule){
		.title = (char *)"country",
		.kind = KIND_COUNTRY,
		.schedule = {SCHEDULE_NEVER, SCHEDULE_NEVER, date("2024-10-01"), NULL, 0},
		.index = 2};
	policy.notices = (struct notice_settings){.remind_every = 14 * DAY,
						  .last_calls = last_calls,
						  .last_call_count = COUNT(last_calls)};
	return 0;
}

/* ---- a person through a timetable ---- */

#define LIFE_MAX 64

/* What a person does and is told, as it goes on. */
struct life {
	struct notice_way ways[LIFE_MAX]; /* device: which of enum program */
	uint64_t days[LIFE_MAX];          /* of use, of each */
	size_t way_count;
	struct notice_past past[LIFE_MAX];
	size_t past_count;
	unsigned int attempts;
	time_t attempted;
	struct exemption exemptions[4];
	size_t exemption_count;
};

enum program { PHONE, LAPTOP, SCANNER };

static const struct store_habit habits_of[] = {
	[PHONE] = {.index = PHONE, .client_id = "name=Phone", .mechanism = "PLAIN"},
	[LAPTOP] = {.index = LAPTOP, .client_id = "name=Laptop", .mechanism = "PLAIN"},
	[SCANNER] = {.index = SCANNER,
		     .client_id = "scanner",
		     .mechanism = "PLAIN",
		     .service = SERVICE_SUBMISSION},
};

/* A login, which is added to what the device did in the same way before. */
static void login(struct life *life, enum program device, uint64_t broken, time_t time)
{
	struct notice_way *way;
	size_t i = 0;

	while (i < life->way_count &&
	       (life->ways[i].device != device || life->ways[i].broken != broken))
		i++;
	way = &life->ways[i];
	if (i == life->way_count) {
		assert_true(life->way_count < LIFE_MAX);
		*way = (struct notice_way){.broken = broken, .device = device, .first_seen = time};
		life->days[i] = 1;
		life->way_count++;
	} else {
		life->days[i] += time / DAY != way->last_seen / DAY;
	}
	way->last_seen = time;
}

/* One that is refused: what is recorded in another phase is another way. */
static void refuse(struct life *life, enum program device, uint64_t broken, time_t time)
{
	assert_true(life->way_count < LIFE_MAX);
	life->days[life->way_count] = 1;
	life->ways[life->way_count++] = (struct notice_way){.broken = broken,
							    .refused = broken,
							    .device = device,
							    .first_seen = time,
							    .last_seen = time};
}

/* What is open then: a bit for each rule, of each way. */
static uint64_t open_ways[LIFE_MAX];

static struct devices *find_devices(const struct life *life, time_t now, struct notice_way *ways_r)
{
	struct devices *devices = devices_create();

	for (size_t i = 0; i < life->way_count; i++) {
		const struct notice_way *way = &life->ways[i];
		const struct store_sighting sighting = {
			.habit = &habits_of[way->device],
			.first_seen = way->first_seen * 1000,
			.last_seen = way->last_seen * 1000,
			.days = life->days[i],
		};

		ways_r[i] = *way;
		notice_way_let_off(&ways_r[i], &policy, life->exemptions, life->exemption_count,
				   now);
		ways_r[i].device =
			devices_add(devices, &sighting, way->broken & ~ways_r[i].allowed, 0);
	}
	return devices;
}

static struct notice_plan plan_at(struct life *life, time_t now)
{
	struct notice_way ways[LIFE_MAX];
	struct devices *devices = find_devices(life, now, ways);
	const struct notice_person person = {
		.ways = ways,
		.way_count = life->way_count,
		.devices = devices,
		.past = life->past,
		.past_count = life->past_count,
		.attempts = life->attempts,
		.attempted = life->attempted,
		.exemptions = life->exemptions,
		.exemption_count = life->exemption_count,
	};
	struct notice_plan plan;

	notice_plan(&policy, &person, now, open_ways, &plan);
	devices_free(devices);
	return plan;
}

static void remember(struct life *life, enum notice_reason reason, enum notice_state state,
		     uint64_t about, time_t time)
{
	assert_true(life->past_count < LIFE_MAX);
	life->past[life->past_count++] = (struct notice_past){
		.reason = reason, .state = state, .rules = about, .time = time};
}

/* Plans, and does what the plan says. */
static struct notice_plan run_at(struct life *life, time_t now)
{
	struct notice_plan plan = plan_at(life, now);

	if (plan.due) {
		remember(life, plan.reason, NOTICE_HANDED_OVER, notice_plan_told(&plan), now);
		memcpy(life->past[life->past_count - 1].dates, plan.enforce, sizeof(plan.enforce));
	}
	if (plan.fixed != 0 && (!plan.due || plan.reason != NOTICE_FIXED))
		remember(life, NOTICE_FIXED, NOTICE_NOTED, plan.fixed, now);
	return plan;
}

/* How a device behaves between two days. */
struct habit {
	const char *from, *to;
	enum program device;
	uint64_t broken;
	unsigned int every; /* days */
};

struct told {
	const char *day;
	enum notice_reason reason;
	uint64_t rules;
};

/* Whatever daylight saving does. */
static time_t next_day(time_t day)
{
	struct tm local;

	localtime_r(&day, &local);
	local.tm_mday++;
	local.tm_isdst = -1;
	return mktime(&local);
}

/* Runs notify at eight o'clock each day, after the logins of the day, which are at
   seven; asserts that exactly this is told. */
static void play(const struct habit *habits, size_t habit_count, const char *from, const char *to,
		 struct life *life, const struct told *told, size_t told_count)
{
	size_t next = 0;

	for (time_t day = date(from); day <= date(to); day = next_day(day)) {
		struct notice_plan plan;
		char text[DATE_TEXT_SIZE];

		for (size_t i = 0; i < habit_count; i++) {
			const struct habit *habit = &habits[i];
			time_t begin = date(habit->from);

			if (day >= begin && day <= date(habit->to) &&
			    (day - begin + DAY / 2) / DAY % habit->every == 0)
				login(life, habit->device, habit->broken, day + 7 * 3600);
		}
		plan = run_at(life, day + 8 * 3600);
		if (!plan.due)
			continue;
		date_format(day, text);
		text[10] = '\0';
		if (next == told_count)
			fail_msg("%s: unexpected %s", text, notice_reason_name(plan.reason));
		assert_string_equal(text, told[next].day);
		assert_string_equal(notice_reason_name(plan.reason),
				    notice_reason_name(told[next].reason));
		assert_int_equal(plan.reason == NOTICE_FIXED ? plan.fixed : plan.rules,
				 told[next].rules);
		next++;
	}
	if (next != told_count)
		fail_msg("missing: %s on %s", notice_reason_name(told[next].reason),
			 told[next].day);
}

#define PLAY(habits, from, to, told)                                                               \
	play(habits, COUNT(habits), from, to, &(struct life){0}, told, COUNT(told))

static void test_whole_timetable(void **state)
{
	static const struct habit habits[] = {{"2024-05-02", "2024-10-20", PHONE, ENCRYPTION, 1}};
	static const struct told told[] = {
		{"2024-06-01", NOTICE_FIRST, ENCRYPTION},
		/* After 14 days, and after another 28. */
		{"2024-06-15", NOTICE_REMINDER, ENCRYPTION},
		{"2024-07-13", NOTICE_REMINDER, ENCRYPTION},
		/* Three days before the brown-out of the 20th, 10 o'clock: the first
		   run behind that. */
		{"2024-08-18", NOTICE_BROWNOUT, ENCRYPTION},
		/* Four mails changed nothing: once more, with a day left. */
		{"2024-09-18", NOTICE_LAST_CALL, ENCRYPTION},
	};
	struct life life = {0};
	struct notice_plan plan;
	(void)state;

	play(habits, COUNT(habits), "2024-05-01", "2024-10-20", &life, told, COUNT(told));
	assert_int_equal(plan_at(&life, date("2024-10-20 10:00")).warnings, COUNT(told));
	/* Now it is refused: one mail, whatever comes. */
	refuse(&life, PHONE, ENCRYPTION, date("2024-10-21 09:00"));
	plan = run_at(&life, date("2024-10-21 10:00"));
	assert_true(plan.due);
	assert_int_equal(plan.reason, NOTICE_REFUSED);
	assert_int_equal(plan.rules, ENCRYPTION);
	for (unsigned int day = 0; day < 100; day++) {
		time_t now = date("2024-10-22 10:00") + day * DAY;

		login(&life, PHONE, ENCRYPTION, now - 60);
		assert_false(run_at(&life, now).due);
	}
}

/* A mailbox that takes nothing is tried less and less often, but again before each date; and
   after three times it is known not to take any. */
static void test_pauses(void **state)
{
	static const time_t hours[] = {0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 7 * 24, 7 * 24};
	struct life life = {0};
	time_t now = date("2024-06-02 08:00");
	struct notice_plan plan;
	(void)state;

	login(&life, PHONE, ENCRYPTION, now - DAY);
	life.attempted = now;
	for (unsigned int i = 0; i < COUNT(hours); i++) {
		life.attempts = i + 1;
		plan = plan_at(&life, now + hours[i] * 3600);
		assert_true(plan.due && !plan.waits);
		assert_int_equal(plan.failed, i < 2 ? 0 : ENCRYPTION);
		if (hours[i] == 0)
			continue;
		plan = plan_at(&life, now + hours[i] * 3600 - 1);
		assert_true(!plan.due && plan.waits);
		assert_int_equal(plan.next_attempt, now + hours[i] * 3600);
		assert_int_equal(plan.rules, ENCRYPTION);
	}
	life.attempted = rules[0].schedule.enforce - 4 * DAY;
	assert_true(plan_at(&life, life.attempted + DAY).due);
	/* What a clock tried that went wrong is no reason to wait. */
	assert_true(plan_at(&life, life.attempted - DAY).due);
}

/* Who got five mails of whatever is reminded no more, and then it is the help desk's; but not
   while there is something that only a mail can tell. */
static void test_many_mails_of_other_things(void **state)
{
	struct life life = {0};
	time_t now = date("2024-07-10 08:00");
	(void)state;

	for (int i = 0; i < 4; i++) {
		remember(&life, NOTICE_FIRST, NOTICE_HANDED_OVER, MECHANISM, now - (60 - i) * DAY);
		remember(&life, NOTICE_FIXED, NOTICE_NOTED, MECHANISM, now - (60 - i) * DAY + 3600);
	}
	login(&life, PHONE, ENCRYPTION, now - 40 * DAY);
	login(&life, PHONE, ENCRYPTION, now - DAY);
	assert_int_equal(plan_at(&life, now).reason, NOTICE_FIRST);
	remember(&life, NOTICE_FIRST, NOTICE_HANDED_OVER, ENCRYPTION, now - 30 * DAY);
	for (int days = 0; days < 20; days++) {
		struct notice_plan plan = plan_at(&life, now + days * DAY);

		assert_false(plan.due);
		assert_true(notice_needs_call(&plan));
		assert_int_equal(plan.warnings, 1);
	}
	life.past_count -= 3;
	remember(&life, NOTICE_FIRST, NOTICE_HANDED_OVER, ENCRYPTION, now - 30 * DAY);
	{
		struct notice_plan plan = plan_at(&life, now);

		assert_true(plan.due && plan.reason == NOTICE_REMINDER);
		assert_false(notice_needs_call(&plan));
	}
}

static void test_first_sighting_after_the_begin(void **state)
{
	static const struct habit habits[] = {{"2024-06-17", "2024-07-10", PHONE, ENCRYPTION, 1}};
	static const struct told told[] = {{"2024-06-17", NOTICE_FIRST, ENCRYPTION},
					   {"2024-07-01", NOTICE_REMINDER, ENCRYPTION}};
	(void)state;

	PLAY(habits, "2024-05-01", "2024-07-10", told);
}

static void test_first_seen_within_the_last_calls(void **state)
{
	/* Within seven days the first mail is the last call; within one day, too. */
	static const struct habit late[] = {{"2024-09-15", "2024-09-19", PHONE, ENCRYPTION, 1}};
	static const struct told told_late[] = {{"2024-09-15", NOTICE_LAST_CALL, ENCRYPTION},
						{"2024-09-18", NOTICE_LAST_CALL, ENCRYPTION}};
	static const struct habit last_day[] = {{"2024-09-19", "2024-09-19", PHONE, ENCRYPTION, 1}};
	static const struct told told_last_day[] = {{"2024-09-19", NOTICE_LAST_CALL, ENCRYPTION}};
	(void)state;

	PLAY(late, "2024-06-01", "2024-10-10", told_late);
	PLAY(last_day, "2024-06-01", "2024-10-10", told_last_day);
}

/* Not seen any more, and nothing that shows it is fixed: no reminder, but the
   calls before something happens. */
static void test_gone_quiet(void **state)
{
	static const struct habit habits[] = {{"2024-06-17", "2024-06-17", PHONE, ENCRYPTION, 1}};
	static const struct told told[] = {{"2024-06-17", NOTICE_FIRST, ENCRYPTION},
					   {"2024-08-18", NOTICE_BROWNOUT, ENCRYPTION},
					   {"2024-09-12", NOTICE_LAST_CALL, ENCRYPTION},
					   {"2024-09-18", NOTICE_LAST_CALL, ENCRYPTION}};
	(void)state;

	PLAY(habits, "2024-05-01", "2024-12-31", told);
}

static void test_fixed(void **state)
{
	/* The same device, from one day to the next: nothing more, not even the last
	   call on that day. */
	static const struct habit at_once[] = {{"2024-09-10", "2024-09-12", PHONE, ENCRYPTION, 1},
					       {"2024-09-13", "2024-12-31", PHONE, 0, 1}};
	static const struct told told_at_once[] = {{"2024-09-10", NOTICE_FIRST, ENCRYPTION}};
	/* Another program in its place: nothing more when the old one was quiet for
	   three days. */
	static const struct habit replaced[] = {{"2024-06-01", "2024-07-09", PHONE, ENCRYPTION, 1},
						{"2024-07-10", "2024-12-31", LAPTOP, 0, 1}};
	static const struct told told_replaced[] = {{"2024-06-01", NOTICE_FIRST, ENCRYPTION},
						    {"2024-06-15", NOTICE_REMINDER, ENCRYPTION}};
	/* Before anything was sent. */
	static const struct habit before[] = {{"2024-05-02", "2024-05-20", PHONE, ENCRYPTION, 1},
					      {"2024-05-21", "2024-12-31", PHONE, 0, 1}};
	(void)state;

	PLAY(at_once, "2024-06-01", "2024-12-31", told_at_once);
	PLAY(replaced, "2024-06-01", "2024-12-31", told_replaced);
	play(before, COUNT(before), "2024-05-01", "2024-12-31", &(struct life){0}, NULL, 0);
}

/* A program that is fine beside one that is not fixes nothing: neither another one,
   nor one of the same name. */
static void test_two_devices(void **state)
{
	static const struct habit other[] = {{"2024-06-01", "2024-07-01", PHONE, ENCRYPTION, 1},
					     {"2024-05-01", "2024-07-01", LAPTOP, 0, 1}};
	static const struct habit same[] = {{"2024-06-01", "2024-07-01", PHONE, ENCRYPTION, 1},
					    {"2024-05-01", "2024-07-01", PHONE, 0, 1}};
	static const struct told told[] = {{"2024-06-01", NOTICE_FIRST, ENCRYPTION},
					   {"2024-06-15", NOTICE_REMINDER, ENCRYPTION}};
	/* Nor one that comes later. */
	static const struct habit scanner[] = {{"2024-06-01", "2024-06-01", PHONE, ENCRYPTION, 1},
					       {"2024-06-02", "2024-09-30", LAPTOP, 0, 1},
					       {"2024-06-03", "2024-09-30", SCANNER, 0, 1}};
	static const struct told told_scanner[] = {{"2024-06-01", NOTICE_FIRST, ENCRYPTION},
						   {"2024-08-18", NOTICE_BROWNOUT, ENCRYPTION},
						   {"2024-09-12", NOTICE_LAST_CALL, ENCRYPTION},
						   {"2024-09-18", NOTICE_LAST_CALL, ENCRYPTION}};
	(void)state;

	PLAY(other, "2024-05-01", "2024-07-01", told);
	PLAY(same, "2024-05-01", "2024-07-01", told);
	PLAY(scanner, "2024-05-01", "2024-09-30", told_scanner);
}

/* ---- who was never told ---- */

/* Whoever was seen, and never told, is told, whatever else comes in a way that works, and
   however long ago that was. */
static void test_seen_in_observe_only(void **state)
{
	static const struct habit habits[] = {{"2024-05-02", "2024-05-04", PHONE, ENCRYPTION, 1},
					      {"2024-05-01", "2024-12-31", LAPTOP, 0, 1}};
	static const struct told told[] = {{"2024-06-01", NOTICE_FIRST, ENCRYPTION}};
	/* A second one of its name, which was fine before, is updated, or found a new way. */
	static const struct habit twin[] = {{"2024-05-02", "2024-05-10", PHONE, ENCRYPTION, 1},
					    {"2024-05-08", "2024-12-31", PHONE, 0, 1}};
	/* Neither was it told by a mail about another rule, nor by one that failed. */
	static const struct told told_later[] = {
		{"2024-07-01", NOTICE_FIRST, ENCRYPTION | MECHANISM}};
	struct life life = {0}, other = {0};
	(void)state;

	PLAY(habits, "2024-05-01", "2024-12-31", told);
	PLAY(twin, "2024-05-01", "2024-12-31", told);
	remember(&life, NOTICE_FIRST, NOTICE_HANDED_OVER, MECHANISM, date("2024-04-01"));
	play(habits, COUNT(habits), "2024-05-01", "2024-12-31", &life, told, COUNT(told));
	login(&other, PHONE, ENCRYPTION | MECHANISM, date("2024-05-20"));
	remember(&other, NOTICE_FIRST, NOTICE_FAILED, ENCRYPTION, date("2024-05-21"));
	play(habits, COUNT(habits), "2024-07-01", "2024-08-01", &other, told_later, 1);
}

/* On the eve of the date, when it was too late, or when there were too many mails: then on
   the next day. Not by a rule that never told anybody beforehand. */
static void test_seen_just_before_the_date(void **state)
{
	struct life life = {0}, other = {0}, behind = {0};
	(void)state;

	login(&life, PHONE, ENCRYPTION, date("2024-09-19 12:00"));
	assert_int_equal(run_at(&life, date("2024-09-20 08:00")).reason, NOTICE_FIRST);
	assert_false(run_at(&life, date("2024-09-21 08:00")).due);
	login(&other, PHONE, COUNTRY, date("2024-09-30 12:00"));
	assert_false(plan_at(&other, date("2024-10-02 08:00")).due);
	/* Who comes behind it is refused, and told of that. */
	login(&behind, PHONE, ENCRYPTION, date("2024-09-20 12:00"));
	assert_false(plan_at(&behind, date("2024-09-21 08:00")).due);
}

/* Told, it rests after three times its rhythm: no reminder, and no last call. */
static void test_rest(void **state)
{
	static const struct habit habits[] = {{"2024-06-01", "2024-09-01", PHONE, ENCRYPTION, 1},
					      {"2024-06-01", "2024-09-01", LAPTOP, 0, 1}};
	struct life life = {0};
	(void)state;

	rules[0].schedule.brownout_count = 0;
	for (time_t day = date(habits[0].from); day <= date(habits[0].to); day = next_day(day))
		login(&life, PHONE, ENCRYPTION, day);
	remember(&life, NOTICE_FIRST, NOTICE_HANDED_OVER, ENCRYPTION, date("2024-08-01"));
	assert_int_equal(plan_at(&life, date("2024-09-03 23:00")).rules, ENCRYPTION);
	assert_int_equal(plan_at(&life, date("2024-09-04 00:00")).rules, 0);
	assert_false(plan_at(&life, date("2024-09-13")).due);
	life.past[0].state = NOTICE_FAILED;
	assert_int_equal(plan_at(&life, date("2024-09-13")).reason, NOTICE_LAST_CALL);
	/* Another device that came only later was in no mail. */
	life.past[0].state = NOTICE_HANDED_OVER;
	login(&life, LAPTOP, ENCRYPTION, date("2024-08-02"));
	login(&life, LAPTOP, ENCRYPTION, date("2024-08-03"));
	assert_int_equal(plan_at(&life, date("2024-09-13")).reason, NOTICE_LAST_CALL);
	assert_int_equal(open_ways[0], 0);
	assert_int_equal(open_ways[1], ENCRYPTION);
}

/* Which of the ways is open: that of the device, and not another's. */
static void test_open_ways(void **state)
{
	struct life life = {0};
	(void)state;

	login(&life, PHONE, ENCRYPTION, date("2024-06-01"));
	login(&life, LAPTOP, ENCRYPTION, date("2024-06-01"));
	login(&life, LAPTOP, 0, date("2024-06-02"));
	login(&life, PHONE, MECHANISM, date("2024-06-02"));
	plan_at(&life, date("2024-07-02"));
	assert_int_equal(open_ways[0], 0);
	assert_int_equal(open_ways[1], 0);
	assert_int_equal(open_ways[2], 0);
	assert_int_equal(open_ways[3], MECHANISM);
}

/* ---- good news ---- */

/* Not before each device that broke it is well. */
static void test_good_news_of_all_devices(void **state)
{
	static const struct habit habits[] = {{"2024-06-01", "2024-06-10", PHONE, ENCRYPTION, 1},
					      {"2024-06-11", "2024-12-31", PHONE, 0, 1},
					      {"2024-06-01", "2024-07-09", LAPTOP, ENCRYPTION, 7},
					      {"2024-07-10", "2024-12-31", LAPTOP, 0, 7}};
	static const struct told told[] = {{"2024-06-01", NOTICE_FIRST, ENCRYPTION},
					   {"2024-06-15", NOTICE_REMINDER, ENCRYPTION},
					   {"2024-07-13", NOTICE_FIXED, ENCRYPTION}};
	(void)state;

	policy.notices.confirm_fixed = true;
	PLAY(habits, "2024-06-01", "2024-12-31", told);
}

/* Nor while it only rests, as in a holiday, nor on the day after it was told. */
static void test_good_news_after_a_holiday(void **state)
{
	static const struct habit habits[] = {{"2024-05-02", "2024-06-20", PHONE, ENCRYPTION, 1},
					      {"2024-06-01", "2024-12-31", LAPTOP, 0, 1},
					      {"2024-07-08", "2024-07-10", PHONE, ENCRYPTION, 1}};
	static const struct told told[] = {{"2024-06-01", NOTICE_FIRST, ENCRYPTION},
					   {"2024-06-15", NOTICE_REMINDER, ENCRYPTION},
					   /* 28 days later, when it came again, and it does
					      not come again for 28 days. */
					   {"2024-07-13", NOTICE_REMINDER, ENCRYPTION},
					   {"2024-08-10", NOTICE_FIXED, ENCRYPTION}};
	static const struct habit old[] = {{"2024-05-02", "2024-05-04", PHONE, ENCRYPTION, 1}};
	static const struct told told_old[] = {{"2024-06-01", NOTICE_FIRST, ENCRYPTION},
					       {"2024-06-29", NOTICE_FIXED, ENCRYPTION}};
	(void)state;

	policy.notices.confirm_fixed = true;
	PLAY(habits, "2024-05-01", "2024-12-31", told);
	PLAY(old, "2024-05-01", "2024-12-31", told_old);
}

/* Nor where it would not be seen: whoever is refused before the password is nobody. */
static void test_good_news_of_what_is_not_seen(void **state)
{
	static const struct habit habits[] = {{"2024-09-01", "2024-09-18", PHONE, ENCRYPTION, 1}};
	static const struct told told[] = {{"2024-09-01", NOTICE_FIRST, ENCRYPTION},
					   {"2024-09-12", NOTICE_LAST_CALL, ENCRYPTION},
					   {"2024-09-18", NOTICE_LAST_CALL, ENCRYPTION},
					   {"2024-10-16", NOTICE_FIXED, ENCRYPTION}};
	(void)state;

	policy.notices.confirm_fixed = true;
	rules[0].reject = OUTCOME_REJECT_AFTER;
	PLAY(habits, "2024-08-21", "2024-12-31", told);
	rules[0].reject = OUTCOME_REJECT_BEFORE;
	play(habits, COUNT(habits), "2024-08-21", "2024-12-31", &(struct life){0}, told,
	     COUNT(told) - 1);
}

/* Nor shortly before a date, which may show that it was not so. */
static void test_good_news_before_a_date(void **state)
{
	static const struct habit habits[] = {{"2024-08-25", "2024-09-05", PHONE, ENCRYPTION, 1},
					      {"2024-09-06", "2024-12-31", PHONE, 0, 1}};
	static const struct told told[] = {{"2024-08-25", NOTICE_FIRST, ENCRYPTION},
					   {"2024-09-20", NOTICE_FIXED, ENCRYPTION}};
	(void)state;

	policy.notices.confirm_fixed = true;
	PLAY(habits, "2024-08-21", "2024-12-31", told);
}

/* One mail for all rules. */
static void test_one_good_news(void **state)
{
	static const struct habit habits[] = {
		{"2024-07-02", "2024-07-10", PHONE, ENCRYPTION | MECHANISM, 1},
		{"2024-07-11", "2024-07-20", PHONE, MECHANISM, 1},
		{"2024-07-21", "2024-12-31", PHONE, 0, 1}};
	static const struct told told[] = {{"2024-07-02", NOTICE_FIRST, ENCRYPTION | MECHANISM},
					   {"2024-07-16", NOTICE_REMINDER, MECHANISM},
					   {"2024-07-23", NOTICE_FIXED, ENCRYPTION | MECHANISM}};
	(void)state;

	policy.notices.confirm_fixed = true;
	PLAY(habits, "2024-06-01", "2024-12-31", told);
}

static void test_good_news(void **state)
{
	static const struct habit habits[] = {
		{"2024-06-01", "2024-06-20", PHONE, ENCRYPTION | MECHANISM, 1},
		{"2024-06-21", "2024-07-15", PHONE, MECHANISM, 1},
		{"2024-07-16", "2024-12-31", PHONE, 0, 1}};
	/* Of mechanism is written when its phase begins, and a reminder just before waits for
	   that; before it all is not well. The good news comes when the phone has been well for
	   three days. */
	static const struct told told[] = {{"2024-06-01", NOTICE_FIRST, ENCRYPTION},
					   {"2024-07-01", NOTICE_FIRST, MECHANISM},
					   {"2024-07-15", NOTICE_REMINDER, MECHANISM},
					   {"2024-07-18", NOTICE_FIXED, ENCRYPTION | MECHANISM}};
	static const struct told silent[] = {{"2024-06-01", NOTICE_FIRST, ENCRYPTION},
					     {"2024-07-01", NOTICE_FIRST, MECHANISM},
					     {"2024-07-15", NOTICE_REMINDER, MECHANISM}};
	(void)state;

	PLAY(habits, "2024-06-01", "2024-12-31", silent);
	policy.notices.confirm_fixed = true;
	PLAY(habits, "2024-06-01", "2024-12-31", told);
}

static void test_one_mail_for_all_rules(void **state)
{
	static const struct habit habits[] = {
		{"2024-07-02", "2024-07-20", PHONE, ENCRYPTION, 1},
		{"2024-07-02", "2024-07-20", SCANNER, ENCRYPTION | MECHANISM, 1}};
	static const struct told told[] = {{"2024-07-02", NOTICE_FIRST, ENCRYPTION | MECHANISM},
					   {"2024-07-16", NOTICE_REMINDER, ENCRYPTION | MECHANISM}};
	(void)state;

	PLAY(habits, "2024-06-01", "2024-07-20", told);
}

/* Seen every other week, between clean logins of another device each day: reminders
   after 14, 28 and 56 days, and no good news. */
static void test_seldom_used(void **state)
{
	static const struct habit habits[] = {{"2024-06-03", "2024-08-15", PHONE, ENCRYPTION, 13},
					      {"2024-05-01", "2024-08-15", LAPTOP, 0, 1}};
	static const struct told told[] = {{"2024-06-03", NOTICE_FIRST, ENCRYPTION},
					   {"2024-06-17", NOTICE_REMINDER, ENCRYPTION},
					   {"2024-07-15", NOTICE_REMINDER, ENCRYPTION}};
	(void)state;

	policy.notices.confirm_fixed = true;
	PLAY(habits, "2024-05-01", "2024-08-15", told);
}

/* Back after the good news: from the beginning. */
static void test_back_again(void **state)
{
	static const struct habit habits[] = {{"2024-06-01", "2024-06-05", PHONE, ENCRYPTION, 1},
					      {"2024-06-06", "2024-06-20", PHONE, 0, 1},
					      {"2024-06-21", "2024-07-01", PHONE, ENCRYPTION, 1}};
	static const struct told told[] = {{"2024-06-01", NOTICE_FIRST, ENCRYPTION},
					   {"2024-06-08", NOTICE_FIXED, ENCRYPTION},
					   {"2024-06-21", NOTICE_FIRST, ENCRYPTION}};
	/* Nobody said that it was fixed: then it goes on. */
	static const struct habit soon[] = {{"2024-06-01", "2024-06-05", PHONE, ENCRYPTION, 1},
					    {"2024-06-06", "2024-06-09", PHONE, 0, 1},
					    {"2024-06-10", "2024-06-20", PHONE, ENCRYPTION, 1}};
	static const struct told told_soon[] = {{"2024-06-01", NOTICE_FIRST, ENCRYPTION},
						{"2024-06-15", NOTICE_FIRST, ENCRYPTION}};
	(void)state;

	PLAY(soon, "2024-06-01", "2024-06-20", told_soon);
	policy.notices.confirm_fixed = true;
	PLAY(habits, "2024-06-01", "2024-07-01", told);
}

/* ---- exemptions ---- */

static void test_exempted_over_the_date(void **state)
{
	static const struct habit habits[] = {{"2024-05-02", "2024-10-20", PHONE, ENCRYPTION, 1}};
	static const struct told told[] = {{"2024-10-01", NOTICE_FIRST, ENCRYPTION},
					   {"2024-10-08", NOTICE_LAST_CALL, ENCRYPTION},
					   {"2024-10-14", NOTICE_LAST_CALL, ENCRYPTION}};
	struct life life = {0};
	struct notice_plan plan;
	(void)state;

	/* Two legs, the first of them over the date; together until 15 October. */
	life.exemptions[life.exemption_count++] =
		(struct exemption){.begin = SCHEDULE_ALWAYS, .end = date("2024-10-01")};
	life.exemptions[life.exemption_count++] =
		(struct exemption){.begin = date("2024-10-01"), .end = date("2024-10-16")};
	plan = plan_at(&life, date("2024-10-09 08:00"));
	assert_int_equal(plan.exempt_until, 0);
	/* Nothing until two weeks before the exemption's end. */
	play(habits, COUNT(habits), "2024-05-01", "2024-10-15", &life, told, COUNT(told));
	plan = plan_at(&life, date("2024-10-09 08:00"));
	assert_int_equal(plan.exempt_until, date("2024-10-16"));
	assert_int_equal(plan.enforce[0], date("2024-10-16"));
	assert_int_equal(plan.first_date, date("2024-10-16"));
}

/* A device of once a month, beside one that is fine every day: whoever was let off hears of it
   two weeks before the end, be it that they were told of the date before. */
static void test_exempted_with_a_seldom_device(void **state)
{
	(void)state;

	for (unsigned int told = 0; told < 2; told++) {
		struct life life = {0};
		struct notice_plan plan;

		for (time_t day = date("2024-05-03 09:00"); day < date("2024-08-30");
		     day += 30 * DAY)
			login(&life, PHONE, ENCRYPTION, day);
		for (time_t day = date("2024-05-01 09:00"); day < date("2025-02-01"); day += DAY)
			login(&life, LAPTOP, 0, day);
		life.ways[life.way_count - 1].first_seen = date("2024-05-01");
		if (told == 1) {
			remember(&life, NOTICE_FIRST, NOTICE_HANDED_OVER, ENCRYPTION,
				 date("2024-06-05"));
			life.past[0].dates[0] = date("2024-09-20");
		}
		life.exemptions[life.exemption_count++] =
			(struct exemption){.begin = SCHEDULE_ALWAYS, .end = date("2025-02-01")};
		assert_false(plan_at(&life, date("2025-01-16 19:00")).due);
		plan = run_at(&life, date("2025-01-17 19:00"));
		assert_true(plan.due);
		assert_int_equal(plan.reason, told == 1 ? NOTICE_LAST_CALL : NOTICE_FIRST);
		assert_int_equal(plan.moved, 0);
		assert_int_equal(plan.exempt_until, date("2025-02-01"));
		assert_true(date("2025-02-01") - date("2025-01-17 19:00") >= 14 * DAY);
	}
}

/* Whoever is let off a rule that has no date hears nothing of it before there is one. */
static void test_exempted_without_a_date(void **state)
{
	struct life life = {0};
	(void)state;

	login(&life, PHONE, MECHANISM, date("2024-07-02"));
	assert_int_equal(plan_at(&life, date("2024-07-03")).reason, NOTICE_FIRST);
	life.exemptions[life.exemption_count++] =
		(struct exemption){.begin = SCHEDULE_ALWAYS, .end = date("2024-12-01"), .rule = 1};
	assert_true(plan_at(&life, date("2024-12-01")).due);
	assert_false(plan_at(&life, date("2024-07-03")).due);
	assert_int_equal(plan_at(&life, date("2024-07-03")).rules, 0);
	rules[1].schedule.enforce = date("2024-12-24");
	assert_int_equal(plan_at(&life, date("2024-07-03")).reason, NOTICE_FIRST);
	rules[1].schedule.enforce = date("2024-11-01");
	assert_false(plan_at(&life, date("2024-07-03")).due);
	assert_int_equal(plan_at(&life, date("2024-11-20")).exempt_until, date("2024-12-01"));
}

/* A mail that names an exemption's end names the first date to come: not that of another rule,
   which ends earlier, nor the later one of two exemptions. */
static void test_exempted_from_one_of_two(void **state)
{
	struct life life = {0};
	(void)state;

	rules[1].schedule.enforce = date("2024-10-10");
	login(&life, PHONE, ENCRYPTION | MECHANISM, date("2024-10-04"));
	life.exemptions[life.exemption_count++] =
		(struct exemption){.begin = SCHEDULE_ALWAYS, .end = date("2024-10-16")};
	assert_int_equal(plan_at(&life, date("2024-10-05")).rules, ENCRYPTION | MECHANISM);
	assert_int_equal(plan_at(&life, date("2024-10-05")).exempt_until, 0);
	assert_int_equal(plan_at(&life, date("2024-10-05")).first_date, date("2024-10-10"));
	/* What is over does not count. */
	assert_int_equal(plan_at(&life, date("2024-10-11")).exempt_until, date("2024-10-16"));
	life.exemptions[life.exemption_count++] =
		(struct exemption){.begin = SCHEDULE_ALWAYS, .end = date("2024-10-18"), .rule = 1};
	assert_int_equal(plan_at(&life, date("2024-10-05")).exempt_until, date("2024-10-16"));
	/* Nor is it named where something else ends on the same day. */
	life.exemption_count = 1;
	rules[1].schedule.enforce = date("2024-10-16");
	assert_int_equal(plan_at(&life, date("2024-10-05")).exempt_until, 0);
}

/* An exemption that ends before the date helps nobody: they are told. */
static void test_exempted_until_before_the_date(void **state)
{
	static const struct habit habits[] = {{"2024-06-10", "2024-06-20", PHONE, ENCRYPTION, 1}};
	static const struct told told[] = {{"2024-06-10", NOTICE_FIRST, ENCRYPTION}};
	struct life life = {0};
	(void)state;

	life.exemptions[life.exemption_count++] =
		(struct exemption){.begin = SCHEDULE_ALWAYS, .end = date("2024-09-20")};
	play(habits, COUNT(habits), "2024-06-01", "2024-06-20", &life, told, COUNT(told));
}

static void test_exempted_from_another_rule(void **state)
{
	struct life life = {0};
	(void)state;

	life.exemptions[life.exemption_count++] =
		(struct exemption){.begin = SCHEDULE_ALWAYS, .end = date("2025-01-01"), .rule = 1};
	login(&life, PHONE, ENCRYPTION | MECHANISM, date("2024-07-02"));
	assert_int_equal(plan_at(&life, date("2024-07-03")).rules, ENCRYPTION);
	life.exemptions[0].rule = 0;
	assert_int_equal(plan_at(&life, date("2024-07-03")).rules, MECHANISM);
}

/* ---- grace ---- */

/* Three days before the date, with a week of grace. */
static void test_grace(void **state)
{
	static const struct habit habits[] = {
		{"2024-09-17", "2024-09-30", PHONE, ENCRYPTION, 1},
	};
	static const struct told told[] = {
		{"2024-09-17", NOTICE_LAST_CALL, ENCRYPTION},
		{"2024-09-23", NOTICE_LAST_CALL, ENCRYPTION},
	};
	struct life life = {0};
	struct notice_plan plan;
	(void)state;

	rules[0].grace = 7 * DAY;
	play(habits, COUNT(habits), "2024-09-15", "2024-09-30", &life, told, COUNT(told));
	plan = plan_at(&life, date("2024-09-18"));
	assert_int_equal(plan.graced, ENCRYPTION);
	assert_int_equal(plan.enforce[0], date("2024-09-25"));
	assert_int_equal(plan.exempt_until, 0);
	/* Nor is it taken for a date that has moved when it is over. */
	plan = plan_at(&life, date("2024-09-26"));
	assert_int_equal(plan.enforce[0], date("2024-09-25"));
	assert_int_equal(plan.moved | plan.graced, 0);
	refuse(&life, PHONE, ENCRYPTION, date("2024-09-29"));
	plan = run_at(&life, date("2024-09-29 08:00"));
	assert_int_equal(plan.reason, NOTICE_REFUSED);
}

/* A mail that was written before midnight and left behind it said a day less. */
static void test_grace_that_was_told_at_midnight(void **state)
{
	struct life life = {0};
	struct notice_plan plan;
	(void)state;

	rules[0].grace = 7 * DAY;
	login(&life, PHONE, ENCRYPTION, date("2024-09-17 07:00"));
	run_at(&life, date("2024-09-17 23:59"));
	assert_int_equal(life.past[0].dates[0], date("2024-09-25"));
	life.past[0].time = date("2024-09-18 00:01");
	plan = plan_at(&life, date("2024-09-18 08:00"));
	assert_int_equal(plan.enforce[0], date("2024-09-25"));
	assert_int_equal(plan.moved, 0);
	assert_false(plan.due);
}

/* Until somebody is told, the week goes on; but not for ever. */
static void test_grace_of_who_is_not_told(void **state)
{
	struct life life = {0};
	(void)state;

	rules[0].grace = 7 * DAY;
	login(&life, PHONE, ENCRYPTION, date("2024-09-17 07:00"));
	assert_int_equal(plan_at(&life, date("2024-09-17 08:00")).enforce[0], date("2024-09-25"));
	assert_int_equal(plan_at(&life, date("2024-09-22 08:00")).enforce[0], date("2024-09-30"));
	assert_int_equal(plan_at(&life, date("2024-09-28 08:00")).enforce[0], date("2024-10-02"));
	/* Of who was seen in time, or too late, the date is everybody's. */
	login(&life, PHONE, ENCRYPTION | MECHANISM, date("2024-09-20 07:00"));
	life.ways[0].first_seen = date("2024-09-13");
	assert_int_equal(plan_at(&life, date("2024-09-22 08:00")).enforce[0], date("2024-09-20"));
	life.ways[0].first_seen = date("2024-09-20");
	assert_int_equal(plan_at(&life, date("2024-09-22 08:00")).enforce[0], date("2024-09-20"));
}

/* The later one counts, and one may begin in the other. */
static void test_grace_and_exemption(void **state)
{
	struct life life = {0};
	struct notice_plan plan;
	(void)state;

	rules[0].grace = 7 * DAY;
	login(&life, PHONE, ENCRYPTION, date("2024-09-17 07:00"));
	life.exemptions[life.exemption_count++] =
		(struct exemption){.begin = SCHEDULE_ALWAYS, .end = date("2024-09-22")};
	plan = plan_at(&life, date("2024-09-17 08:00"));
	assert_int_equal(plan.enforce[0], date("2024-09-25"));
	assert_int_equal(plan.graced, ENCRYPTION);
	life.exemptions[0].end = date("2024-09-26");
	plan = plan_at(&life, date("2024-09-17 08:00"));
	assert_int_equal(plan.enforce[0], date("2024-09-26"));
	assert_int_equal(plan.graced, 0);
	assert_int_equal(plan.exempt_until, date("2024-09-26"));
	life.exemptions[0].begin = date("2024-09-24");
	life.exemptions[0].end = date("2024-10-10");
	plan = plan_at(&life, date("2024-09-17 08:00"));
	assert_int_equal(plan.enforce[0], date("2024-10-10"));
}

/* ---- exemptions and brown-outs ---- */

/* While somebody is exempted at the time of a brown-out, it is none. */
static void test_exempted_over_a_brownout(void **state)
{
	struct life life = {0};
	time_t now = date("2024-08-18 08:00");
	(void)state;

	login(&life, PHONE, ENCRYPTION, date("2024-08-16"));
	remember(&life, NOTICE_FIRST, NOTICE_HANDED_OVER, ENCRYPTION, date("2024-08-16 08:00"));
	assert_int_equal(plan_at(&life, now).reason, NOTICE_BROWNOUT);
	life.exemptions[life.exemption_count++] =
		(struct exemption){.begin = SCHEDULE_ALWAYS, .end = date("2024-08-21")};
	assert_false(plan_at(&life, now).due);
}

/* Two on one day are announced by one mail, those of the next day by another. */
static void test_brownouts_of_a_day(void **state)
{
	struct life life = {0};
	struct notice_plan plan;
	(void)state;

	brownouts[1] = (struct brownout){date("2024-08-20 16:00"), date("2024-08-20 18:00")};
	rules[0].schedule.brownout_count = 2;
	login(&life, PHONE, ENCRYPTION, date("2024-08-16"));
	remember(&life, NOTICE_FIRST, NOTICE_HANDED_OVER, ENCRYPTION, date("2024-08-14 08:00"));
	assert_int_equal(run_at(&life, date("2024-08-17 11:00")).reason, NOTICE_BROWNOUT);
	for (time_t now = date("2024-08-17 12:00"); now < date("2024-08-20 18:00"); now += 3600)
		assert_false(plan_at(&life, now).due);
	/* It is another day's by now. */
	brownouts[1] = (struct brownout){date("2024-08-21 09:00"), date("2024-08-21 11:00")};
	plan = plan_at(&life, date("2024-08-20 15:00"));
	assert_true(plan.due);
	assert_int_equal(plan.reason, NOTICE_BROWNOUT);
}

/* An exemption from the date on does not cover a brown-out before it. */
static void test_exempted_after_a_brownout(void **state)
{
	struct life life = {0};
	struct notice_plan plan;
	(void)state;

	login(&life, PHONE, ENCRYPTION, date("2024-08-15"));
	life.exemptions[life.exemption_count++] =
		(struct exemption){.begin = date("2024-09-20"), .end = date("2024-12-01")};
	assert_false(run_at(&life, date("2024-08-17 09:00")).due);
	plan = run_at(&life, date("2024-08-17 11:00"));
	assert_true(plan.due);
	assert_int_equal(plan.reason, NOTICE_BROWNOUT);
	assert_int_equal(plan.rules, ENCRYPTION);
	assert_int_equal(plan.first_date, date("2024-12-01"));
	assert_false(run_at(&life, date("2024-08-18")).due);
	assert_false(run_at(&life, date("2024-09-19")).due);
	assert_int_equal(run_at(&life, date("2024-11-25")).reason, NOTICE_LAST_CALL);
}

static void test_a_country_that_is_added(void **state)
{
	struct life life = {0};
	(void)state;

	rules[2].schedule.notify = date("2024-08-01");
	login(&life, PHONE, COUNTRY, date("2024-08-02"));
	assert_true(plan_at(&life, date("2024-08-03")).due);
	life.exemptions[life.exemption_count++] = (struct exemption){.begin = SCHEDULE_ALWAYS,
								     .end = date("2024-12-01"),
								     .rule = 2,
								     .countries = &abroad,
								     .country_count = 1};
	assert_true(plan_at(&life, date("2024-08-03")).due);
	life.ways[0].country = abroad;
	assert_false(plan_at(&life, date("2024-08-03")).due);
}

/* Who is let off in a country is told two weeks before that ends, as of the end; what is not let
   off has its own date, which is told before. */
static void test_a_country_exemption_ends(void **state)
{
	struct life life = {0};
	struct notice_plan plan;
	(void)state;

	rules[2].schedule.notify = date("2024-08-01");
	login(&life, PHONE, COUNTRY, date("2024-08-02"));
	life.ways[0].country = abroad;
	login(&life, LAPTOP, COUNTRY, date("2024-08-03"));
	for (unsigned int i = 0; i < 2; i++)
		life.exemptions[life.exemption_count++] =
			(struct exemption){.begin = i == 0 ? SCHEDULE_ALWAYS : date("2024-11-01"),
					   .end = date(i == 0 ? "2024-11-01" : "2024-12-01"),
					   .rule = 2,
					   .countries = &abroad,
					   .country_count = 1};
	plan = run_at(&life, date("2024-08-04 08:00"));
	assert_int_equal(plan.reason, NOTICE_FIRST);
	assert_int_equal(plan.enforce[2], date("2024-10-01"));
	assert_int_equal(open_ways[0], 0);
	assert_int_equal(open_ways[1], COUNTRY);
	login(&life, PHONE, COUNTRY, date("2024-11-15"));
	assert_false(plan_at(&life, date("2024-11-15 19:00")).due);
	plan = run_at(&life, date("2024-11-16 19:00"));
	assert_true(plan.due);
	assert_int_equal(plan.moved, 0);
	assert_int_equal(plan.enforce[2], date("2024-12-01"));
	assert_int_equal(plan.exempt_until, date("2024-12-01"));
	assert_int_equal(open_ways[0], COUNTRY);
	assert_int_equal(open_ways[1], 0);
	assert_int_equal(run_at(&life, date("2024-11-23 08:00")).reason, NOTICE_LAST_CALL);
	assert_int_equal(run_at(&life, date("2024-11-29 08:00")).reason, NOTICE_LAST_CALL);
	assert_false(plan_at(&life, date("2024-12-02 08:00")).due);
	/* It is over before the date: then it is of no use. */
	rules[2].schedule.enforce = date("2024-12-24");
	life.past_count = 0;
	plan = plan_at(&life, date("2024-11-16 19:00"));
	assert_int_equal(plan.enforce[2], date("2024-12-24"));
	assert_int_equal(plan.exempt_until, 0);
	assert_int_equal(open_ways[0], COUNTRY);
}

/* ---- what may happen to the mails and dates ---- */

static void test_a_date_that_moves(void **state)
{
	struct life life = {0};
	struct notice_plan plan;
	(void)state;

	login(&life, PHONE, ENCRYPTION, date("2024-09-11"));
	assert_int_equal(run_at(&life, date("2024-09-12 08:00")).reason, NOTICE_LAST_CALL);
	rules[0].schedule.enforce = date("2024-12-20");
	plan = run_at(&life, date("2024-09-12 09:00"));
	assert_int_equal(plan.reason, NOTICE_MOVED);
	assert_int_equal(plan.moved, ENCRYPTION);
	assert_int_equal(plan.told_date[0], date("2024-09-20"));
	assert_int_equal(plan.enforce[0], date("2024-12-20"));
	assert_false(run_at(&life, date("2024-09-18 08:00")).due);
	assert_false(run_at(&life, date("2024-12-11 08:00")).due);
	assert_int_equal(run_at(&life, date("2024-12-12 08:00")).reason, NOTICE_LAST_CALL);
	assert_int_equal(run_at(&life, date("2024-12-18 08:00")).reason, NOTICE_LAST_CALL);
	assert_false(run_at(&life, date("2024-12-20 08:00")).due);
}

/* A later date can wait for the mail that goes anyway, or until there is just time enough
   before the old one; an earlier one cannot wait. */
static void test_when_a_date_that_moved_is_told(void **state)
{
	struct life life = {0};
	(void)state;

	/* Used so seldom that it does not rest before October. */
	login(&life, PHONE, ENCRYPTION, date("2024-05-01"));
	assert_int_equal(run_at(&life, date("2024-06-01 08:00")).reason, NOTICE_FIRST);
	rules[0].schedule.enforce = date("2024-10-04");
	assert_false(run_at(&life, date("2024-06-02 08:00")).due);
	login(&life, PHONE, ENCRYPTION, date("2024-06-10"));
	assert_int_equal(run_at(&life, date("2024-06-15 08:00")).reason, NOTICE_MOVED);
	assert_int_equal(plan_at(&life, date("2024-06-15 09:00")).moved, 0);
	/* Once more; no reminder comes before it. */
	rules[0].schedule.brownout_count = 0;
	rules[0].schedule.enforce = date("2024-11-01");
	assert_false(run_at(&life, date("2024-09-18 08:00")).due);
	assert_int_equal(run_at(&life, date("2024-09-19 08:00")).reason, NOTICE_MOVED);
	rules[0].schedule.enforce = date("2024-10-20");
	assert_int_equal(run_at(&life, date("2024-09-19 09:00")).reason, NOTICE_MOVED);
	/* There is no date any more. */
	rules[0].schedule.enforce = SCHEDULE_NEVER;
	assert_false(run_at(&life, date("2024-10-04 08:00")).due);
	assert_int_equal(run_at(&life, date("2024-10-05 08:00")).reason, NOTICE_MOVED);
	assert_false(run_at(&life, date("2024-10-21 08:00")).due);
}

/* Whatever the phase is now: it moved together with notify, or there is none any more; and nothing
   else is told of a rule that is only observed again. */
static void test_a_date_that_moves_with_its_phase(void **state)
{
	(void)state;

	for (unsigned int i = 0; i < 2; i++) {
		struct life life = {0};

		set_up(NULL);
		rules[0].schedule.brownout_count = 0;
		login(&life, PHONE, ENCRYPTION, date("2024-08-01"));
		login(&life, LAPTOP, ENCRYPTION, date("2024-08-02"));
		assert_int_equal(run_at(&life, date("2024-08-02 08:00")).reason, NOTICE_FIRST);
		rules[0].schedule.notify = i == 0 ? date("2024-12-01") : SCHEDULE_NEVER;
		rules[0].schedule.enforce = i == 0 ? date("2025-02-01") : SCHEDULE_NEVER;
		login(&life, PHONE, ENCRYPTION, date("2024-09-01"));
		assert_false(run_at(&life, date("2024-09-02 08:00")).due);
		assert_int_equal(run_at(&life, date("2024-09-06 08:00")).reason, NOTICE_MOVED);
		login(&life, PHONE, ENCRYPTION, date("2024-11-01"));
		assert_false(run_at(&life, date("2024-11-02 08:00")).due);
	}
}

/* An earlier date concerns also who was told a later one, and whose device rests; not who has
   repaired it. */
static void test_an_earlier_date(void **state)
{
	(void)state;

	for (unsigned int repaired = 0; repaired < 2; repaired++) {
		struct life life = {0};

		set_up(NULL);
		rules[0].schedule.brownout_count = 0;
		rules[0].schedule.enforce = date("2025-03-01");
		for (time_t day = date("2024-06-01"); day < date("2024-06-04"); day += DAY)
			login(&life, PHONE, ENCRYPTION, day);
		remember(&life, NOTICE_FIRST, NOTICE_HANDED_OVER, ENCRYPTION,
			 date("2024-06-03 08:00"));
		life.past[0].dates[0] = date("2025-03-01");
		if (repaired == 1)
			login(&life, PHONE, 0, date("2024-06-10"));
		assert_false(plan_at(&life, date("2024-09-01 08:00")).due);
		rules[0].schedule.enforce = date("2024-12-01");
		assert_int_equal(run_at(&life, date("2024-09-01 09:00")).due, repaired == 0);
		assert_false(plan_at(&life, date("2024-09-02 08:00")).due);
	}
}

/* Who was told nothing of a date does not hear that it moved, nor who is let off; nor is it
   known of what was sent before dates were noted. */
static void test_moves_that_are_not_told(void **state)
{
	struct life life = {0};
	(void)state;

	login(&life, PHONE, ENCRYPTION, date("2024-09-01"));
	remember(&life, NOTICE_FIRST, NOTICE_HANDED_OVER, ENCRYPTION, date("2024-09-02"));
	rules[0].schedule.enforce = date("2024-12-20");
	assert_false(plan_at(&life, date("2024-09-10 08:00")).due);
	life.past[0].dates[0] = date("2024-09-20");
	assert_int_equal(plan_at(&life, date("2024-09-10 08:00")).reason, NOTICE_MOVED);
	life.past[0].state = NOTICE_FAILED;
	assert_int_equal(plan_at(&life, date("2024-09-10 08:00")).moved, 0);
	life.past[0].state = NOTICE_HANDED_OVER;
	rules[0].schedule.enforce = date("2024-09-20");
	life.exemptions[life.exemption_count++] =
		(struct exemption){.begin = SCHEDULE_ALWAYS, .end = date("2024-12-20")};
	assert_false(plan_at(&life, date("2024-09-10 08:00")).due);
	/* But that the exemption ends earlier than was told. */
	life.past[0].dates[0] = date("2025-02-01");
	assert_int_equal(plan_at(&life, date("2024-12-10 08:00")).moved, ENCRYPTION);
	assert_int_equal(plan_at(&life, date("2024-12-10 08:00")).reason, NOTICE_MOVED);
}

/* Who was let off was told when that ends; then the rule's own date, which is over, is no
   other one. */
static void test_an_exemption_that_has_ended(void **state)
{
	struct life life = {0};
	struct notice_plan plan;
	(void)state;

	rules[0].schedule.brownout_count = 0;
	life.exemptions[life.exemption_count++] =
		(struct exemption){.begin = SCHEDULE_ALWAYS, .end = date("2024-10-20")};
	login(&life, PHONE, ENCRYPTION, date("2024-10-04"));
	assert_true(run_at(&life, date("2024-10-05 08:00")).due);
	refuse(&life, PHONE, ENCRYPTION, date("2024-10-30 07:00"));
	plan = plan_at(&life, date("2024-10-30 08:00"));
	assert_int_equal(plan.reason, NOTICE_REFUSED);
	assert_int_equal(plan.moved, 0);
}

/* Runs that come late: one call for both that were missed. */
static void test_missed_runs(void **state)
{
	struct life life = {0};
	(void)state;

	login(&life, PHONE, ENCRYPTION, date("2024-07-01"));
	assert_int_equal(run_at(&life, date("2024-09-19 20:00")).reason, NOTICE_LAST_CALL);
	assert_false(run_at(&life, date("2024-09-19 21:00")).due);
}

static void test_refused_mails(void **state)
{
	struct life life = {0};
	(void)state;

	/* Not handed over yet: as if there were nothing. */
	login(&life, PHONE, ENCRYPTION, date("2024-06-02"));
	remember(&life, NOTICE_FIRST, NOTICE_INTENDED, ENCRYPTION, 0);
	assert_int_equal(plan_at(&life, date("2024-06-03")).reason, NOTICE_FIRST);
	/* Refused for good: again after the time of a reminder, still as the first. */
	life.past_count = 0;
	remember(&life, NOTICE_FIRST, NOTICE_FAILED, ENCRYPTION, date("2024-06-03"));
	login(&life, PHONE, ENCRYPTION, date("2024-06-16"));
	assert_false(plan_at(&life, date("2024-06-16")).due);
	assert_true(plan_at(&life, date("2024-06-17")).due);
	assert_int_equal(plan_at(&life, date("2024-06-17")).reason, NOTICE_FIRST);
	/* The last call is tried anyway, once. */
	assert_int_equal(plan_at(&life, date("2024-09-13")).reason, NOTICE_LAST_CALL);
	remember(&life, NOTICE_LAST_CALL, NOTICE_FAILED, ENCRYPTION, date("2024-09-13"));
	assert_false(plan_at(&life, date("2024-09-13 12:00")).due);
}

/* An address that nothing arrives at is not tried for ever. */
static void test_out_of_reach(void **state)
{
	struct life life = {0};
	(void)state;

	login(&life, PHONE, ENCRYPTION, date("2024-08-10"));
	remember(&life, NOTICE_FIRST, NOTICE_FAILED, ENCRYPTION, date("2024-06-03"));
	remember(&life, NOTICE_FIRST, NOTICE_FAILED, ENCRYPTION, date("2024-06-17"));
	assert_true(plan_at(&life, date("2024-08-10")).due);
	remember(&life, NOTICE_FIRST, NOTICE_FAILED, ENCRYPTION, date("2024-07-01"));
	assert_false(plan_at(&life, date("2024-08-10")).due);
	assert_int_equal(plan_at(&life, date("2024-09-13")).reason, NOTICE_LAST_CALL);
	/* One that arrived begins the count anew. */
	rules[0].schedule.brownout_count = 0;
	remember(&life, NOTICE_LAST_CALL, NOTICE_HANDED_OVER, ENCRYPTION, date("2024-07-15"));
	assert_int_equal(plan_at(&life, date("2024-08-10")).reason, NOTICE_REMINDER);
}

static void test_no_reminders(void **state)
{
	static const struct habit habits[] = {{"2024-06-02", "2024-08-01", PHONE, ENCRYPTION, 1}};
	static const struct told told[] = {{"2024-06-02", NOTICE_FIRST, ENCRYPTION}};
	(void)state;

	policy.notices.remind_every = 0;
	PLAY(habits, "2024-06-01", "2024-08-01", told);
}

static void test_no_last_calls(void **state)
{
	static const struct habit habits[] = {{"2024-09-18", "2024-09-25", PHONE, ENCRYPTION, 1}};
	static const struct told told[] = {{"2024-09-18", NOTICE_FIRST, ENCRYPTION}};
	(void)state;

	policy.notices.last_call_count = 0;
	PLAY(habits, "2024-06-01", "2024-10-25", told);
}

/* A rule that is enforced without a phase before tells those whom it refuses; in
   phase observe, and before, nobody is told of anything. */
static void test_other_phases(void **state)
{
	struct life life = {0};
	(void)state;

	login(&life, PHONE, COUNTRY | MECHANISM | ENCRYPTION, date("2024-05-20"));
	assert_false(plan_at(&life, date("2024-05-21")).due);
	assert_int_equal(plan_at(&life, date("2024-05-21")).rules, 0);
	life = (struct life){0};
	login(&life, PHONE, COUNTRY, date("2024-09-20"));
	assert_false(plan_at(&life, date("2024-09-21")).due);
	assert_false(plan_at(&life, date("2024-10-02")).due);
	login(&life, PHONE, COUNTRY, date("2024-10-02"));
	life.ways[0].refused = COUNTRY;
	assert_int_equal(run_at(&life, date("2024-10-03")).reason, NOTICE_REFUSED);
	assert_false(run_at(&life, date("2024-10-04")).due);
	/* Home again: no good news, for no settings were changed. */
	policy.notices.confirm_fixed = true;
	login(&life, PHONE, 0, date("2024-10-05"));
	assert_int_equal(plan_at(&life, date("2024-10-15")).fixed, COUNTRY);
	assert_false(plan_at(&life, date("2024-10-15")).due);
}

/* ---- how often ---- */

/* A last call leaves the time that it is called by, be it one run a day or one each hour,
   and whether there are quiet hours or not. */
static void test_last_calls_leave_their_time(void **state)
{
	static const unsigned int first_hours[] = {0, 7}, last_hours[] = {23, 19};
	(void)state;

	rules[0].schedule.brownout_count = 0;
	for (size_t i = 0; i < COUNT(first_hours); i++) {
		for (unsigned int once = 0; once < 2; once++) {
			struct life life = {0};
			time_t calls[2] = {0, 0};
			size_t count = 0;

			login(&life, PHONE, ENCRYPTION, date("2024-09-01"));
			remember(&life, NOTICE_FIRST, NOTICE_HANDED_OVER, ENCRYPTION,
				 date("2024-09-01 08:00"));
			for (time_t now = date("2024-09-02"); now < date("2024-09-20");
			     now += 3600) {
				unsigned int hour = (unsigned int)(now / 3600 + 2) % 24;

				if (hour < first_hours[i] || hour > last_hours[i] ||
				    (once == 1 && hour != last_hours[i]))
					continue;
				if (run_at(&life, now + 3599).due) {
					assert_true(count < COUNT(calls));
					calls[count++] = now + 3599;
				}
			}
			assert_int_equal(count, COUNT(calls));
			assert_true(date("2024-09-20") - calls[0] >= 7 * DAY);
			assert_true(date("2024-09-20") - calls[0] < 8 * DAY + DAY);
			assert_true(date("2024-09-20") - calls[1] >= 1 * DAY);
			assert_true(date("2024-09-20") - calls[1] < 2 * DAY + DAY);
		}
	}
}

/* Another rule is told of with the next reminder, unless its date is near. */
static void test_first_of_another_rule(void **state)
{
	static const struct habit habits[] = {{"2024-06-01", "2024-08-20", PHONE, ENCRYPTION, 1},
					      {"2024-07-02", "2024-08-20", LAPTOP, MECHANISM, 1}};
	static const struct told told[] = {{"2024-06-01", NOTICE_FIRST, ENCRYPTION},
					   {"2024-06-15", NOTICE_REMINDER, ENCRYPTION},
					   {"2024-07-02", NOTICE_FIRST, ENCRYPTION | MECHANISM},
					   {"2024-08-18", NOTICE_BROWNOUT, ENCRYPTION | MECHANISM}};
	struct life life = {0};
	(void)state;

	PLAY(habits, "2024-06-01", "2024-08-19", told);
	/* Two days after another mail is soon enough for a date three weeks away; the day after
	   it is not too soon where that would leave less than the last call's time. */
	rules[1].schedule.enforce = date("2024-08-01");
	login(&life, PHONE, ENCRYPTION, date("2024-07-09"));
	assert_true(run_at(&life, date("2024-07-10 08:00")).due);
	login(&life, PHONE, MECHANISM, date("2024-07-10 09:00"));
	assert_false(plan_at(&life, date("2024-07-11 08:00")).due);
	assert_int_equal(plan_at(&life, date("2024-07-12 08:00")).reason, NOTICE_FIRST);
	rules[1].schedule.enforce = date("2024-07-20");
	assert_int_equal(plan_at(&life, date("2024-07-11 08:00")).reason, NOTICE_FIRST);
	/* With weeks to go it waits for the reminder that would be due. */
	rules[1].schedule.enforce = date("2024-09-01");
	assert_false(plan_at(&life, date("2024-07-23 08:00")).due);
	assert_int_equal(plan_at(&life, date("2024-07-24 08:00")).reason, NOTICE_FIRST);
}

/* A reminder, and a last call, with another mail two days before or behind. */
static void test_two_days_are_one(void **state)
{
	struct life life = {0};
	(void)state;

	login(&life, PHONE, ENCRYPTION, date("2024-08-02"));
	remember(&life, NOTICE_FIRST, NOTICE_HANDED_OVER, ENCRYPTION, date("2024-08-01 08:00"));
	/* A brown-out is announced on the 17th. */
	assert_false(plan_at(&life, date("2024-08-16 08:00")).due);
	life.past[0].time = date("2024-07-20 08:00");
	assert_false(plan_at(&life, date("2024-08-03 08:00")).due);
	life.past[0].time = date("2024-07-15 08:00");
	assert_int_equal(plan_at(&life, date("2024-07-29 08:00")).reason, NOTICE_REMINDER);
	life.past[0].time = date("2024-08-01 08:00");
	assert_int_equal(plan_at(&life, date("2024-08-17 10:00")).reason, NOTICE_BROWNOUT);
	rules[0].schedule.brownout_count = 0;
	assert_int_equal(plan_at(&life, date("2024-08-16 08:00")).reason, NOTICE_REMINDER);
	/* The first mail says the date: no last call two days later. */
	life.past_count = 0;
	remember(&life, NOTICE_FIRST, NOTICE_HANDED_OVER, ENCRYPTION, date("2024-09-10 08:00"));
	assert_false(plan_at(&life, date("2024-09-14 08:00")).due);
	assert_int_equal(plan_at(&life, date("2024-09-18 08:00")).reason, NOTICE_LAST_CALL);
}

static void test_refused_after_a_last_call(void **state)
{
	struct life life = {0};
	(void)state;

	login(&life, PHONE, ENCRYPTION, date("2024-09-10"));
	assert_true(run_at(&life, date("2024-09-10 08:00")).due);
	assert_int_equal(run_at(&life, date("2024-09-18 08:00")).reason, NOTICE_LAST_CALL);
	refuse(&life, PHONE, ENCRYPTION, date("2024-09-20 07:00"));
	assert_false(plan_at(&life, date("2024-09-20 08:00")).due);
	/* It stays what was announced. */
	life.ways[1].last_seen = date("2024-10-20 07:00");
	assert_false(plan_at(&life, date("2024-10-20 08:00")).due);
	/* But not one that comes weeks later. */
	life.ways[1].first_seen = date("2024-10-20 07:00");
	assert_int_equal(plan_at(&life, date("2024-10-20 08:00")).reason, NOTICE_REFUSED);
}

/* Five mails in seven months are many, whatever they were about: no more reminders, and of a
   date the last of the last calls only. */
static void test_many_mails(void **state)
{
	struct life life = {0};
	(void)state;

	login(&life, PHONE, ENCRYPTION, date("2024-09-01"));
	remember(&life, NOTICE_FIRST, NOTICE_HANDED_OVER, ENCRYPTION, date("2024-08-20 08:00"));
	for (unsigned int i = 0; i < 4; i++)
		remember(&life, NOTICE_REMINDER, NOTICE_HANDED_OVER, MECHANISM,
			 date("2024-03-01") + i * DAY);
	rules[0].schedule.brownout_count = 0;
	assert_false(plan_at(&life, date("2024-09-04 08:00")).due);
	assert_int_equal(plan_at(&life, date("2024-09-04 08:00")).warnings, 1);
	assert_false(plan_at(&life, date("2024-09-12 08:00")).due);
	assert_int_equal(plan_at(&life, date("2024-09-18 08:00")).reason, NOTICE_LAST_CALL);
	/* Those of long ago do not count. */
	for (unsigned int i = 1; i < 5; i++)
		life.past[i].time -= 100 * DAY;
	assert_int_equal(plan_at(&life, date("2024-09-12 08:00")).reason, NOTICE_LAST_CALL);
	life.past_count--;
	assert_int_equal(plan_at(&life, date("2024-09-04 08:00")).reason, NOTICE_REMINDER);
}

/* However many, word of brown-outs among them, the last of the last calls goes, and what is
   refused is told; unless a mail of the last two weeks said the date. */
static void test_last_words(void **state)
{
	(void)state;

	for (unsigned int count = 4; count <= 7; count++) {
		struct life life = {0};

		login(&life, PHONE, ENCRYPTION, date("2024-09-01"));
		for (unsigned int i = 0; i < count; i++)
			remember(&life, i == 0 ? NOTICE_FIRST : NOTICE_BROWNOUT, NOTICE_HANDED_OVER,
				 ENCRYPTION, date("2024-09-04 08:00") - (count - i) * DAY);
		assert_false(plan_at(&life, date("2024-09-12 08:00")).due);
		assert_int_equal(plan_at(&life, date("2024-09-18 08:00")).reason, NOTICE_LAST_CALL);
		refuse(&life, PHONE, ENCRYPTION, date("2024-09-21 08:00"));
		assert_int_equal(plan_at(&life, date("2024-09-21 09:00")).reason, NOTICE_REFUSED);
		life.past[count - 1].time = date("2024-09-12 08:00");
		assert_false(plan_at(&life, date("2024-09-18 08:00")).due);
		assert_false(plan_at(&life, date("2024-09-21 09:00")).due);
	}
}

/* Eight are the most, but for what is new. */
static void test_too_many_mails(void **state)
{
	struct life life = {0};
	(void)state;

	rules[0].schedule.brownout_count = 0;
	login(&life, PHONE, ENCRYPTION, date("2024-09-01"));
	remember(&life, NOTICE_FIRST, NOTICE_HANDED_OVER, ENCRYPTION, date("2024-08-10 08:00"));
	life.past[0].dates[0] = date("2024-09-20");
	for (unsigned int i = 0; i < 7; i++)
		remember(&life, NOTICE_REMINDER, NOTICE_HANDED_OVER, MECHANISM,
			 date("2024-03-01") + i * DAY);
	assert_false(plan_at(&life, date("2024-09-18 08:00")).due);
	rules[0].schedule.enforce = date("2024-10-20");
	assert_int_equal(plan_at(&life, date("2024-09-12 08:00")).reason, NOTICE_MOVED);
	rules[0].schedule.enforce = date("2024-09-20");
	life.past[0].rules = MECHANISM;
	assert_true(plan_at(&life, date("2024-09-12 08:00")).due);
	life.past[0].rules = ENCRYPTION;
	life.past_count--;
	assert_int_equal(plan_at(&life, date("2024-09-18 08:00")).reason, NOTICE_LAST_CALL);
}

/* Who was told four times, and whose program works when all is in force, needs no good news. */
static void test_no_news(void **state)
{
	struct life life = {0};
	(void)state;

	policy.notices.confirm_fixed = true;
	login(&life, PHONE, ENCRYPTION, date("2024-06-01"));
	login(&life, PHONE, ENCRYPTION, date("2024-09-19"));
	for (unsigned int i = 0; i < 4; i++)
		remember(&life, NOTICE_REMINDER, NOTICE_HANDED_OVER, ENCRYPTION,
			 date("2024-06-01 08:00") + i * 20 * DAY);
	login(&life, PHONE, 0, date("2024-09-20"));
	login(&life, PHONE, 0, date("2024-12-20"));
	assert_false(plan_at(&life, date("2025-01-15")).due);
	assert_int_equal(plan_at(&life, date("2025-01-15")).fixed, ENCRYPTION);
	life.past_count = 3;
	assert_int_equal(plan_at(&life, date("2025-01-15")).reason, NOTICE_FIXED);
	life.past_count = 4;
	rules[0].schedule.enforce = date("2025-06-01");
	assert_int_equal(plan_at(&life, date("2025-01-15")).reason, NOTICE_FIXED);
}

/* Nobody can tell in time of what is seen first within the last week. */
static void test_who_cannot_be_told(void **state)
{
	struct life life = {0};
	(void)state;

	login(&life, PHONE, ENCRYPTION, date("2024-09-12 12:00"));
	assert_int_equal(plan_at(&life, date("2024-09-12 13:00")).late, 0);
	assert_int_equal(plan_at(&life, date("2024-09-12 13:00")).untold, ENCRYPTION);
	life.ways[0].first_seen += 2 * DAY;
	assert_int_equal(run_at(&life, date("2024-09-14 13:00")).late, ENCRYPTION);
	assert_int_equal(plan_at(&life, date("2024-09-14 14:00")).late, ENCRYPTION);
	assert_int_equal(plan_at(&life, date("2024-09-14 14:00")).untold, 0);
	assert_int_equal(plan_at(&life, date("2024-09-20 14:00")).late, 0);
	life.past[0].state = NOTICE_FAILED;
	assert_int_equal(plan_at(&life, date("2024-09-20 14:00")).failed, ENCRYPTION);
	assert_int_equal(plan_at(&life, date("2024-09-20 14:00")).late, ENCRYPTION);
}

/* Those to be told before a date, in whatever phase the rule is. */
static void test_who_is_to_be_told(void **state)
{
	struct life life = {0};
	(void)state;

	login(&life, PHONE, ENCRYPTION | MECHANISM, date("2024-05-12"));
	assert_int_equal(plan_at(&life, date("2024-05-13")).to_tell, ENCRYPTION);
	assert_int_equal(plan_at(&life, date("2024-05-13")).to_tell_by, date("2024-09-20"));
	assert_true(run_at(&life, date("2024-06-01 08:00")).due);
	assert_int_equal(plan_at(&life, date("2024-06-02")).to_tell, 0);
}

/* Two things at once: the one that comes first, and the date stands in it. */
static void test_brownout_within_the_last_calls(void **state)
{
	static const struct habit habits[] = {{"2024-08-01", "2024-09-20", PHONE, ENCRYPTION, 1}};
	static const struct told told[] = {{"2024-08-01", NOTICE_FIRST, ENCRYPTION},
					   {"2024-08-15", NOTICE_REMINDER, ENCRYPTION},
					   {"2024-09-12", NOTICE_BROWNOUT, ENCRYPTION},
					   {"2024-09-18", NOTICE_LAST_CALL, ENCRYPTION}};
	(void)state;

	brownouts[0] = (struct brownout){date("2024-09-14 10:00"), date("2024-09-14 14:00")};
	PLAY(habits, "2024-06-01", "2024-10-20", told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_whole_timetable, set_up),
		cmocka_unit_test_setup(test_pauses, set_up),
		cmocka_unit_test_setup(test_many_mails_of_other_things, set_up),
		cmocka_unit_test_setup(test_first_sighting_after_the_begin, set_up),
		cmocka_unit_test_setup(test_first_seen_within_the_last_calls, set_up),
		cmocka_unit_test_setup(test_gone_quiet, set_up),
		cmocka_unit_test_setup(test_fixed, set_up),
		cmocka_unit_test_setup(test_two_devices, set_up),
		cmocka_unit_test_setup(test_seen_in_observe_only, set_up),
		cmocka_unit_test_setup(test_seen_just_before_the_date, set_up),
		cmocka_unit_test_setup(test_rest, set_up),
		cmocka_unit_test_setup(test_open_ways, set_up),
		cmocka_unit_test_setup(test_good_news_of_all_devices, set_up),
		cmocka_unit_test_setup(test_good_news_after_a_holiday, set_up),
		cmocka_unit_test_setup(test_good_news_of_what_is_not_seen, set_up),
		cmocka_unit_test_setup(test_good_news_before_a_date, set_up),
		cmocka_unit_test_setup(test_one_good_news, set_up),
		cmocka_unit_test_setup(test_good_news, set_up),
		cmocka_unit_test_setup(test_one_mail_for_all_rules, set_up),
		cmocka_unit_test_setup(test_seldom_used, set_up),
		cmocka_unit_test_setup(test_back_again, set_up),
		cmocka_unit_test_setup(test_exempted_over_the_date, set_up),
		cmocka_unit_test_setup(test_exempted_with_a_seldom_device, set_up),
		cmocka_unit_test_setup(test_exempted_without_a_date, set_up),
		cmocka_unit_test_setup(test_exempted_from_one_of_two, set_up),
		cmocka_unit_test_setup(test_exempted_until_before_the_date, set_up),
		cmocka_unit_test_setup(test_exempted_from_another_rule, set_up),
		cmocka_unit_test_setup(test_exempted_over_a_brownout, set_up),
		cmocka_unit_test_setup(test_grace, set_up),
		cmocka_unit_test_setup(test_grace_that_was_told_at_midnight, set_up),
		cmocka_unit_test_setup(test_grace_of_who_is_not_told, set_up),
		cmocka_unit_test_setup(test_grace_and_exemption, set_up),
		cmocka_unit_test_setup(test_exempted_after_a_brownout, set_up),
		cmocka_unit_test_setup(test_brownouts_of_a_day, set_up),
		cmocka_unit_test_setup(test_a_country_that_is_added, set_up),
		cmocka_unit_test_setup(test_a_country_exemption_ends, set_up),
		cmocka_unit_test_setup(test_a_date_that_moves, set_up),
		cmocka_unit_test_setup(test_when_a_date_that_moved_is_told, set_up),
		cmocka_unit_test_setup(test_a_date_that_moves_with_its_phase, set_up),
		cmocka_unit_test_setup(test_an_earlier_date, set_up),
		cmocka_unit_test_setup(test_moves_that_are_not_told, set_up),
		cmocka_unit_test_setup(test_an_exemption_that_has_ended, set_up),
		cmocka_unit_test_setup(test_missed_runs, set_up),
		cmocka_unit_test_setup(test_refused_mails, set_up),
		cmocka_unit_test_setup(test_out_of_reach, set_up),
		cmocka_unit_test_setup(test_no_reminders, set_up),
		cmocka_unit_test_setup(test_no_last_calls, set_up),
		cmocka_unit_test_setup(test_other_phases, set_up),
		cmocka_unit_test_setup(test_last_calls_leave_their_time, set_up),
		cmocka_unit_test_setup(test_first_of_another_rule, set_up),
		cmocka_unit_test_setup(test_two_days_are_one, set_up),
		cmocka_unit_test_setup(test_refused_after_a_last_call, set_up),
		cmocka_unit_test_setup(test_many_mails, set_up),
		cmocka_unit_test_setup(test_last_words, set_up),
		cmocka_unit_test_setup(test_too_many_mails, set_up),
		cmocka_unit_test_setup(test_no_news, set_up),
		cmocka_unit_test_setup(test_who_cannot_be_told, set_up),
		cmocka_unit_test_setup(test_who_is_to_be_told, set_up),
		cmocka_unit_test_setup(test_brownout_within_the_last_calls, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
