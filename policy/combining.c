#include "combining.h"

#include <stdlib.h>
#include <string.h>

#include "monotonic-clock.h"
#include "name-budget.h"
#include "repeats.h"

/* About ten thousand ways to the mail. */
#define MEMORY ((size_t)6 << 20)

/* What is told of several, or of nobody in particular, has none. */
static const char no_session[] = "\"session\":\"\",";

struct combining {
	struct repeats *repeats;
	struct name_budget names;
};

struct combining *combining_create(void)
{
	struct combining *combining = calloc(1, sizeof(*combining));

	if (combining == NULL)
		return NULL;
	combining->repeats = repeats_create(MEMORY);
	if (combining->repeats == NULL) {
		free(combining);
		return NULL;
	}
	return combining;
}

void combining_free(struct combining *combining)
{
	if (combining == NULL)
		return;
	repeats_free(combining->repeats);
	free(combining);
}

/* ---- what was counted ---- */

static bool write_repeat(const struct repeat *repeat, combining_write *write, void *context)
{
	struct sighting_line line = {
		.equal = repeat->text,
		.equal_length = repeat->length,
		.session = no_session,
		.session_length = strlen(no_session),
		.client = repeat->note,
		.time = repeat->first,
		.until = repeat->last,
		.count = repeat->count,
	};

	return repeat->count == 0 || write(context, &line);
}

static bool write_oldest(struct combining *combining, combining_write *write, void *context)
{
	if (!write_repeat(repeats_oldest(combining->repeats), write, context))
		return false;
	repeats_drop_oldest(combining->repeats);
	return true;
}

bool combining_write_due(struct combining *combining, combining_write *write, void *context)
{
	while (repeats_oldest_is_due(combining->repeats, monotonic_seconds())) {
		if (!write_oldest(combining, write, context))
			return false;
	}
	return true;
}

bool combining_write_all(struct combining *combining, combining_write *write, void *context)
{
	const struct repeat *repeat = repeats_oldest(combining->repeats);

	for (; repeat != NULL; repeat = repeats_next(combining->repeats, repeat)) {
		if (!write_repeat(repeat, write, context))
			return false;
		repeats_told(combining->repeats, repeat);
	}
	return true;
}

unsigned long combining_waiting(const struct combining *combining)
{
	return repeats_untold(combining->repeats);
}

/* ---- what comes ---- */

/* Counts it if it is known. */
static bool count(struct combining *combining, const struct sighting_line *line, time_t seconds)
{
	return repeats_count(combining->repeats, line->equal, line->equal_length, &line->time,
			     line->client, monotonic_seconds(), seconds);
}

/* Writes the line, and remembers it for so many seconds. */
static bool write_first(struct combining *combining, struct sighting_line *line, time_t seconds,
			combining_write *write, void *context)
{
	if (seconds == 0)
		return write(context, line);
	while (!repeats_have_room(combining->repeats, line->equal_length)) {
		if (!write_oldest(combining, write, context))
			return false;
	}
	if (!write(context, line))
		return false;
	repeats_add(combining->repeats, line->equal, line->equal_length, monotonic_seconds(),
		    seconds);
	return true;
}

static bool write_nameless(struct combining *combining, const struct sighting_record *record,
			   combining_write *write, void *context)
{
	static const char nobody[] = SIGHTING_NOBODY;
	char equal[SIGHTING_LINE_SIZE + sizeof(nobody)];
	struct sighting_line line = sighting_line_of(record);

	memcpy(equal, record->text, record->server_length);
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): its length goes with it */
	memcpy(equal + record->server_length, nobody, strlen(nobody));
	line.equal = equal;
	line.equal_length = record->server_length + strlen(nobody);
	line.session = no_session;
	line.session_length = strlen(no_session);
	line.client = "";
	return count(combining, &line, nameless_seconds(record->combine_seconds)) ||
	       write_first(combining, &line, nameless_seconds(record->combine_seconds), write,
			   context);
}

bool combining_take(struct combining *combining, const struct sighting_record *record,
		    combining_write *write, void *context)
{
	struct sighting_line line = sighting_line_of(record);
	/* Of those who are fine, none comes twice a day. */
	time_t seconds = record->breaks_rule ? record->combine_seconds : 0;

	if (seconds > 0 && count(combining, &line, seconds))
		return true;
	if (!name_budget_allows(&combining->names, record->verified, record->unverified_per_minute))
		return write_nameless(combining, record, write, context);
	if (!write_first(combining, &line, seconds, write, context))
		return false;
	name_budget_spend(&combining->names, record->verified);
	return true;
}
