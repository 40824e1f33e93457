#include "import-clock.h"

#include <glib.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

/* So long after the newest line, the clock is believed. */
#define TRUST (2 * MILLISECONDS_A_DAY)

static int64_t machine_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t import_clock_now(const struct import_clock *clock)
{
	return clock->at != 0 ? clock->at : machine_now();
}

int64_t import_clock_reference(const struct import_clock *clock)
{
	return MIN(import_clock_now(clock), clock->newest.time + TRUST);
}

bool import_clock_is_past(const struct import_clock *clock, int64_t time, int64_t seconds)
{
	return clock->newest.confirmed && time < import_clock_reference(clock) - seconds * 1000;
}

bool import_clock_is_sure(const struct import_clock *clock)
{
	if (clock->at != 0)
		return false;
	return clock->forced ||
	       (clock->newest.confirmed && llabs(clock->machine - clock->newest.time) <= TRUST);
}

/* ---- a clock that is behind ---- */

/* A time that has passed, and who says so. */
struct witness {
	const char *name;
	int64_t time;
};

static void hear(struct witness *latest, const char *name, int64_t time)
{
	if (time > latest->time)
		*latest = (struct witness){name, time};
}

/* An import long after all lines may have been one by a clock that had jumped ahead. */
static bool last_import_counts(const struct store_newest *newest, int64_t last_import)
{
	return newest->time == 0 || last_import <= newest->time + STORE_LEAP;
}

/* False when the store fails. */
static bool find_witness(const struct import_clock *clock, struct store *store,
			 struct witness *latest_r)
{
	struct store_totals totals;

	*latest_r = (struct witness){0};
	if (!store_totals(store, &totals))
		return false;
	/* Which was dated by the machine's clock, whatever the operator says. */
	if (clock->at == 0 && last_import_counts(&clock->newest, totals.own_import))
		hear(latest_r, "the last import", totals.own_import);
	if (clock->newest.confirmed)
		hear(latest_r, "the newest record", clock->newest.time);
	return true;
}

static bool fail_impossible(struct import_clock *clock)
{
	clock->failure.status = EX_TEMPFAIL;
	g_strlcpy(clock->failure.text,
		  "the clock is wrong: it shows a time before the first version of Portcullis; all "
		  "lines stay in the journal until it is set",
		  sizeof(clock->failure.text));
	return false;
}

static bool fail_behind(struct import_clock *clock, int64_t now, const struct witness *latest)
{
	char date[DATE_TEXT_SIZE], later[DATE_TEXT_SIZE];

	date_format((time_t)(now / 1000), date);
	date_format((time_t)(latest->time / 1000), later);
	clock->failure.status = EX_TEMPFAIL;
	g_snprintf(clock->failure.text, sizeof(clock->failure.text),
		   "%s (%.10s) is more than a day behind %s (%.10s), so all lines stay in the "
		   "journal; if it is right, 'portcullis import --force' imports them",
		   clock->at != 0 ? "--at" : "the clock", date, latest->name, later);
	return false;
}

bool import_clock_read(struct import_clock *clock, struct store *store)
{
	struct witness latest;
	int64_t now;

	clock->machine = machine_now();
	now = clock->at != 0 ? clock->at : clock->machine;
	clock->present = MAX(now, clock->machine);
	clock->failure = (struct store_failure){0};
	if (clock->machine < FIRST_TIME)
		return fail_impossible(clock);
	if (!store_newest(store, &clock->newest) || !find_witness(clock, store, &latest))
		return false;
	return clock->forced || now >= latest.time - MILLISECONDS_A_DAY ||
	       fail_behind(clock, now, &latest);
}
