/* fill-store URI PEOPLE: a store as a large site's imports leave it after half a year, the same
   rows in whatever kind of store. tests/bench/README.md says what it consists of.

   The many rows of a store on PostgreSQL go there by COPY of psql(1), in several sweeps through
   the people: they lie in the order in which they came there, not in that of people. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin/store/store-activity.h"
#include "admin/store/store-backend.h"
#include "admin/store/store-week.h"

#define DAY MILLISECONDS_A_DAY
#define DAYS_RECORDED 180
#define DAYS_OF_ADDRESSES 14
#define SWEEPS 16
#define INVENTED_NAMES 50000
#define TOLD 7 /* of a hundred people */

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define PICK(array, number) (array)[(number) % COUNT(array)]

/* ---- what is told apart ---- */

/* Ways to reach the mail, but for program and country. */
static const struct road {
	int source, service, port, tls;
	const char *mechanism;
} roads[] = {
	{SOURCE_DOVECOT, SERVICE_IMAP, 993, TLS_IMPLICIT, "PLAIN"},
	{SOURCE_DOVECOT, SERVICE_IMAP, 143, TLS_STARTTLS, "PLAIN"},
	{SOURCE_DOVECOT, SERVICE_POP3, 995, TLS_IMPLICIT, "PLAIN"},
	{SOURCE_POSTFIX, SERVICE_SUBMISSION, 587, TLS_STARTTLS, "PLAIN"},
	{SOURCE_POSTFIX, SERVICE_SUBMISSION, 465, TLS_IMPLICIT, "LOGIN"},
	{SOURCE_DOVECOT, SERVICE_IMAP, 143, TLS_NONE, "PLAIN"},
	{SOURCE_DOVECOT, SERVICE_POP3, 110, TLS_NONE, "PLAIN"},
	{SOURCE_DOVECOT, SERVICE_IMAP, 993, TLS_IMPLICIT, "CRAM-MD5"},
};
enum { IMAPS, IMAP, POP3S, SUBMISSION, SUBMISSIONS, IMAP_CLEAR, POP3_CLEAR, CRAM_MD5 };

/* The first one is where the site is. */
static const char *const countries[] = {"DE", "AT", "CH", "FR", "NL", "US", "TR", "BR"};
#define ALLOWED_COUNTRIES 5

/* Each in so many versions. */
static const char *const programs[] = {
	"name=Thunderbird version=%u.3.1",
	"name=Outlook version=16.%u",
	"name=iPhone Mail version=%uG77",
	"name=iPad Mail version=%uG77",
	"name=Mac OS X Mail version=16.%u",
	"name=K-9 Mail version=6.%u",
	"name=Gmail version=%u",
	"name=FairEmail version=1.%u",
};
#define VERSIONS 8
#define PROGRAMS (COUNT(programs) * VERSIONS)
#define COMMON_HABITS (COUNT(roads) * COUNT(countries) * PROGRAMS)

enum { CLEAN = 1, ENCRYPTION, COUNTRY, MECHANISM };
static const char *const rule_sets[] = {
	[CLEAN] = "",
	[ENCRYPTION] = "encryption=notify",
	[COUNTRY] = "country=observe",
	[MECHANISM] = "mechanism=notify",
};

static int64_t common_habit(unsigned road, unsigned country, unsigned program)
{
	return 1 + (int64_t)((road * COUNT(countries) + country % COUNT(countries)) * PROGRAMS +
			     program % PROGRAMS);
}

/* ---- chance: the same for a person in every run ---- */

static uint64_t chance_state;

static void begin_chance(uint64_t person)
{
	chance_state = person * UINT64_C(0x9e3779b97f4a7c15);
}

static uint32_t chance(uint32_t below)
{
	uint64_t mixed = chance_state += UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)((mixed ^ (mixed >> 31)) % below);
}

static bool percent(uint32_t share)
{
	return chance(100) < share;
}

/* ---- where rows go ---- */

struct filling {
	struct store *store;
	FILE *psql; /* NULL: all rows go through the store */
	bool fine;
	unsigned sweep; /* of SWEEPS; only rows of this one are written */
	uint64_t row;   /* of the table */
	uint64_t people;
	int64_t now;
	/* Of the person that is looked at; NULL: rows are written. */
	struct store_presence *presence;
};

static void copy_time(FILE *file, int64_t moment)
{
	static int64_t cached = -1;
	static char text[32];
	int64_t day = moment / DAY, rest = moment % DAY;

	if (day != cached) {
		time_t seconds = (time_t)(day * 86400);
		struct tm parts;

		strftime(text, sizeof(text), "%Y-%m-%d", gmtime_r(&seconds, &parts));
		cached = day;
	}
	fprintf(file, "%s %02d:%02d:%02d.%03d+00", text, (int)(rest / 3600000),
		(int)(rest / 60000 % 60), (int)(rest / 1000 % 60), (int)(rest % 1000));
}

static void copy_day(FILE *file, int64_t day)
{
	time_t seconds = (time_t)(day * 86400);
	struct tm parts;
	char text[32];

	strftime(text, sizeof(text), "%Y-%m-%d", gmtime_r(&seconds, &parts));
	fputs(text, file);
}

static void copy_value(FILE *file, char kind, const struct store_value *value)
{
	if (strchr("tlx", kind) != NULL)
		fputs(value->text == NULL ? "\\N" : value->text, file);
	else if (kind == 'T' && value->number == 0)
		fputs("\\N", file);
	else if (kind == 'T')
		copy_time(file, value->number);
	else if (kind == 'd')
		copy_day(file, value->number);
	else
		fprintf(file, "%" PRId64, value->number);
}

static void put(struct filling *filling, enum store_table table, const struct store_value values[])
{
	const char *kinds = store_table_columns[table];

	if (filling->presence != NULL) {
		const struct store_sighting sighting = {.last_seen = values[9].number,
							.weeks = (uint64_t)values[10].number};

		if (values[1].number != 0)
			store_presence_add(filling->presence, &sighting);
		return;
	}
	if (filling->psql == NULL) {
		filling->fine = filling->fine && store_write_row(filling->store, table, values);
		return;
	}
	if (filling->row++ % SWEEPS != filling->sweep)
		return;
	for (int i = 0; kinds[i] != '\0'; i++) {
		if (i > 0)
			putc('\t', filling->psql);
		copy_value(filling->psql, kinds[i], &values[i]);
	}
	if (table == TABLE_SIGHTINGS)
		fputs(values[3].number == CLEAN ? "\tf" : "\tt", filling->psql);
	putc('\n', filling->psql);
}

#define NUMBER(value) {.number = (int64_t)(value)}
#define TEXT(value) {.text = (value)}

/* ---- one person ---- */

struct person {
	uint64_t number; /* from 1 on: the id */
	int64_t now;     /* last seen, of anything */
};

/* Devices are used on most days, or seldom. */
static void put_sighting(struct filling *filling, const struct person *person, bool verified,
			 int64_t habit, int rules, int64_t last)
{
	int64_t first = last - (int64_t)chance(DAYS_RECORDED) * DAY - chance(86400000);
	int64_t oldest = filling->now - DAYS_RECORDED * DAY;
	uint64_t weeks, days;
	bool is_recent;
	char client[32];

	first = first < oldest ? oldest : first;
	first = first > last ? last : first;
	weeks = (UINT64_C(2) << (store_week(last) - store_week(first))) - 1;
	days = 1 + (uint64_t)((last / DAY - first / DAY) * (int64_t)(1 + chance(4)) / 4);
	is_recent = last > filling->now - DAYS_OF_ADDRESSES * DAY;
	snprintf(client, sizeof(client), "78.%u.%u.%u", 46 + chance(4), chance(256), chance(256));
	put(filling, TABLE_SIGHTINGS,
	    (const struct store_value[]){
		    NUMBER(person->number), NUMBER(verified), NUMBER(habit), NUMBER(rules),
		    NUMBER(0), NUMBER(0), NUMBER(days * (1 + chance(20))), NUMBER(0), NUMBER(first),
		    NUMBER(last), NUMBER(weeks), NUMBER(days), TEXT(is_recent ? client : NULL),
		    TEXT("public"), NUMBER(0)});
}

/* Of one in eight it is a while ago; of the others, hours. */
static int64_t last_seen(const struct filling *filling)
{
	int64_t ago = percent(12) ? (int64_t)chance(150) * DAY : 0;

	return filling->now - ago - chance(2 * DAY);
}

static int64_t earlier(const struct filling *filling, int64_t last, uint32_t days)
{
	int64_t moment = last - (int64_t)chance(days) * DAY;
	int64_t oldest = filling->now - (DAYS_RECORDED - 1) * DAY;

	return moment < oldest ? oldest : moment;
}

/* What breaks a rule, and perhaps the good way that took its place. Rows of one key come once:
   each of a person's has another road or country. */
static void put_broken(struct filling *filling, const struct person *person, unsigned program)
{
	bool is_over = percent(40);
	int64_t last = is_over ? earlier(filling, person->now - 20 * DAY, 80)
			       : earlier(filling, person->now, 6);
	uint32_t which = chance(10);

	last = last < filling->now - (DAYS_RECORDED - 1) * DAY
		       ? filling->now - (DAYS_RECORDED - 1) * DAY
		       : last;
	if (which < 3)
		put_sighting(filling, person, true, common_habit(IMAP_CLEAR, 0, program),
			     ENCRYPTION, last);
	else if (which < 5)
		put_sighting(filling, person, true, common_habit(POP3_CLEAR, 0, program),
			     ENCRYPTION, last);
	else if (which < 7)
		put_sighting(filling, person, true, common_habit(CRAM_MD5, 0, program), MECHANISM,
			     last);
	else
		put_sighting(filling, person, true,
			     common_habit(IMAPS, ALLOWED_COUNTRIES + chance(3), program), COUNTRY,
			     last);
}

/* The names that programs send mail by: a few, or a machine's own. */
static int64_t sending_habit(const struct person *person, unsigned program)
{
	if (person->number % 20 == 0)
		return (int64_t)(COMMON_HABITS + person->number / 20);
	return common_habit(percent(70) ? SUBMISSION : SUBMISSIONS, 0, program);
}

static void put_person(struct filling *filling, uint64_t number)
{
	struct person person = {.number = number};
	unsigned program;

	begin_chance(number);
	program = chance(PROGRAMS);
	person.now = last_seen(filling);
	put_sighting(filling, &person, true,
		     common_habit(percent(85) ? IMAPS : IMAP, percent(90) ? 0 : 1, program), CLEAN,
		     person.now);
	if (percent(55))
		put_sighting(filling, &person, true, common_habit(IMAPS, 2, program + 1), CLEAN,
			     earlier(filling, person.now, 3));
	if (percent(12))
		put_sighting(filling, &person, true, common_habit(IMAPS, 3, program + 2), CLEAN,
			     earlier(filling, person.now, 30));
	if (percent(30) || number % 20 == 0)
		put_sighting(filling, &person, true, sending_habit(&person, program), CLEAN,
			     earlier(filling, person.now, 7));
	if (percent(10))
		put_sighting(filling, &person, true, common_habit(POP3S, 0, program), CLEAN,
			     earlier(filling, person.now, 2));
	if (percent(8))
		put_sighting(filling, &person, true, common_habit(IMAPS, 4, program), CLEAN,
			     earlier(filling, person.now, 90));
	if (number % 100 < 8)
		put_broken(filling, &person, program + 3);
	if (percent(5))
		put_sighting(filling, &person, false, common_habit(IMAPS, 0, program), CLEAN,
			     earlier(filling, person.now, 40));
}

static void put_invented(struct filling *filling, uint64_t number)
{
	struct person person = {.number = filling->people + number};

	begin_chance(person.number);
	put_sighting(filling, &person, false, common_habit(IMAPS, 5 + chance(3), 0), CLEAN,
		     filling->now - chance(20 * DAY));
}

/* ---- tables ---- */

static void put_sightings(struct filling *filling)
{
	for (uint64_t i = 1; i <= filling->people && filling->fine; i++)
		put_person(filling, i);
	for (uint64_t i = 1; i <= INVENTED_NAMES && filling->fine; i++)
		put_invented(filling, i);
}

static void put_users(struct filling *filling)
{
	for (uint64_t i = 1; i <= filling->people + INVENTED_NAMES && filling->fine; i++) {
		bool verified = i <= filling->people;
		struct store_presence presence = {0};
		char name[64];

		filling->presence = &presence;
		if (verified)
			put_person(filling, i);
		filling->presence = NULL;

		snprintf(name, sizeof(name), "%s%" PRIu64 "@example.org",
			 verified ? "user" : "invented", i);
		put(filling, TABLE_USERS,
		    (const struct store_value[]){NUMBER(i), TEXT(name), NUMBER(verified),
						 NUMBER(presence.day), NUMBER(presence.weeks),
						 NUMBER(verified && i % 100 < TOLD)});
	}
}

/* Most who break a rule were told of it, once or several times. */
static void put_notices(struct filling *filling)
{
	int64_t id = 0;

	for (uint64_t i = 1; i <= filling->people && filling->fine; i++) {
		char name[64], message_id[64];

		if (i % 100 >= TOLD)
			continue;
		begin_chance(~i);
		snprintf(name, sizeof(name), "user%" PRIu64 "@example.org", i);
		for (uint32_t left = 1 + chance(3); left > 0; left--) {
			int64_t moment = filling->now - (int64_t)(14 * left + chance(14)) * DAY;
			bool failed = chance(50) == 0;

			id++;
			snprintf(message_id, sizeof(message_id), "%" PRId64 "@example.org", id);
			put(filling, TABLE_NOTICES,
			    (const struct store_value[]){
				    NUMBER(id), TEXT(name), TEXT(name), TEXT(message_id),
				    TEXT(left == 1 ? "reminder" : "first"),
				    TEXT("encryption,mechanism"),
				    NUMBER(failed ? NOTICE_FAILED : NOTICE_HANDED_OVER),
				    NUMBER(moment), NUMBER(moment + 2000), NUMBER(1),
				    TEXT(failed ? "550 no such user" : ""), TEXT("")});
		}
	}
}

static void put_habit(struct filling *filling, int64_t id, const struct road *road,
		      const char *country, const char *program)
{
	put(filling, TABLE_HABITS,
	    (const struct store_value[]){NUMBER(id), NUMBER(road->source), NUMBER(road->service),
					 NUMBER(road->port), NUMBER(road->tls), TEXT(country),
					 TEXT(road->mechanism), TEXT(program), NUMBER(0),
					 NUMBER(0)});
}

static void put_habits(struct filling *filling)
{
	char program[64];

	for (size_t i = 0; i < COMMON_HABITS; i++) {
		size_t version = i % PROGRAMS;

		snprintf(program, sizeof(program), programs[version / VERSIONS],
			 (unsigned)(version % VERSIONS + 100));
		put_habit(filling, (int64_t)i + 1, &roads[i / PROGRAMS / COUNT(countries)],
			  PICK(countries, i / PROGRAMS), program);
	}
	for (uint64_t i = 1; i <= filling->people / 20; i++) {
		snprintf(program, sizeof(program), "DESKTOP-%07" PRIX64,
			 i * 2654435761 % 0xfffffff);
		put_habit(filling, (int64_t)(COMMON_HABITS + i), &roads[SUBMISSION], countries[0],
			  program);
	}
}

static void put_books(struct filling *filling)
{
	int64_t today = filling->now / DAY;
	int64_t daily = (int64_t)filling->people * 2;

	for (int rules = CLEAN; rules <= MECHANISM; rules++)
		put(filling, TABLE_RULE_SETS,
		    (const struct store_value[]){NUMBER(rules), TEXT(rule_sets[rules])});
	for (int64_t i = 0; i <= DAYS_RECORDED; i++)
		put(filling, TABLE_DAYS,
		    (const struct store_value[]){NUMBER(today - DAYS_RECORDED + i), NUMBER(daily),
						 NUMBER(daily / 50), NUMBER(daily), NUMBER(0),
						 NUMBER(0), NUMBER((i + 1) * daily), NUMBER(1)});
	for (int i = 1; i <= 12; i++) {
		char host[32];

		snprintf(host, sizeof(host), "backend%02d", i);
		put(filling, TABLE_WRITERS,
		    (const struct store_value[]){TEXT(host), NUMBER(SOURCE_DOVECOT),
						 NUMBER(daily * DAYS_RECORDED / 12), NUMBER(0),
						 NUMBER(filling->now), TEXT(""), NUMBER(0)});
	}
	put(filling, TABLE_TOTALS,
	    (const struct store_value[]){NUMBER(filling->now), NUMBER(daily * DAYS_RECORDED),
					 NUMBER(0), NUMBER(0)});
}

/* ---- the whole ---- */

static const struct many {
	void (*put)(struct filling *filling);
	const char *copy;
} many[] = {
	{put_users,
	 "COPY portcullis.users (id, name, verified, last_day, weeks, told) FROM STDIN;"},
	{put_sightings, "COPY portcullis.sightings (user_id, verified, habit, rules, server, day,"
			" count, rejected, first_seen, last_seen, weeks, days, last_client,"
			" whereabouts, tls_below, broken) FROM STDIN;"},
	{put_notices, "COPY portcullis.notices (id, user_name, recipient, message_id, reason,"
		      " rules, state, intended, settled, attempts, error, dates) FROM STDIN;"},
};

static void copy_many(struct filling *filling, const struct many *table)
{
	fprintf(filling->psql, "%s\n", table->copy);
	for (filling->sweep = 0; filling->sweep < SWEEPS; filling->sweep++) {
		filling->row = 0;
		table->put(filling);
	}
	fputs("\\.\n", filling->psql);
}

static bool fill_by_copy(struct filling *filling, const char *uri)
{
	char command[1024];

	snprintf(command, sizeof(command), "psql -qX -v ON_ERROR_STOP=1 -o /dev/null '%s'", uri);
	filling->psql = popen(command, "w");
	if (filling->psql == NULL)
		return false;
	for (size_t i = 0; i < COUNT(many); i++)
		copy_many(filling, &many[i]);
	fputs("SELECT setval('portcullis.user_ids', max(id)) FROM portcullis.users;\n"
	      "SELECT setval('portcullis.notices_id_seq', max(id)) FROM portcullis.notices;\n"
	      /* As the server does by itself after a while. */
	      "VACUUM (ANALYZE);\n",
	      filling->psql);
	return pclose(filling->psql) == 0;
}

static bool fill(struct filling *filling, const char *uri)
{
	bool copies = store_file_of(uri) == NULL;

	if (!store_begin(filling->store))
		return false;
	put_habits(filling);
	put_books(filling);
	for (size_t i = 0; !copies && i < COUNT(many); i++)
		many[i].put(filling);
	return filling->fine && store_end_copy(filling->store) && store_commit(filling->store) &&
	       (!copies || fill_by_copy(filling, uri));
}

int main(int argc, char **argv)
{
	struct store_failure failure;
	struct filling filling = {.fine = true};
	bool filled;

	if (argc != 3) {
		fputs("usage: fill-store URI PEOPLE\n", stderr);
		return 64;
	}
	filling.people = strtoull(argv[2], NULL, 10);
	/* The same in all stores of one day. */
	filling.now = (int64_t)time(NULL) / 86400 * DAY;
	filling.store = store_open(argv[1], NULL, STORE_WRITE, &failure);
	if (filling.store == NULL) {
		fprintf(stderr, "%s\n", failure.text);
		return failure.status;
	}
	filled = fill(&filling, argv[1]);
	if (!filled)
		fprintf(stderr, "fill-store: %s\n", store_failure(filling.store)->text);
	store_close(filling.store);
	return filled ? 0 : 1;
}
