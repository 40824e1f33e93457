#include <sysexits.h>

#include "admin/terminal/display.h"
#include "watch.h"

/* What only the records can tell. */

/* An import that runs as a service, or every few minutes, is never that late. */
#define IMPORT_DAYS_MAX 1

/* Addresses change hands all the time. */
#define DATABASE_DAYS_MAX 60

static void look_at_import(struct doctor *doctor, int64_t last)
{
	char date[OFFSET_DATE_TEXT_SIZE] = "";
	int64_t now = (int64_t)doctor->now * 1000;

	if (last != 0 && now - last <= IMPORT_DAYS_MAX * MILLISECONDS_A_DAY)
		return;
	if (last != 0)
		offset_date_format((time_t)(last / 1000), date);
	finding_add(&doctor->findings, FINDING_NOBODY_IMPORTS, doctor->policy->journal,
		    g_strdup("systemctl enable --now portcullis-import"),
		    "nothing imports what the servers record%s%s: nobody is counted, and nobody "
		    "told",
		    last == 0 ? "" : "; the last time was ", date);
}

static void look_at_clock(struct doctor *doctor, const struct store_newest *newest)
{
	char date[OFFSET_DATE_TEXT_SIZE], now[OFFSET_DATE_TEXT_SIZE];

	if (newest->time <= (int64_t)doctor->now * 1000 + MILLISECONDS_A_DAY)
		return;
	offset_date_format((time_t)(newest->time / 1000), date);
	offset_date_format(doctor->now, now);
	finding_add(&doctor->findings, FINDING_CLOCK_BEHIND, "clock",
		    g_strdup("timedatectl set-ntp true"),
		    "the clock says %s, and the records are of %s: rules begin at wrong times", now,
		    date);
}

static void look_at_database(struct doctor *doctor)
{
	const struct country_database *countries = doctor->inquiry->loaded.countries;
	int64_t days;

	if (countries == NULL)
		return;
	days = (doctor->now - country_database_built(countries)) / SECONDS_A_DAY;
	if (days > DATABASE_DAYS_MAX)
		finding_add(&doctor->findings, FINDING_COUNTRY_DATABASE_OLD,
			    doctor->policy->country_database, g_strdup("geoipupdate"),
			    "the country database is %" G_GINT64_FORMAT " days old", days);
}

struct watches {
	struct turned_away *turned_away;
	struct hidden_clients *clients;
	struct untold *untold;
	struct unseen *unseen;
};

static bool take(void *context, const struct store_sighting *sighting)
{
	struct watches *watches = context;

	turned_away_take(watches->turned_away, sighting);
	hidden_clients_take(watches->clients, sighting);
	untold_take(watches->untold, sighting);
	unseen_take(watches->unseen, sighting);
	return true;
}

static bool look_at_people(struct doctor *doctor)
{
	static const struct store_filter everybody = {.verified = true, .names = true};
	struct watches watches = {
		.turned_away = turned_away_begin(doctor),
		.clients = hidden_clients_begin(doctor),
		.untold = untold_begin(doctor),
		.unseen = unseen_begin(doctor),
	};
	bool fine = store_each_sighting(doctor->inquiry->store, &everybody, take, &watches);

	turned_away_end(watches.turned_away);
	hidden_clients_end(watches.clients);
	unseen_end(watches.unseen);
	return untold_end(watches.untold) && fine;
}

static bool look_into_store(struct doctor *doctor)
{
	struct store *store = doctor->inquiry->store;
	struct store_newest newest;
	struct store_totals totals;

	if (!store_totals(store, &totals) || !store_newest(store, &newest))
		return false;
	look_at_import(doctor, totals.own_import);
	look_at_clock(doctor, &newest);
	return look_at_people(doctor);
}

static void add_unread(struct doctor *doctor, const struct store_failure *failure)
{
	finding_add(&doctor->findings, FINDING_NOT_LOOKED_AT, "store",
		    g_strdup("portcullis status"), "not looked at: the records; %s", failure->text);
}

void doctor_look_at_records(struct doctor *doctor)
{
	const struct policy *policy = doctor->policy;
	struct store_failure failure;

	look_at_database(doctor);
	doctor->inquiry->store = store_open(policy->store, policy->host, STORE_READ, &failure);
	/* It is made by the first import. */
	if (doctor->inquiry->store == NULL && failure.status == EX_NOINPUT) {
		look_at_import(doctor, 0);
		return;
	}
	if (doctor->inquiry->store == NULL)
		add_unread(doctor, &failure);
	else if (!store_begin_reading(doctor->inquiry->store) || !look_into_store(doctor))
		add_unread(doctor, store_failure(doctor->inquiry->store));
	store_close(doctor->inquiry->store);
	doctor->inquiry->store = NULL;
}
