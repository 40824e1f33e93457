#include "watch.h"

#include <string.h>

#include "admin/sightings/sighting-judge.h"
#include "admin/store/rule-titles.h"
#include "admin/store/store-notices.h"
#include "admin/terminal/display.h"
#include "mend.h"

#define SOON (7 * SECONDS_A_DAY)

/* How long they are let off: time to tell them. */
#define EXEMPTION_DAYS 30

/* A rule that is enforced within a week, be it for some hours. */
struct coming {
	const struct rule *rule;
	time_t date;
	struct sighting_judge judge; /* on that day */
	GHashTable *users;           /* who break it, by name */
};

struct untold {
	struct doctor *doctor;
	int64_t since;
	struct coming *coming;
	size_t count;
};

/* A brown-out, too. */
static time_t next_enforced(const struct schedule *schedule, time_t now)
{
	enum phase phase;
	time_t date = now;

	do
		date = schedule_next_change(schedule, date, &phase);
	while (date <= now + SOON && phase != PHASE_ENFORCE);
	return date <= now + SOON ? date : SCHEDULE_NEVER;
}

struct untold *untold_begin(struct doctor *doctor)
{
	const struct edition edition = loaded_edition(&doctor->inquiry->loaded);
	struct untold *untold = g_new0(struct untold, 1);

	untold->doctor = doctor;
	untold->since = (int64_t)doctor->now * 1000 - LATELY;
	untold->coming = g_new0(struct coming, doctor->policy->rule_count);
	for (size_t i = 0; i < doctor->policy->rule_count; i++) {
		const struct rule *rule = &doctor->policy->rules[i];
		struct coming *coming = &untold->coming[untold->count];

		coming->date = next_enforced(&rule->schedule, doctor->now);
		if (coming->date == SCHEDULE_NEVER)
			continue;
		coming->rule = rule;
		sighting_judge_init(&coming->judge, &edition, coming->date, false);
		coming->users = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
		untold->count++;
	}
	return untold;
}

void untold_take(struct untold *untold, const struct store_sighting *sighting)
{
	for (size_t i = 0; i < untold->count; i++) {
		struct coming *coming = &untold->coming[i];
		uint64_t bit = UINT64_C(1) << coming->rule->index;

		if (sighting->last_seen >= untold->since && sighting_is_somebodys(sighting) &&
		    (sighting_judge_ask(&coming->judge, sighting).rejecting & bit) != 0)
			g_hash_table_add(coming->users, g_strdup(sighting->user));
	}
}

/* Who was told. */
static bool take_notice(void *context, const struct store_notice *notice)
{
	struct untold *untold = context;
	uint64_t rules = rule_titles_parse(untold->doctor->policy, notice->rules);

	if (notice->state != NOTICE_HANDED_OVER)
		return true;
	for (size_t i = 0; i < untold->count; i++) {
		if ((rules & (UINT64_C(1) << untold->coming[i].rule->index)) != 0)
			g_hash_table_remove(untold->coming[i].users, notice->user);
	}
	return true;
}

static void add(const struct untold *untold, const struct coming *coming)
{
	struct doctor *doctor = untold->doctor;
	guint count = g_hash_table_size(coming->users);
	char day[ISO_DAY_TEXT_SIZE], until[ISO_DAY_TEXT_SIZE];
	char *title, *where;

	if (count == 0)
		return;
	iso_day_format(coming->date, day);
	iso_day_format(coming->date + EXEMPTION_DAYS * SECONDS_A_DAY, until);
	title = mend_word(coming->rule->title);
	where = g_strdup_printf("%s: rule %s", doctor->policy->file, coming->rule->title);
	finding_add(&doctor->findings, FINDING_ENFORCED_UNTOLD, where,
		    g_strdup_printf("portcullis exempt --current-offenders %s --until %s "
				    "--reason untold",
				    title, until),
		    "the rule %s refuses %u people from %s on%s who were not told",
		    coming->rule->title, count, day,
		    coming->date == coming->rule->schedule.enforce ? "" : ", in a brown-out,");
	g_free(where);
	g_free(title);
}

bool untold_end(struct untold *untold)
{
	bool fine = untold->count == 0 ||
		    store_each_notice(untold->doctor->inquiry->store, NULL, take_notice, untold);

	for (size_t i = 0; i < untold->count; i++) {
		if (fine)
			add(untold, &untold->coming[i]);
		g_hash_table_unref(untold->coming[i].users);
	}
	g_free(untold->coming);
	g_free(untold);
	return fine;
}
