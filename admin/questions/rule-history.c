#include "rule-history.h"

#include <glib.h>
#include <string.h>

#include "admin/store/store-week.h"

struct rule_histories {
	struct rule_history histories[RULES_MAX];
	int64_t week;    /* the present one */
	uint64_t *rules; /* for each rule set, a bit for each rule of the policy */

	/* Of the user whose sightings come. */
	int64_t user_id;
	uint64_t seen; /* rules */
	uint64_t weeks[RULES_MAX];
};

static void end_user(struct rule_histories *counting)
{
	for (uint64_t left = counting->seen; left != 0; left &= left - 1) {
		unsigned int rule = (unsigned int)__builtin_ctzll(left);
		uint64_t weeks = counting->weeks[rule];
		uint64_t windows = weeks;

		for (unsigned int i = 1; i < HISTORY_WINDOW; i++)
			windows |= weeks >> i;
		for (; windows != 0; windows &= windows - 1)
			counting->histories[rule].windows[__builtin_ctzll(windows)]++;
		counting->weeks[rule] = 0;
	}
	counting->seen = 0;
}

void rule_histories_add(struct rule_histories *counting, const struct store_sighting *sighting)
{
	uint64_t weeks = seen_weeks(sighting, counting->week);
	uint64_t rules = counting->rules[sighting->rules->index];

	if (sighting->user_id != counting->user_id) {
		end_user(counting);
		counting->user_id = sighting->user_id;
	}
	counting->seen |= rules;
	for (uint64_t left = rules; left != 0; left &= left - 1)
		counting->weeks[__builtin_ctzll(left)] |= weeks;
}

static void find_rules(uint64_t *rules, const struct store *store, const struct policy *policy)
{
	for (size_t i = 0; i < store_rule_set_count(store); i++) {
		const struct store_rule_set *set = store_rule_set(store, i);

		for (size_t j = 0; j < set->rule_count; j++) {
			const struct rule *rule = policy_rule(policy, set->rules[j].title);

			if (rule != NULL)
				rules[i] |= UINT64_C(1) << rule->index;
		}
	}
}

struct rule_histories *rule_histories_begin(const struct store *store, const struct policy *policy,
					    int64_t now)
{
	struct rule_histories *counting = g_new0(struct rule_histories, 1);

	counting->week = store_week(now);
	counting->rules = g_new0(uint64_t, store_rule_set_count(store) + 1);
	find_rules(counting->rules, store, policy);
	return counting;
}

void rule_histories_end(struct rule_histories *counting, struct rule_history histories_r[RULES_MAX])
{
	end_user(counting);
	if (histories_r != NULL)
		memcpy(histories_r, counting->histories, sizeof(counting->histories));
	g_free(counting->rules);
	g_free(counting);
}

static time_t first_date(const struct schedule *schedule)
{
	time_t first = schedule->observe;

	if (schedule->notify < first)
		first = schedule->notify;
	return schedule->enforce < first ? schedule->enforce : first;
}

static bool note_first_day(void *context, const struct store_day *day)
{
	int64_t *first = context;

	*first = day->day * MILLISECONDS_A_DAY;
	return false;
}

bool rule_history_first_record(struct store *store, int64_t now, int64_t *first_r)
{
	*first_r = now;
	return store_each_day(store, 0, note_first_day, first_r);
}

bool rule_history_at_start(const struct rule_history *history, const struct schedule *schedule,
			   int64_t first_record, int64_t now, uint64_t *users_r)
{
	time_t date = first_date(schedule);
	int64_t begin = first_record, ago;

	if (date != SCHEDULE_ALWAYS && date != SCHEDULE_NEVER)
		begin = MAX(begin, (int64_t)date * 1000);
	ago = MIN(store_week(now) - store_week(begin), HISTORY_WEEKS - 1);
	/* A window is named after its last week. */
	if (ago < HISTORY_WINDOW)
		return false;
	*users_r = history->windows[ago - (HISTORY_WINDOW - 1)];
	return true;
}
