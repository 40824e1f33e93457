#include "combining.h"

#include <stdlib.h>

#include "allowance.h"
#include "monotonic-clock.h"
#include "name-budget.h"

#define NAMELESS_PART 8

struct combining {
	struct combining_teller teller;
	struct repeats *repeats;
	/* Apart, so that nothing that came later makes strangers' attempts new ones. */
	struct repeats *nameless;
	struct name_budget names;
	struct allowance details; /* by user */
};

struct combining *combining_create(size_t memory, const struct combining_teller *teller)
{
	struct combining *combining = calloc(1, sizeof(*combining));

	if (combining == NULL)
		return NULL;
	combining->teller = *teller;
	combining->repeats = repeats_create(memory);
	combining->nameless = repeats_create(memory / NAMELESS_PART);
	if (combining->repeats != NULL && combining->nameless != NULL)
		return combining;
	combining_free(combining);
	return NULL;
}

void combining_free(struct combining *combining)
{
	if (combining == NULL)
		return;
	repeats_free(combining->repeats);
	repeats_free(combining->nameless);
	free(combining);
}

/* ---- what was counted ---- */

static bool tell_repeat(struct combining *combining, const struct repeat *repeat)
{
	return repeat->count == 0 ||
	       combining->teller.tell_repeat(combining->teller.context, repeat);
}

static bool tell_oldest(struct combining *combining, struct repeats *repeats)
{
	if (!tell_repeat(combining, repeats_oldest(repeats)))
		return false;
	repeats_drop_oldest(repeats);
	return true;
}

/* Those of which something is due; NULL: none. */
static struct repeats *find_due(const struct combining *combining)
{
	time_t now = monotonic_seconds();

	if (repeats_oldest_is_due(combining->repeats, now))
		return combining->repeats;
	return repeats_oldest_is_due(combining->nameless, now) ? combining->nameless : NULL;
}

bool combining_is_due(const struct combining *combining)
{
	return find_due(combining) != NULL;
}

bool combining_tell_due(struct combining *combining)
{
	struct repeats *due = find_due(combining);

	return due == NULL || tell_oldest(combining, due);
}

static bool tell_all(struct combining *combining, struct repeats *repeats)
{
	const struct repeat *repeat = repeats_oldest(repeats);

	for (; repeat != NULL; repeat = repeats_next(repeats, repeat)) {
		if (!tell_repeat(combining, repeat))
			return false;
		repeats_told(repeats, repeat);
	}
	return true;
}

bool combining_tell_all(struct combining *combining)
{
	return tell_all(combining, combining->repeats) && tell_all(combining, combining->nameless);
}

unsigned long combining_waiting(const struct combining *combining)
{
	return repeats_untold(combining->repeats) + repeats_untold(combining->nameless);
}

/* ---- what comes ---- */

static bool count(struct repeats *repeats, const struct combining_attempt *attempt,
		  const struct combining_words *words)
{
	return repeats_count(repeats, words->text, words->length, &attempt->time, attempt->note,
			     monotonic_seconds(), attempt->seconds);
}

/* Tells of it, and remembers it for its time. */
static bool tell_first(struct combining *combining, struct repeats *repeats,
		       const struct combining_attempt *attempt, enum detail detail,
		       const struct combining_words *words)
{
	const struct combining_teller *teller = &combining->teller;

	if (attempt->seconds == 0)
		return teller->tell(teller->context, attempt->original, detail, words);
	while (!repeats_have_room(repeats, words->length)) {
		if (!tell_oldest(combining, repeats))
			return false;
	}
	if (!teller->tell(teller->context, attempt->original, detail, words))
		return false;
	repeats_add(repeats, words->text, words->length, monotonic_seconds(), attempt->seconds);
	return true;
}

/* Whether one more is told with all details: of a user, by what is his own; of strangers,
   by what is theirs together. */
static bool details_are_left(struct combining *combining, const struct combining_attempt *attempt)
{
	if (!attempt->verified)
		return name_budget_allows(&combining->names, attempt->unverified_per_minute);
	return attempt->seconds == 0 ||
	       allowance_is_left(&combining->details, monotonic_seconds() / attempt->seconds,
				 attempt->user, attempt->user_length, COMBINING_DETAILED_MAX);
}

static void spend_details(struct combining *combining, const struct combining_attempt *attempt)
{
	if (!attempt->verified)
		name_budget_spend(&combining->names);
	else if (attempt->seconds > 0)
		allowance_take(&combining->details, monotonic_seconds() / attempt->seconds,
			       attempt->user, attempt->user_length, COMBINING_DETAILED_MAX);
}

static bool take_without_details(struct combining *combining,
				 const struct combining_attempt *attempt,
				 char buffer[static COMBINING_WORDS_SIZE])
{
	enum detail detail = attempt->verified ? DETAIL_USER : DETAIL_NOBODY;
	struct combining_words words = combining->teller.words(attempt->original, detail, buffer);
	struct combining_attempt less = *attempt;
	struct repeats *repeats = combining->repeats;

	if (!attempt->verified) {
		less.seconds = nameless_seconds(attempt->seconds);
		less.note = "";
		repeats = combining->nameless;
	}
	return count(repeats, &less, &words) ||
	       tell_first(combining, repeats, &less, detail, &words);
}

bool combining_take(struct combining *combining, const struct combining_attempt *attempt)
{
	char buffer[COMBINING_WORDS_SIZE];
	struct combining_words words =
		combining->teller.words(attempt->original, DETAIL_ALL, buffer);

	if (attempt->seconds > 0 && count(combining->repeats, attempt, &words))
		return true;
	if (!details_are_left(combining, attempt))
		return take_without_details(combining, attempt, buffer);
	if (!tell_first(combining, combining->repeats, attempt, DETAIL_ALL, &words))
		return false;
	spend_details(combining, attempt);
	return true;
}
