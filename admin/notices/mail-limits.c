#include "mail-limits.h"

#include <inttypes.h>

#include "admin/terminal/display.h"
#include "policy/schedule.h"

#define HOUR ((time_t)3600)
#define DAY_MINUTES 1440U

/* Those who are to be told before one date. */
struct date_demand {
	gint64 date; /* first: the key */
	time_t from; /* the first of them may be told */
	uint64_t people;
};

struct mail_demand {
	GHashTable *dates; /* of struct date_demand */
};

unsigned int mail_limit_an_hour(const struct notice_settings *settings)
{
	unsigned int run = settings->max_per_run, hour = settings->max_per_hour;

	return run == 0 || (hour != 0 && hour < run) ? hour : run;
}

/* Of a day whose clock is not changed. A part of an hour is one: a run may be in it. */
static unsigned int open_hours(const struct quiet_hours *quiet)
{
	unsigned int length = (quiet->end + DAY_MINUTES - quiet->begin) % DAY_MINUTES;

	return (DAY_MINUTES - length + 59) / 60;
}

/* Whole days all alike, and the rest hour by hour. */
uint64_t mail_hours(const struct notice_settings *settings, time_t from, time_t until)
{
	uint64_t days = until > from ? (uint64_t)(until - from) / (24 * HOUR) : 0;
	uint64_t hours = days * open_hours(&settings->quiet_hours);

	for (time_t hour = from + (time_t)days * 24 * HOUR; hour < until; hour += HOUR)
		hours += !quiet_hours_contain(&settings->quiet_hours, hour);
	return hours;
}

struct mail_demand *mail_demand_create(void)
{
	struct mail_demand *demand = g_new0(struct mail_demand, 1);

	demand->dates = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
	return demand;
}

void mail_demand_free(struct mail_demand *demand)
{
	g_hash_table_unref(demand->dates);
	g_free(demand);
}

void mail_demand_add(struct mail_demand *demand, time_t from, time_t date)
{
	gint64 key = date;
	struct date_demand *found = g_hash_table_lookup(demand->dates, &key);

	if (found == NULL) {
		found = g_new(struct date_demand, 1);
		*found = (struct date_demand){.date = date, .from = from};
		g_hash_table_add(demand->dates, found);
	}
	found->from = MIN(found->from, from);
	found->people++;
}

void mail_demand_add_plan(struct mail_demand *demand, const struct notice_plan *plan)
{
	if (plan->to_tell != 0)
		mail_demand_add(demand, plan->to_tell_from, plan->to_tell_by);
}

static int compare_dates(gconstpointer one, gconstpointer other)
{
	const struct date_demand *a = one, *b = other;

	return (a->date > b->date) - (a->date < b->date);
}

/* Since who was never told goes first, no other mail takes their place. */
bool mail_limits_fall_short(const struct notice_settings *settings, struct mail_demand *demand,
			    time_t now, struct mail_shortage *shortage_r)
{
	unsigned int limit = mail_limit_an_hour(settings);
	GList *dates = g_list_sort(g_hash_table_get_keys(demand->dates), compare_dates);
	time_t from = SCHEDULE_NEVER;
	uint64_t people = 0;
	bool found = false;

	for (GList *date = dates; date != NULL && limit > 0 && !found; date = date->next) {
		const struct date_demand *next = date->data;
		uint64_t hours;

		from = MIN(from, next->from);
		people += next->people;
		hours = mail_hours(settings, MAX(now, from), next->date);
		found = people > hours * limit;
		*shortage_r = (struct mail_shortage){
			.date = next->date,
			.people = people,
			.allowed = hours * limit,
			.needed_an_hour = hours == 0 ? 0 : (people + hours - 1) / hours,
		};
	}
	g_list_free(dates);
	return found;
}

char *mail_shortage_text(const struct notice_settings *settings,
			 const struct mail_shortage *shortage)
{
	GString *text = g_string_new(NULL);
	char day[ISO_DAY_TEXT_SIZE];

	g_string_printf(text,
			"%" PRIu64 " people are to be told before %s, and %" PRIu64
			" mails may leave until then, %u an hour",
			shortage->people, iso_day_format(shortage->date, day), shortage->allowed,
			mail_limit_an_hour(settings));
	if (shortage->needed_an_hour > 0)
		g_string_append_printf(text, "; %" PRIu64 " would do", shortage->needed_an_hour);
	return g_string_free(text, FALSE);
}
