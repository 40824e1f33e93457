#include <glib.h>

#include "store-backend.h"

#define LEAP_DAYS (STORE_LEAP / MILLISECONDS_A_DAY)

/* ---- days ---- */

struct dated_day {
	int64_t day, last_line;
	bool confirmed;
};

static bool note_day(void *context, const struct store_day *day)
{
	const struct dated_day dated = {day->day, day->last_line, day->confirmed};
	GArray *days = context;

	if (day->sightings > 0)
		g_array_append_val(days, dated);
	return true;
}

static bool note_writer(void *context, const struct store_writer *writer)
{
	int64_t *latest = context;

	*latest = MAX(*latest, writer->last_seen);
	return true;
}

static const struct dated_day *day_at(const GArray *days, guint i)
{
	return &g_array_index(days, struct dated_day, i);
}

/* ---- spells: days that follow each other without a leap ---- */

static bool begins_spell(const GArray *days, guint i)
{
	return i == 0 || day_at(days, i)->day - day_at(days, i - 1)->day > LEAP_DAYS;
}

static guint end_of_spell(const GArray *days, guint i)
{
	do
		i++;
	while (i < days->len && !begins_spell(days, i));
	return i;
}

/* From this one on, and with lines that came after all of the days before it. */
static guint count_days_since(const GArray *days, guint first)
{
	int64_t last_before = INT64_MIN;
	guint count = 0;

	for (guint i = 0; i < first; i++)
		last_before = MAX(last_before, day_at(days, i)->last_line);
	for (guint i = first; i < days->len; i++)
		count += day_at(days, i)->last_line > last_before;
	return count;
}

static bool is_confirmed(const GArray *days, guint first)
{
	for (guint i = first; i < end_of_spell(days, first); i++) {
		if (day_at(days, i)->confirmed)
			return true;
	}
	return count_days_since(days, first) >= STORE_CONFIRMING_DAYS;
}

/* The latest spell that can be relied on. */
struct spell {
	guint first, end; /* the same where there is no day */
	bool confirmed;
};

static struct spell find_spell(const GArray *days)
{
	struct spell spell = {0};

	for (guint i = days->len; i-- > 0 && !spell.confirmed;) {
		if (begins_spell(days, i))
			spell = (struct spell){i, end_of_spell(days, i), is_confirmed(days, i)};
	}
	return spell;
}

/* ---- the whole ---- */

bool store_newest(struct store *store, struct store_newest *newest_r)
{
	GArray *days = g_array_new(FALSE, FALSE, sizeof(struct dated_day));
	int64_t latest = 0;
	bool answered = store_each_day(store, 0, note_day, days) &&
			store_each_writer(store, note_writer, &latest);
	struct spell spell = find_spell(days);

	*newest_r = (struct store_newest){.confirmed = spell.confirmed};
	if (spell.end > 0)
		newest_r->time = (day_at(days, spell.end - 1)->day + 1) * MILLISECONDS_A_DAY - 1;
	if (latest != 0)
		newest_r->time = MIN(newest_r->time, latest);
	g_array_unref(days);
	return answered;
}

bool store_confirm_newest(struct store *store)
{
	GArray *days = g_array_new(FALSE, FALSE, sizeof(struct dated_day));
	bool fine = store_each_day(store, 0, note_day, days);
	struct spell spell = find_spell(days);

	if (fine && spell.confirmed)
		fine = store->backend->confirm_days(store, day_at(days, spell.first)->day,
						    day_at(days, spell.end - 1)->day);
	g_array_unref(days);
	return fine;
}
