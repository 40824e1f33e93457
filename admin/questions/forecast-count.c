#include "forecast-count.h"

#include <string.h>

#include "admin/notices/notice-plan.h"
#include "admin/sightings/mail-program.h"
#include "admin/store/rule-titles.h"
#include "admin/store/store-notices.h"
#include "admin/store/store-week.h"

/* The groups that a habit belongs to, as indexes. */
struct habit_groups {
	guint service, program, country;
};

struct counting {
	struct forecast *forecast;
	const struct sighting_judge *judge;
	int64_t now, since, week;
	int64_t quiet_since;         /* what was not seen since is not used any more */
	struct habit_groups *groups; /* by the habit's index */
	GHashTable *told;            /* when who was told first, by name */

	/* Of the user whose sightings come. */
	int64_t user_id;
	bool good, bad;              /* seen lately */
	bool bad_before;             /* seen before */
	int64_t good_last, bad_last; /* 0: never */
	int64_t told_at;             /* 0: was not */
	uint64_t broken;             /* rules, lately */
	uint64_t good_weeks, bad_weeks;
};

/* ---- groups ---- */

static void free_group(gpointer group)
{
	g_free(((struct forecast_group *)group)->name);
}

static GArray *groups_create(void)
{
	GArray *groups = g_array_new(FALSE, FALSE, sizeof(struct forecast_group));

	g_array_set_clear_func(groups, free_group);
	return groups;
}

/* The index of a name's group, which is made if there is none. */
static guint group_index(GArray *groups, GHashTable *known, const char *name)
{
	struct forecast_group group = {.last_user = STORE_NOBODY};
	gpointer index;

	if (g_hash_table_lookup_extended(known, name, NULL, &index))
		return GPOINTER_TO_UINT(index);
	group.name = g_strdup(name);
	g_array_append_val(groups, group);
	g_hash_table_insert(known, group.name, GUINT_TO_POINTER(groups->len - 1));
	return groups->len - 1;
}

static struct habit_groups *group_habits(struct forecast *forecast, const struct store *store)
{
	size_t count = store_habit_count(store);
	struct habit_groups *groups = g_new0(struct habit_groups, count + 1);
	GHashTable *services = g_hash_table_new(g_str_hash, g_str_equal);
	GHashTable *programs = g_hash_table_new(g_str_hash, g_str_equal);
	GHashTable *countries = g_hash_table_new(g_str_hash, g_str_equal);

	for (size_t i = 0; i < count; i++) {
		const struct store_habit *habit = store_habit(store, i);
		char *program = mail_program_versionless(habit->client_id);

		groups[i].service =
			group_index(forecast->services, services, service_name(habit->service));
		groups[i].program =
			group_index(forecast->programs, programs, program == NULL ? "" : program);
		groups[i].country =
			group_index(forecast->countries, countries, habit->country.code);
		g_free(program);
	}
	g_hash_table_destroy(services);
	g_hash_table_destroy(programs);
	g_hash_table_destroy(countries);
	return groups;
}

static void count_in_group(GArray *groups, guint index, int64_t user_id)
{
	struct forecast_group *group = &g_array_index(groups, struct forecast_group, index);

	if (group->last_user != user_id) {
		group->last_user = user_id;
		group->users++;
	}
}

/* ---- users ---- */

static void count_weeks(struct counting *counting)
{
	uint64_t active = counting->good_weeks | counting->bad_weeks;

	for (unsigned int i = 0; i < FORECAST_WEEKS; i++) {
		counting->forecast->weeks[i].active_users += active >> i & 1;
		counting->forecast->weeks[i].affected += counting->bad_weeks >> i & 1;
	}
}

static void count_rules(struct counting *counting, bool locked_out)
{
	for (unsigned int i = 0; i < RULES_MAX; i++) {
		if ((counting->broken & UINT64_C(1) << i) == 0)
			continue;
		counting->forecast->rules[i].users++;
		counting->forecast->rules[i].locked_out += locked_out;
	}
}

/* Whoever reads the mail has tried a few times more in the old way, but since then
   comes in another. */
static bool has_changed_when_told(const struct counting *counting)
{
	if (counting->told_at == 0 || counting->bad_last == 0)
		return false;
	return counting->good_last > MAX(counting->told_at, counting->bad_last) &&
	       (counting->bad_last < counting->told_at ||
		counting->bad_last < counting->quiet_since);
}

static void end_user(struct counting *counting)
{
	struct forecast *forecast = counting->forecast;

	count_weeks(counting);
	if (!counting->good && !counting->bad)
		return;
	forecast->active_users++;
	forecast->told += counting->told_at != 0;
	forecast->told_changed += has_changed_when_told(counting);
	if (!counting->bad) {
		forecast->fine++;
		forecast->changed += counting->bad_before;
	} else if (counting->good) {
		forecast->partly++;
	} else {
		forecast->locked_out++;
	}
	count_rules(counting, counting->bad && !counting->good);
}

static void begin_user(struct counting *counting, int64_t user_id, const char *user)
{
	const int64_t *told_at = g_hash_table_lookup(counting->told, user);

	counting->user_id = user_id;
	counting->told_at = told_at == NULL ? 0 : *told_at;
	counting->good_last = counting->bad_last = 0;
	counting->good = counting->bad = counting->bad_before = false;
	counting->broken = counting->good_weeks = counting->bad_weeks = 0;
}

static void count_lately(struct counting *counting, const struct store_sighting *sighting,
			 const struct sighting_verdict *verdict)
{
	const struct habit_groups *groups = &counting->groups[sighting->habit->index];
	struct forecast *forecast = counting->forecast;

	counting->broken |= verdict->broken;
	if (verdict->rejecting == 0) {
		counting->good = true;
		return;
	}
	counting->bad = true;
	count_in_group(forecast->services, groups->service, sighting->user_id);
	count_in_group(forecast->programs, groups->program, sighting->user_id);
	count_in_group(forecast->countries, groups->country, sighting->user_id);
}

static bool count(void *context, const struct store_sighting *sighting)
{
	struct counting *counting = context;
	struct sighting_verdict verdict;
	uint64_t weeks;

	if (!sighting_is_somebodys(sighting))
		return true;
	if (sighting->user_id != counting->user_id) {
		end_user(counting);
		begin_user(counting, sighting->user_id, sighting->user);
	}
	verdict = sighting_judge_ask(counting->judge, sighting);
	weeks = seen_weeks(sighting, counting->week);
	if (verdict.rejecting == 0) {
		counting->good_weeks |= weeks;
		counting->good_last = MAX(counting->good_last, sighting->last_seen);
	} else {
		counting->bad_weeks |= weeks;
		counting->bad_last = MAX(counting->bad_last, sighting->last_seen);
	}
	if (sighting->last_seen >= counting->since)
		count_lately(counting, sighting, &verdict);
	else
		counting->bad_before |= verdict.rejecting != 0;
	return true;
}

/* ---- notices ---- */

static bool add_told(void *context, const struct store_notice *notice)
{
	const struct counting *counting = context;
	const struct sighting_judge *judge = counting->judge;
	int64_t *time = g_hash_table_lookup(counting->told, notice->user);

	if (notice->state != NOTICE_HANDED_OVER || notice->reason == NOTICE_FIXED ||
	    store_notice_is_ahead(notice, counting->now) ||
	    (rule_titles_parse(judge->edition.policy, notice->rules) & judge->considered) == 0)
		return true;
	/* They come as they were made, which is not the order of --at. */
	if (time == NULL) {
		time = g_new(int64_t, 1);
		*time = notice->settled;
		g_hash_table_insert(counting->told, g_strdup(notice->user), time);
	}
	*time = MIN(*time, notice->settled);
	return true;
}

/* ---- the whole ---- */

static int compare_groups(gconstpointer one, gconstpointer other)
{
	const struct forecast_group *a = one, *b = other;

	if (a->users != b->users)
		return a->users < b->users ? 1 : -1;
	return strcmp(a->name, b->name);
}

/* Those that someone is in, the largest first. */
static void sort_groups(GArray *groups)
{
	guint len = 0;

	g_array_sort(groups, compare_groups);
	while (len < groups->len && g_array_index(groups, struct forecast_group, len).users > 0)
		len++;
	g_array_set_size(groups, len);
}

static void note_rules(struct forecast *forecast, const struct sighting_judge *judge)
{
	for (size_t i = 0; i < judge->edition.policy->rule_count; i++) {
		forecast->rules[i].considered = (judge->considered >> i & 1) != 0;
		forecast->rules[i].phase = schedule_phase(&judge->rules[i].schedule, judge->at);
	}
}

bool forecast_count(struct forecast *forecast_r, struct store *store,
		    const struct sighting_judge *judge, int64_t now, int64_t reference,
		    int64_t since)
{
	static const struct store_filter filter = {.verified = true, .names = true};
	struct counting counting = {.forecast = forecast_r,
				    .judge = judge,
				    .now = now,
				    .since = since,
				    .week = store_week(reference),
				    .quiet_since = reference - 3 * MILLISECONDS_A_DAY};
	bool answered;

	counting.told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	*forecast_r = (struct forecast){.at = judge->at,
					.reference = reference,
					.since = since,
					.services = groups_create(),
					.programs = groups_create(),
					.countries = groups_create()};
	note_rules(forecast_r, judge);
	counting.groups = group_habits(forecast_r, store);
	begin_user(&counting, STORE_NOBODY, "");
	answered = store_each_notice(store, NULL, add_told, &counting) &&
		   store_each_sighting(store, &filter, count, &counting);
	end_user(&counting);
	g_free(counting.groups);
	g_hash_table_destroy(counting.told);
	sort_groups(forecast_r->services);
	sort_groups(forecast_r->programs);
	sort_groups(forecast_r->countries);
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
	return forecast_count(forecast_r, inquiry->store, &judge, (int64_t)time(NULL) * 1000,
			      reference, inquiry_since(since, reference));
}

void forecast_free(struct forecast *forecast)
{
	g_clear_pointer(&forecast->services, g_array_unref);
	g_clear_pointer(&forecast->programs, g_array_unref);
	g_clear_pointer(&forecast->countries, g_array_unref);
}
