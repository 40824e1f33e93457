#include "health.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/files/account-access.h"
#include "admin/journal/journal-position.h"
#include "admin/notices/mail-limits.h"
#include "admin/terminal/display.h"
#include "admin/terminal/terminal-text.h"
#include "log-standing.h"
#include "notice-limits.h"
#include "server-edition.h"
#include "shared-standing.h"

#define MINUTE_MILLISECONDS INT64_C(60000)

/* An import that runs every few minutes, or as a service, is never that late. */
#define IMPORT_MINUTES_MAX 1440
#define BACKLOG_MINUTES_MAX 60

/* Who logs in is recorded once a day, so a server with users is never quiet for so
   long. One that is quiet for much longer was taken out of service. */
#define QUIET_DAYS_MAX 3
#define GONE_DAYS 30

#define HOST_COLUMNS 64

#define LOST_PER_THOUSAND_MAX 1
#define DATABASE_DAYS_MAX 60

/* Addresses change hands all the time; a database that lags behind shows in the
   share of addresses that it does not know. */
#define RECENT_DAYS 7
#define USUAL_DAYS 28
#define SIGHTINGS_MIN 100
#define SHARE_FACTOR 2
#define SHARE_MARGIN 5.0

static const char *const names[HEALTH_COUNT] = {
	[HEALTH_FILES] = "files",
	[HEALTH_IMPORT] = "import",
	[HEALTH_BACKLOG] = "backlog",
	[HEALTH_LOGS] = "logs",
	[HEALTH_HOSTS] = "hosts",
	[HEALTH_EDITIONS] = "edition",
	[HEALTH_SERVERS] = "servers",
	[HEALTH_LOST] = "lost lines",
	[HEALTH_DATABASE] = "country database",
	[HEALTH_COUNTRIES] = "unknown countries",
	[HEALTH_NOTICES] = "notices",
	[HEALTH_UNTOLD] = "untold",
	[HEALTH_LIMITS] = "mail limits",
};

const char *health_check_name(enum health_check check)
{
	return names[check];
}

static void find(struct health_finding *finding_r, bool healthy, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void find(struct health_finding *finding_r, bool healthy, const char *format, ...)
{
	va_list arguments;

	finding_r->healthy = healthy;
	va_start(arguments, format);
	vsnprintf(finding_r->text, sizeof(finding_r->text), format, arguments);
	va_end(arguments);
}

/* False when the store fails. */
static bool examine_files(const struct inquiry *inquiry, int64_t now,
			  struct health_finding *finding_r)
{
	const struct loaded_policy *loaded = &inquiry->loaded;
	char *problem = NULL;

	if (loaded->problems == 0 && !shared_standing_find(inquiry, now, &problem))
		return false;
	if (problem != NULL)
		find(finding_r, false, "%s", problem);
	else if (loaded->problems == 0)
		find(finding_r, true, "the exemptions and the country database can be read");
	else
		find(finding_r, false, "%u problem%s; see 'portcullis check-config'",
		     loaded->problems, loaded->problems == 1 ? "" : "s");
	g_free(problem);
	return true;
}

static int64_t minutes_since_import(const struct store_totals *totals, int64_t now)
{
	/* A time to come says as little as one that is long gone. */
	return llabs(now - totals->last_import) / MINUTE_MILLISECONDS;
}

static void examine_import(const struct store_totals *totals, int64_t now,
			   struct health_finding *finding_r)
{
	char date[OFFSET_DATE_TEXT_SIZE];

	if (totals->last_import == 0) {
		find(finding_r, false, "nothing has been imported yet");
		return;
	}
	offset_date_format((time_t)(totals->last_import / 1000), date);
	find(finding_r, minutes_since_import(totals, now) <= IMPORT_MINUTES_MAX,
	     "last at %s, %" PRIu64 " lines in all", date, totals->lines);
}

/* Whether this account may read the store and no more, as a help desk's: what else it
   cannot see tells nothing of the suite. */
static bool only_asks(const struct policy *policy)
{
	const char *file = store_file_of(policy->store);

	return file != NULL && access_is_denied(file, W_OK);
}

static void examine_backlog(const struct policy *policy, const struct journal_backlog *backlog,
			    const struct store_totals *totals, int64_t now,
			    struct health_finding *finding_r)
{
	bool hidden = backlog->forbidden > 0 && only_asks(policy);
	size_t unreadable = backlog->unreadable + (hidden ? 0 : backlog->forbidden);

	if (unreadable > 0 && policy->log_count > 0 && access(policy->journal, F_OK) < 0 &&
	    errno == ENOENT)
		find(finding_r, true, "there is no journal here");
	else if (unreadable > 0)
		find(finding_r, false,
		     "%zu journal files or directories cannot be read; 'portcullis import' "
		     "says which",
		     unreadable);
	else if (hidden)
		find(finding_r, true, "the journal is not yours to see");
	else if (backlog->bytes == 0)
		find(finding_r, true, "everything is imported");
	else
		find(finding_r, minutes_since_import(totals, now) <= BACKLOG_MINUTES_MAX,
		     "%" PRIu64 " bytes in %zu journal file%s wait to be imported", backlog->bytes,
		     backlog->files, backlog->files == 1 ? "" : "s");
}

/* False when the store fails. */
static bool examine_logs(const struct inquiry *inquiry, const struct store_totals *totals,
			 int64_t now, struct health_finding *finding_r)
{
	const struct policy *policy = inquiry->loaded.policy;
	struct log_standing *standings = g_new(struct log_standing, policy->log_count);
	bool late = minutes_since_import(totals, now) > BACKLOG_MINUTES_MAX;
	bool found = log_standings_find(standings, inquiry);
	char *problem =
		found ? log_standings_problem(standings, policy->log_count, late, only_asks(policy))
		      : NULL;
	uint64_t waiting = 0;

	for (size_t i = 0; found && i < policy->log_count; i++)
		waiting += standings[i].waiting;
	if (policy->log_count == 0)
		find(finding_r, true, "none is followed");
	else if (problem != NULL)
		find(finding_r, false, "%s", problem);
	else
		find(finding_r, true, "%zu followed, %" PRIu64 " bytes wait to be imported",
		     policy->log_count, waiting);
	g_free(problem);
	g_free(standings);
	return found;
}

/* "postfix on mx1", fit for a terminal; the caller frees it with g_free(). */
static char *describe_server(const struct store_writer *writer)
{
	GString *text = g_string_new(source_name(writer->source));

	g_string_append(text, " on ");
	terminal_text_append(text, writer->host, HOST_COLUMNS);
	return g_string_free(text, FALSE);
}

struct servers {
	int64_t now;
	size_t recording, quiet;
	struct health_finding *finding;
};

static bool examine_server(void *context, const struct store_writer *writer)
{
	struct servers *servers = context;
	int64_t days = (servers->now - writer->last_seen) / MILLISECONDS_A_DAY;
	char date[OFFSET_DATE_TEXT_SIZE];
	char *server;

	if (days >= GONE_DAYS)
		return true;
	if (days < QUIET_DAYS_MAX) {
		servers->recording++;
		return true;
	}
	servers->quiet++;
	server = describe_server(writer);
	offset_date_format((time_t)(writer->last_seen / 1000), date);
	find(servers->finding, false, "%s has recorded nothing since %s", server, date);
	g_free(server);
	return true;
}

/* False when the store fails. */
static bool examine_servers(const struct inquiry *inquiry, int64_t now,
			    struct health_finding *finding_r)
{
	struct servers servers = {.now = now, .finding = finding_r};

	if (!store_each_writer(inquiry->store, examine_server, &servers))
		return false;
	if (servers.recording + servers.quiet == 0 && inquiry->loaded.policy->log_count > 0)
		find(finding_r, true, "none records anything itself; their logs are followed");
	else if (servers.recording + servers.quiet == 0)
		find(finding_r, false, "none has recorded anything");
	else if (servers.quiet == 0)
		find(finding_r, true, "%zu recorded something in the last %d days",
		     servers.recording, QUIET_DAYS_MAX);
	return true;
}

static void examine_hosts(const struct host_standings *hosts, struct health_finding *finding_r)
{
	bool healthy;
	char *text = host_standings_summary(hosts, &healthy);

	find(finding_r, healthy, "%s", text);
	g_free(text);
}

struct editions {
	const struct loaded_policy *loaded;
	const struct host_standings *hosts;
	const struct store *store;
	int64_t now;
	size_t same, other;
	struct health_finding *finding;
};

static bool examine_edition(void *context, const struct store_writer *writer)
{
	struct editions *editions = context;
	char date[OFFSET_DATE_TEXT_SIZE];
	struct server_edition edition;
	char *server;

	if ((editions->now - writer->last_seen) / MILLISECONDS_A_DAY >= GONE_DAYS ||
	    writer->edition[0] == '\0')
		return true;
	edition = server_edition(editions->loaded, editions->hosts, editions->store, writer);
	if (!edition.differs) {
		editions->same++;
		return true;
	}
	editions->other++;
	server = describe_server(writer);
	offset_date_format((time_t)(writer->edition_since / 1000), date);
	find(editions->finding, false,
	     "%s still judges by what it read at %s, not by the files %s (edition %s, "
	     "%s %s); reload it, or see its log",
	     server, date, edition.is_here ? "here" : "there", writer->edition,
	     edition.is_here ? "here" : "there", edition.expected);
	g_free(server);
	return true;
}

/* False when the store fails. */
static bool examine_editions(const struct inquiry *inquiry, const struct host_standings *hosts,
			     int64_t now, struct health_finding *finding_r)
{
	struct editions editions = {.loaded = &inquiry->loaded,
				    .hosts = hosts,
				    .store = inquiry->store,
				    .now = now,
				    .finding = finding_r};

	if (!store_each_writer(inquiry->store, examine_edition, &editions))
		return false;
	if (editions.same + editions.other == 0)
		find(finding_r, true, "no server has told of one yet");
	else if (editions.other == 0 && hosts->count > 1)
		find(finding_r, true, "the servers judge by the files of their hosts");
	else if (editions.other == 0)
		find(finding_r, true, "the servers judge by these files (edition %s)",
		     loaded_edition(&inquiry->loaded).id);
	return true;
}

/* Sums; the day of each is not used. */
struct recent_days {
	int64_t first; /* of the last week */
	struct store_day last_week, before;
};

static bool add_day(void *context, const struct store_day *day)
{
	struct recent_days *days = context;
	struct store_day *sum = day->day >= days->first ? &days->last_week : &days->before;

	sum->sightings += day->sightings;
	sum->unknown_country += day->unknown_country;
	sum->lines += day->lines;
	sum->lost += day->lost;
	sum->set_aside += day->set_aside;
	return true;
}

/* False when the store fails. */
static bool sum_days(struct store *store, int64_t now, struct recent_days *days_r)
{
	*days_r = (struct recent_days){.first = now / MILLISECONDS_A_DAY - RECENT_DAYS + 1};
	return store_each_day(store, days_r->first - USUAL_DAYS, add_day, days_r);
}

static bool are_few(uint64_t count, uint64_t whole)
{
	return count * 1000 <= LOST_PER_THOUSAND_MAX * whole;
}

static void examine_lost(const struct recent_days *days, struct health_finding *finding_r)
{
	const struct store_day *week = &days->last_week;
	uint64_t records = week->sightings + week->lost, lines = week->lines + week->set_aside;

	find(finding_r, are_few(week->lost, records) && are_few(week->set_aside, lines),
	     "in the last week, %" PRIu64 " of %" PRIu64 " records were lost by the servers, "
	     "%" PRIu64 " of %" PRIu64 " lines could not be read",
	     week->lost, records, week->set_aside, lines);
}

static void examine_database(const struct loaded_policy *loaded, int64_t now,
			     struct health_finding *finding_r)
{
	int64_t days;

	if (loaded->policy->country_database == NULL) {
		find(finding_r, true, "none is used");
		return;
	}
	if (loaded->countries == NULL) {
		find(finding_r, false, "cannot be read, so rules about countries do not apply");
		return;
	}
	days = (now / 1000 - country_database_built(loaded->countries)) / SECONDS_A_DAY;
	find(finding_r, days <= DATABASE_DAYS_MAX, "built %" PRId64 " day%s ago", days,
	     days == 1 ? "" : "s");
}

static double share(const struct store_day *sum)
{
	return sum->sightings == 0 ? 0
				   : 100.0 * (double)sum->unknown_country / (double)sum->sightings;
}

static void examine_countries(const struct recent_days *days, struct health_finding *finding_r)
{
	double recent = share(&days->last_week), usual = share(&days->before);

	if (days->last_week.sightings < SIGHTINGS_MIN || days->before.sightings < SIGHTINGS_MIN)
		find(finding_r, true, "%.1f %% in the last week, too few to compare", recent);
	else
		find(finding_r, recent <= SHARE_FACTOR * usual + SHARE_MARGIN,
		     "%.1f %% in the last week, %.1f %% in the four weeks before", recent, usual);
}

/* An address that is wrong is the person's matter; that nobody can be told is ours. */
static void examine_notices(const struct policy *policy, const struct notice_health *health,
			    struct health_finding *finding_r)
{
	if (!notices_are_configured(&policy->notices))
		find(finding_r, true, "none are sent");
	else if (health->forbidden && only_asks(policy))
		find(finding_r, true, "who is written to is not yours to see");
	else if (!health->readable)
		find(finding_r, false,
		     "nobody can be told: 'portcullis check-config' says what is wrong");
	else if (health->outside + health->failed == 0)
		find(finding_r, true, "nothing is known against telling all offenders");
	else
		find(finding_r, true,
		     "offenders in no domain that is written to: %" PRIu64
		     ", whose last mail failed: %" PRIu64,
		     health->outside, health->failed);
}

static void examine_untold(const struct notice_health *health, struct health_finding *finding_r)
{
	if (health->untold == 0)
		find(finding_r, true, "nobody that is known");
	else
		find(finding_r, true,
		     "%" PRIu64 " cannot be told, or not in time: 'portcullis notify --untold' "
		     "lists them",
		     health->untold);
}

/* False when the store fails. */
static bool examine_limits(const struct inquiry *inquiry, const struct notice_health *notices,
			   int64_t now, struct health_finding *finding_r)
{
	const struct policy *policy = inquiry->loaded.policy;
	time_t moment = (time_t)(now / 1000);
	bool enough;
	char *text;

	if (!notices_are_configured(&policy->notices) ||
	    mail_limit_an_hour(&policy->notices) == 0) {
		find(finding_r, true, "there are none");
		return true;
	}
	if (notices->demand != NULL)
		enough = notice_limits_judge(policy, notices->demand, moment, &text);
	else if (!notice_limits_find(&inquiry->loaded, inquiry->store, moment, &enough, &text))
		return false;
	find(finding_r, enough, "%s", text);
	g_free(text);
	return true;
}

bool health_examine(const struct inquiry *inquiry, const struct host_standings *hosts,
		    const struct notice_health *notices, int64_t now,
		    struct health_finding findings_r[HEALTH_COUNT])
{
	struct journal_backlog backlog;
	struct store_totals totals;
	struct recent_days days;

	if (!store_totals(inquiry->store, &totals) ||
	    !journal_backlog(inquiry->loaded.policy->journal, inquiry->store, &backlog) ||
	    !examine_files(inquiry, now, &findings_r[HEALTH_FILES]) ||
	    !examine_editions(inquiry, hosts, now, &findings_r[HEALTH_EDITIONS]) ||
	    !examine_servers(inquiry, now, &findings_r[HEALTH_SERVERS]) ||
	    !examine_logs(inquiry, &totals, now, &findings_r[HEALTH_LOGS]) ||
	    !sum_days(inquiry->store, now, &days) ||
	    !examine_limits(inquiry, notices, now, &findings_r[HEALTH_LIMITS]))
		return false;
	examine_hosts(hosts, &findings_r[HEALTH_HOSTS]);
	examine_import(&totals, now, &findings_r[HEALTH_IMPORT]);
	examine_backlog(inquiry->loaded.policy, &backlog, &totals, now,
			&findings_r[HEALTH_BACKLOG]);
	examine_lost(&days, &findings_r[HEALTH_LOST]);
	examine_database(&inquiry->loaded, now, &findings_r[HEALTH_DATABASE]);
	examine_countries(&days, &findings_r[HEALTH_COUNTRIES]);
	examine_notices(inquiry->loaded.policy, notices, &findings_r[HEALTH_NOTICES]);
	examine_untold(notices, &findings_r[HEALTH_UNTOLD]);
	return true;
}

bool health_is_good(const struct health_finding findings[HEALTH_COUNT])
{
	for (size_t i = 0; i < HEALTH_COUNT; i++) {
		if (!findings[i].healthy)
			return false;
	}
	return true;
}
