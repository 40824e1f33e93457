#include <glib.h>

#include "store.h"

#define LEAP_DAYS (STORE_LEAP / MILLISECONDS_A_DAY)

struct dated_day {
	int64_t day, last_line;
};

static bool note_day(void *context, const struct store_day *day)
{
	const struct dated_day dated = {day->day, day->last_line};
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

static bool begins_anew(const GArray *days, guint i)
{
	return i == 0 || day_at(days, i)->day - day_at(days, i - 1)->day > LEAP_DAYS;
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
	return begins_anew(days, first) && count_days_since(days, first) >= STORE_CONFIRMING_DAYS;
}

/* There is a day. */
static struct store_newest find_newest(const GArray *days, int64_t latest)
{
	struct store_newest newest = {.confirmed = true};
	guint i = days->len - 1;

	while (i > 0 && !is_confirmed(days, i))
		i--;
	newest.confirmed = is_confirmed(days, i);
	while (i + 1 < days->len && !begins_anew(days, i + 1))
		i++;
	newest.time = MIN((day_at(days, i)->day + 1) * MILLISECONDS_A_DAY - 1, latest);
	return newest;
}

bool store_newest(struct store *store, struct store_newest *newest_r)
{
	GArray *days = g_array_new(FALSE, FALSE, sizeof(struct dated_day));
	int64_t latest = 0;
	bool answered = store_each_day(store, 0, note_day, days) &&
			store_each_writer(store, note_writer, &latest);

	*newest_r = (struct store_newest){0};
	if (answered && days->len > 0)
		*newest_r = find_newest(days, latest == 0 ? INT64_MAX : latest);
	g_array_unref(days);
	return answered;
}
