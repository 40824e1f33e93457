#include "suspect-habits.h"

#include <glib.h>

/* Where a client may have been. What is in a network of the configuration is let in rather than
   what is not. */
static const char *const whereabouts[] = {"local", "public", NULL};

/* Without a country, that of the client's address counts, which may be any. */
static bool may_be_anywhere(const struct sighting_judge *judge, const struct store_habit *habit)
{
	const struct policy *policy = judge->edition.policy;

	if (habit->country.code[0] != '\0' || judge->edition.countries == NULL)
		return false;
	for (size_t i = 0; i < policy->rule_count; i++) {
		if (policy->rules[i].kind == KIND_COUNTRY && (judge->considered >> i & 1) != 0 &&
		    (policy->rules[i].services & SERVICE_BIT(habit->service)) != 0)
			return true;
	}
	return false;
}

static bool is_suspect(const struct sighting_judge *judge, const struct store_habit *habit,
		       uint64_t *untold)
{
	static const struct store_rule_set clean;
	/* Whether that was submitted depends on where it came from. */
	bool suspect = habit->service == SERVICE_SMTP || may_be_anywhere(judge, habit);

	for (size_t i = 0; i < G_N_ELEMENTS(whereabouts); i++) {
		const struct store_sighting sighting = {
			.verified = true,
			.habit = habit,
			.rules = &clean,
			.last_client = "",
			.whereabouts = whereabouts[i],
		};
		struct sighting_verdict verdict = sighting_judge_ask(judge, &sighting);

		suspect |= verdict.broken != 0;
		*untold |= verdict.untold;
	}
	return suspect;
}

bool *suspect_habits_find(const struct sighting_judge *judge, const struct store *store,
			  uint64_t *untold_r)
{
	size_t count = store_habit_count(store);
	bool *suspects = g_new0(bool, count + 1);

	*untold_r = 0;
	for (size_t i = 0; i < count; i++)
		suspects[i] = is_suspect(judge, store_habit(store, i), untold_r);
	return suspects;
}
