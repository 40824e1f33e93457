#include "unit.h"
#include "any-store.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "admin/store/sqlite/migrations.h"
#include "admin/store/store-logs.h"
#include "admin/store/store.h"
#include "admin/store/store-week.h"

#define DAY INT64_C(86400000)

/* 2024-09-20 08:15:02.123 UTC, a Friday. */
#define NOW INT64_C(1726820102123)

/* 0: modes can be set. */
static int mode_error;

int fchmod(int file, mode_t mode)
{
	if (mode_error == 0)
		return (int)syscall(SYS_fchmod, file, mode);
	errno = mode_error;
	return -1;
}

static struct store_broken_rule broken[] = {{(char *)"country", PHASE_ENFORCE},
					    {(char *)"encryption", PHASE_NOTIFY}};
static const struct store_rule_set clean;
static const struct store_rule_set two_rules = {.rule_count = 2, .rules = broken};
static const struct store_habit thunderbird = {.service = SERVICE_IMAP,
					       .port = 143,
					       .country = {"US"},
					       .mechanism = "PLAIN",
					       .client_id = "name=Thunderbird"};

static struct store_sighting alice(void)
{
	struct store_sighting sighting = one_login("alice@example.org", &thunderbird, NOW);

	sighting.rules = &two_rules;
	sighting.last_client = "203.0.113.5";
	return sighting;
}

static struct store *open_store(enum store_access access)
{
	return open_to(access, NULL);
}

static void add(struct store *store, const struct store_sighting *sighting)
{
	if (!store_add(store, sighting))
		fail_msg("%s", store_failure(store)->text);
}

/* What was found, with room for what is compared. */
struct found {
	size_t count;
	uint64_t lines;
	struct store_sighting last;
	char user[64], client[64], client_id[64], whereabouts[64];
};

static bool note(void *context, const struct store_sighting *sighting)
{
	struct found *found = context;

	found->count++;
	found->lines += sighting->count;
	found->last = *sighting;
	snprintf(found->user, sizeof(found->user), "%s",
		 sighting->user == NULL ? "(nobody)" : sighting->user);
	snprintf(found->client, sizeof(found->client), "%s", sighting->last_client);
	snprintf(found->client_id, sizeof(found->client_id), "%s", sighting->habit->client_id);
	snprintf(found->whereabouts, sizeof(found->whereabouts), "%s", sighting->whereabouts);
	return true;
}

static struct found ask_with(struct store *store, const struct store_filter *filter)
{
	struct found found = {0};

	assert_true(store_begin_reading(store));
	if (!store_each_sighting(store, filter, note, &found))
		fail_msg("%s", store_failure(store)->text);
	assert_true(store_commit(store));
	return found;
}

static struct found ask_about(struct store *store, const char *user)
{
	const struct store_filter filter = {.user = user, .verified = true};

	return ask_with(store, &filter);
}

static struct found ask(struct store *store)
{
	const struct store_filter all = {.verified = true, .unverified = true, .names = true};

	return ask_with(store, &all);
}

static void test_sightings_add_up(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	struct store_sighting sighting = alice();
	struct found found;
	struct stat status;
	(void)state;

	assert_true(store_begin(store));
	add(store, &sighting);
	/* An older one, that comes later: a clock went back. */
	sighting.first_seen = sighting.last_seen = NOW - 8 * DAY;
	sighting.last_client = "198.51.100.1";
	sighting.count = 3;
	sighting.rejected = 2;
	add(store, &sighting);
	sighting.first_seen = sighting.last_seen = NOW + 21 * DAY;
	sighting.last_client = "2001:db8::1";
	add(store, &sighting);
	assert_true(store_commit(store));

	found = ask(store);
	assert_int_equal(found.count, 1);
	assert_string_equal(found.user, "alice@example.org");
	assert_true(found.last.verified);
	assert_int_equal(found.last.count, 7);
	assert_int_equal(found.last.rejected, 4);
	assert_int_equal(found.last.first_seen, NOW - 8 * DAY);
	assert_int_equal(found.last.last_seen, NOW + 21 * DAY);
	assert_string_equal(found.client, "2001:db8::1");
	/* This week, three weeks ago, and before that the eight days. */
	assert_int_equal(found.last.weeks, 1 | 1 << 3 | 1 << 4);
	assert_int_equal(found.last.days, 3);

	assert_true(store_begin_reading(store));
	assert_int_equal(store_habit_count(store), 1);
	assert_int_equal(store_habit(store, 0)->port, 143);
	assert_string_equal(store_habit(store, 0)->country.code, "US");
	assert_string_equal(store_habit(store, 0)->mechanism, "PLAIN");
	assert_int_equal(store_rule_set_count(store), 1);
	assert_int_equal(store_rule_set(store, 0)->rule_count, 2);
	assert_string_equal(store_rule_set(store, 0)->rules[1].title, "encryption");
	assert_int_equal(store_rule_set(store, 0)->rules[1].phase, PHASE_NOTIFY);
	assert_true(store_commit(store));
	store_close(store);
	if (!store_is_file())
		return;
	assert_int_equal(stat(store_path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
}

/* ---- days of use ---- */

static void add_seen(struct store *store, int64_t first, int64_t last)
{
	struct store_sighting sighting = alice();

	sighting.first_seen = first;
	sighting.last_seen = last;
	sighting.days = first / DAY == last / DAY ? 1 : 2;
	add(store, &sighting);
}

static void test_days_of_use(void **state)
{
	const int64_t midnight = NOW / DAY * DAY;
	static const struct {
		int first, last; /* hours from midnight on */
		uint64_t days;   /* then */
	} lines[] = {
		{0, 0, 1},       {3, 23, 1},  /* the same day */
		{23, 25, 2},                  /* the combined line of a midnight */
		{24, 24, 2},     {48, 48, 3}, /* one day more */
		{-2, -1, 4},                  /* one before */
		{96, 97, 5},     {72, 72, 5}, /* among the others: it may have been seen then */
		{22, 25, 5},                  /* likewise */
		{-500, -500, 6},              /* long before */
		{-300, -300, 7},              /* of a week of which nothing was known */
		{-301, -300, 7},              /* now it is */
		{-501, 800, 8},               /* those in between are not known */
	};
	struct store *store = open_store(STORE_WRITE);
	(void)state;

	for (size_t i = 0; i < COUNT(lines); i++) {
		assert_true(store_begin(store));
		add_seen(store, midnight + lines[i].first * (DAY / 24),
			 midnight + lines[i].last * (DAY / 24));
		assert_true(store_commit(store));
		if (ask(store).last.days != lines[i].days)
			fail_msg("line %zu: %d days", i, (int)ask(store).last.days);
	}
	store_close(store);
}

/* The same numbers in every run. */
static unsigned int chance(unsigned int limit)
{
	static uint64_t number = 1;

	number = number * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned int)(number >> 33) % limit;
}

/* In order all are counted; otherwise none twice, and one at least in each week. */
static void test_days_of_use_in_any_order(void **state)
{
	enum { DAYS = 200 };
	struct store *store = open_store(STORE_WRITE);
	(void)state;

	for (unsigned int round = 0; round < 40; round++) {
		bool in_order = round % 2 == 0, weeks[DAYS / 7 + 2] = {false}, seen[DAYS] = {false};
		uint64_t days = 0, different_weeks = 0, found;
		bool wiped, known;

		assert_true(store_begin(store));
		for (unsigned int i = 0, day = 0; i < 60 && day + 5 < DAYS; i++) {
			int64_t time;

			day = in_order ? day + chance(5) : chance(DAYS - 5);
			time = store_week_begin(2000) + day * DAY + chance(DAY);
			days += !seen[day];
			different_weeks += !weeks[day / 7];
			seen[day] = weeks[day / 7] = true;
			add_seen(store, time, time);
		}
		assert_true(store_commit(store));
		found = ask(store).last.days;
		if (in_order)
			assert_int_equal(found, days);
		assert_in_range(found, different_weeks, days);
		assert_true(store_forget(store, "alice@example.org", 0, &known, &wiped));
	}
	store_close(store);
}

static void test_weeks(void **state)
{
	(void)state;
	/* 1970-01-01 was a Thursday; Monday is the fifth. */
	assert_int_equal(store_week(0), 0);
	assert_int_equal(store_week(4 * DAY - 1), 0);
	assert_int_equal(store_week(4 * DAY), 1);
	assert_int_equal(store_week_begin(1), 4 * DAY);
	assert_int_equal(store_week_begin(store_week(NOW)) % DAY, 0);
	assert_true(store_week_begin(store_week(NOW)) <= NOW);
	assert_true(store_week_begin(store_week(NOW) + 1) > NOW);
}

static void test_filters(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	struct store_sighting sighting = alice();
	struct store_filter filter = {.verified = true, .names = true};
	(void)state;

	assert_true(store_begin(store));
	add(store, &sighting);
	sighting.rules = &clean;
	add(store, &sighting);
	sighting.user = "bob@example.org";
	sighting.first_seen = sighting.last_seen = NOW - 30 * DAY;
	add(store, &sighting);
	sighting.verified = false;
	sighting.rules = &two_rules;
	add(store, &sighting);
	assert_true(store_commit(store));

	assert_int_equal(ask_with(store, &filter).count, 3);
	filter.since = NOW;
	assert_int_equal(ask_with(store, &filter).count, 2);
	filter.broken = true;
	assert_int_equal(ask_with(store, &filter).count, 1);
	filter.since = 0;
	filter.unverified = true;
	assert_int_equal(ask_with(store, &filter).count, 2);
	filter.rule = "country";
	assert_int_equal(ask_with(store, &filter).count, 2);
	filter.rule = "countr";
	assert_int_equal(ask_with(store, &filter).count, 0);
	filter.rule = NULL;
	filter.broken = false;
	filter.user = "bob@example.org";
	assert_int_equal(ask_with(store, &filter).count, 2);
	assert_string_equal(ask_with(store, &filter).user, "bob@example.org");
	filter.user = "Bob@example.org";
	assert_int_equal(ask_with(store, &filter).count, 0);
	/* Alice's, whether they break a rule or not: of Bob, it may be somebody else. */
	filter = (struct store_filter){.verified = true, .names = true, .offenders = true};
	assert_int_equal(ask_with(store, &filter).count, 2);
	assert_string_equal(ask_with(store, &filter).user, "alice@example.org");
	store_close(store);
}

static void test_names_of_any_kind(void **state)
{
	static const char *const names[] = {
		"", " ", "a b", "'; DROP TABLE users; --", "\"", "a\nb", "\xc3\xbc\x1b[31m", "%s"};
	struct store *store = open_store(STORE_WRITE);
	struct store_sighting sighting = alice();
	struct store_filter filter = {.verified = true, .names = true};
	char *endless = malloc(10001);
	(void)state;

	memset(endless, 'x', 10000);
	endless[10000] = '\0';
	assert_true(store_begin(store));
	for (size_t i = 0; i < COUNT(names); i++) {
		sighting.user = names[i];
		add(store, &sighting);
	}
	sighting.user = endless;
	add(store, &sighting);
	assert_true(store_commit(store));
	assert_int_equal(ask(store).count, COUNT(names) + 1);
	for (size_t i = 0; i < COUNT(names); i++) {
		filter.user = names[i];
		assert_int_equal(ask_with(store, &filter).count, 1);
	}
	filter.user = endless;
	assert_int_equal(ask_with(store, &filter).count, 1);
	free(endless);
	store_close(store);
}

static void test_rollback(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	struct store_sighting sighting = alice();
	(void)state;

	assert_true(store_begin(store));
	add(store, &sighting);
	store_rollback(store);
	assert_int_equal(ask(store).count, 0);
	assert_true(store_begin(store));
	add(store, &sighting);
	assert_true(store_commit(store));
	assert_int_equal(ask(store).lines, 1);
	store_close(store);
}

static int most_of(int count, int limit)
{
	return count < limit ? count : limit;
}

static void test_strangers_cannot_fill_it(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	struct store_sighting sighting = alice();
	struct store_habit habit = thunderbird;
	struct store_filter filter = {.unverified = true, .names = true};
	/* More than all that there is a limit for. */
	const int names = rounds(101000);
	char name[64], program[64];
	struct found found;
	(void)state;

	habit.client_id = program;
	sighting.habit = &habit;
	sighting.user = name;
	sighting.verified = false;
	assert_true(store_begin(store));
	for (int i = 0; i < names; i++) {
		snprintf(name, sizeof(name), "invented%d", i);
		snprintf(program, sizeof(program), "program %d", i);
		add(store, &sighting);
	}
	strcpy(name, "invented1");
	for (int i = 0; i < 1000; i++) {
		snprintf(program, sizeof(program), "other program %d", i);
		add(store, &sighting);
	}
	assert_true(store_commit(store));
	found = ask(store);
	assert_int_equal(found.lines, names + 1000);
	/* All names but 1000, which share a row, and of one name 32 rows more. */
	assert_in_range(found.count, most_of(names, 100000) + 1, most_of(names, 100000) + 33);
	assert_true(store_begin_reading(store));
	assert_in_range(store_habit_count(store), most_of(names, 65536),
			most_of(names + 33, 65538));
	assert_true(store_commit(store));
	filter.user = "invented1";
	found = ask_with(store, &filter);
	assert_true(found.count >= 1 && found.count <= 33);

	/* A right password is always somebody's. */
	strcpy(name, "late@example.org");
	strcpy(program, "late program");
	sighting.verified = true;
	assert_true(store_begin(store));
	add(store, &sighting);
	assert_true(store_commit(store));
	filter = (struct store_filter){.verified = true, .names = true};
	found = ask_with(store, &filter);
	assert_int_equal(found.count, 1);
	assert_string_equal(found.user, "late@example.org");
	assert_string_equal(found.client_id, "late program");
	store_close(store);
}

static int64_t count_strings(void)
{
	sqlite3_stmt *statement;
	sqlite3 *database;
	int64_t count;

	assert_int_equal(sqlite3_open(store_path, &database), SQLITE_OK);
	assert_int_equal(
		sqlite3_prepare_v2(database, "SELECT count(*) FROM strings", -1, &statement, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	count = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(database);
	return count;
}

/* One account whose owner, or whoever guesses his password, invents programs: no table
   may grow by them, and no rule be missing. */
static void test_ever_new_programs(void **state)
{
	const int programs = rounds(4000);
	struct store *store = open_store(STORE_WRITE);
	struct store_sighting sighting = alice();
	struct store_habit habit = thunderbird;
	struct store_filter filter = {.verified = true, .unverified = true, .rule = "late"};
	struct store_broken_rule late[] = {{(char *)"late", PHASE_NOTIFY}};
	const struct store_rule_set late_rules = {.rule_count = 1, .rules = late};
	char program[64];
	struct stat status;
	struct found found;
	(void)state;

	habit.client_id = program;
	sighting.habit = &habit;
	assert_true(store_begin(store));
	for (int i = 0; i < programs; i++) {
		snprintf(program, sizeof(program), "program %d", i);
		sighting.verified = true;
		add(store, &sighting);
		snprintf(program, sizeof(program), "strange program %d", i);
		sighting.verified = false;
		add(store, &sighting);
	}
	/* A rule that only comes when there are too many rows. */
	sighting.verified = true;
	sighting.rules = &late_rules;
	add(store, &sighting);
	assert_true(store_commit(store));
	found = ask(store);
	assert_int_equal(found.lines, 2 * programs + 1);
	/* Programs, those without, the late rule; the same of the unverified, and nobody's. */
	assert_true(found.count <= 256 + 1 + 1 + 32 + 1 + 1);
	found = ask_with(store, &filter);
	assert_int_equal(found.lines, 1);
	assert_string_equal(found.client_id, "");
	assert_true(store_begin_reading(store));
	assert_true(store_habit_count(store) <= 256 + 32 + 1);
	assert_true(store_commit(store));
	store_close(store);
	if (!store_is_file())
		return;
	assert_true(count_strings() <= 256 + 32 + 2);
	assert_int_equal(stat(store_path, &status), 0);
	assert_true(status.st_size < 512 * 1024);
}

/* What a server counted of strangers without names is no user's. */
static void test_nobody_in_particular(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	struct store_sighting sighting = alice();
	struct store_filter filter = {.unverified = true, .names = true};
	struct found found;
	(void)state;

	sighting.user = NULL;
	sighting.verified = false;
	sighting.count = 1000;
	sighting.last_client = "";
	assert_true(store_begin(store));
	add(store, &sighting);
	add(store, &sighting);
	assert_true(store_commit(store));
	found = ask_with(store, &filter);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.lines, 2000);
	assert_string_equal(found.user, "(nobody)");
	store_close(store);
}

/* Whether some file of the store holds the text; of a server's nobody can tell. */
static void assert_on_disk(const char *text, bool expected)
{
	char command[256];

	if (!store_is_file())
		return;
	snprintf(command, sizeof(command), "grep -q -a '%s' %s*", text, store_path);
	assert_int_equal(system(command) == 0, expected);
}

static void test_expiry(void **state)
{
	const struct store_expiry expiry = {.keep_addresses = 14 * DAY,
					    .keep_sightings = 400 * DAY};
	struct store *store = open_store(STORE_WRITE);
	struct store_sighting sighting = alice();
	struct store_filter filter = {.verified = true, .unverified = true, .names = true};
	bool expired;
	(void)state;

	assert_true(store_begin(store));
	add(store, &sighting);
	sighting.user = "typo";
	sighting.verified = false;
	add(store, &sighting);
	assert_true(store_commit(store));

	assert_true(store_expire(store, &expiry, NOW + 14 * DAY));
	assert_true(store_has_expired(store, &expiry, NOW + 14 * DAY, &expired));
	assert_false(expired);
	assert_true(store_has_expired(store, &expiry, NOW + 15 * DAY, &expired));
	assert_true(expired);
	assert_int_equal(ask(store).count, 2);
	assert_string_equal(ask(store).client, "203.0.113.5");
	assert_on_disk("203.0.113.5", true);
	assert_true(store_expire(store, &expiry, NOW + 15 * DAY));
	assert_on_disk("203.0.113.5", false);
	assert_int_equal(ask(store).count, 1);
	assert_string_equal(ask(store).user, "alice@example.org");
	assert_string_equal(ask(store).client, "");
	assert_true(store_has_expired(store, &expiry, NOW + 400 * DAY, &expired));
	assert_false(expired);
	assert_true(store_has_expired(store, &expiry, NOW + 401 * DAY, &expired));
	assert_true(expired);
	assert_true(store_expire(store, &expiry, NOW + 400 * DAY));
	assert_int_equal(ask(store).count, 1);
	assert_true(store_expire(store, &expiry, NOW + 401 * DAY));
	assert_int_equal(ask_with(store, &filter).count, 0);
	assert_true(store_begin_reading(store));
	assert_int_equal(store_habit_count(store), 0);
	assert_int_equal(store_rule_set_count(store), 0);
	assert_true(store_commit(store));
	store_close(store);
}

static void test_forget(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	struct store_sighting sighting = alice();
	bool found, wiped;
	(void)state;

	assert_true(store_begin(store));
	add(store, &sighting);
	sighting.user = "bob@example.org";
	add(store, &sighting);
	assert_true(store_commit(store));
	assert_on_disk("alice@example.org", true);
	assert_true(store_forget(store, "alice@example.org", 0, &found, &wiped));
	assert_true(found && wiped);
	assert_int_equal(ask(store).count, 1);
	assert_string_equal(ask(store).user, "bob@example.org");
	assert_on_disk("alice@example.org", false);
	assert_on_disk("bob@example.org", true);
	assert_true(store_forget(store, "alice@example.org", 0, &found, &wiped));
	assert_false(found);
	store_close(store);
}

static bool note_file(void *context, const struct store_file *file)
{
	struct store_file *last = context;

	*last = *file;
	last->name = NULL;
	return true;
}

static bool note_day(void *context, const struct store_day *day)
{
	*(struct store_day *)context = *day;
	return true;
}

static bool note_writer(void *context, const struct store_writer *writer)
{
	*(struct store_writer *)context = *writer;
	assert_string_equal(writer->host, "mx1");
	return true;
}

static void add_edition(struct store *store, const char *edition, int64_t since)
{
	struct store_writer writer = {.host = "mx1", .edition_since = since, .last_seen = since};

	strcpy(writer.edition, edition);
	assert_true(store_begin(store));
	assert_true(store_add_writer(store, &writer));
	assert_true(store_commit(store));
}

static void test_editions(void **state)
{
	static const char first[] = "0123456789abcdef", second[] = "fedcba9876543210";
	struct store *store = open_store(STORE_WRITE);
	struct store_writer writer;
	(void)state;

	add_edition(store, first, NOW);
	add_edition(store, first, NOW + 5);
	/* A line that tells of none, and one that comes late. */
	add_edition(store, "", NOW + 7);
	add_edition(store, second, NOW - 5);
	assert_true(store_each_writer(store, note_writer, &writer));
	assert_string_equal(writer.edition, first);
	assert_int_equal(writer.edition_since, NOW);
	add_edition(store, second, NOW + 9);
	assert_true(store_each_writer(store, note_writer, &writer));
	assert_string_equal(writer.edition, second);
	assert_int_equal(writer.edition_since, NOW + 9);
	assert_int_equal(writer.last_seen, NOW + 9);
	store_close(store);
}

static void test_books(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	struct store_file file = {.name = (char *)"dovecot.jsonl",
				  .device = 1,
				  .inode = UINT64_MAX,
				  .head = UINT64_MAX - 1,
				  .position = 7};
	struct store_file found_file = {0};
	struct store_day day = {.day = 3,
				.sightings = 4,
				.unknown_country = 1,
				.lines = 5,
				.lost = 6,
				.set_aside = 7};
	struct store_writer writer = {.host = "mx1", .source = SOURCE_POSTFIX, .lines = 5};
	struct store_totals totals = {.last_import = NOW, .lines = 6, .lost = 2, .set_aside = 1};
	(void)state;

	assert_true(store_begin(store));
	for (int i = 0; i < 2; i++) {
		assert_true(store_put_file(store, &file));
		assert_true(store_add_day(store, &day));
		assert_true(store_add_writer(store, &writer));
		assert_true(store_add_totals(store, &totals));
		file.position = 8;
	}
	assert_true(store_commit(store));
	assert_true(store_each_file(store, note_file, &found_file));
	assert_int_equal(found_file.id, file.id);
	assert_true(found_file.inode == UINT64_MAX && found_file.head == UINT64_MAX - 1);
	assert_int_equal(found_file.position, 8);
	assert_true(store_each_day(store, 3, note_day, &day));
	assert_int_equal(day.sightings, 8);
	assert_int_equal(day.unknown_country, 2);
	assert_int_equal(day.lines, 10);
	assert_int_equal(day.lost, 12);
	assert_int_equal(day.set_aside, 14);
	assert_true(store_each_writer(store, note_writer, &writer));
	assert_int_equal(writer.lines, 10);
	assert_string_equal(writer.edition, "");
	assert_true(store_totals(store, &totals));
	assert_int_equal(totals.last_import, NOW);
	assert_int_equal(totals.lines, 12);
	assert_int_equal(totals.lost, 4);
	assert_int_equal(totals.set_aside, 2);
	assert_true(store_begin(store));
	assert_true(store_drop_file(store, file.id));
	assert_true(store_commit(store));
	found_file.id = 0;
	assert_true(store_each_file(store, note_file, &found_file));
	assert_int_equal(found_file.id, 0);
	store_close(store);
}

/* ---- what time it is ---- */

/* Imports a line of that time. */
static void add_line(struct store *store, int64_t time)
{
	const struct store_day day = {
		.day = time / DAY, .sightings = 1, .lines = 1, .last_line = 1};
	const struct store_writer writer = {.host = "mx1", .lines = 1, .last_seen = time};
	const struct store_totals totals = {.last_import = time, .lines = 1};

	assert_true(store_begin(store));
	assert_true(store_add_day(store, &day));
	assert_true(store_add_writer(store, &writer));
	assert_true(store_add_totals(store, &totals));
	assert_true(store_confirm_newest(store));
	assert_true(store_commit(store));
}

/* One line on each of so many days. */
static void add_days(struct store *store, int64_t from, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		add_line(store, from + i * DAY);
}

static void assert_newest(struct store *store, int64_t time, bool confirmed)
{
	struct store_newest newest;

	assert_true(store_newest(store, &newest));
	assert_int_equal(newest.time, time);
	assert_int_equal(newest.confirmed, confirmed);
}

#define END_OF_DAY(time) (((time) / DAY + 1) * DAY - 1)

/* A few days that are far ahead are a clock's mistake; a week of them is the time. */
static void test_newest(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	(void)state;

	assert_newest(store, 0, false);
	add_line(store, NOW);
	assert_newest(store, NOW, false);
	add_line(store, NOW - DAY);
	assert_newest(store, NOW, false);
	add_line(store, NOW + 30 * DAY);
	assert_newest(store, NOW + 30 * DAY, false);
	add_days(store, NOW + 31 * DAY, 4);
	assert_newest(store, NOW + 34 * DAY, true);
	add_days(store, NOW + 1000 * DAY, 6);
	assert_newest(store, END_OF_DAY(NOW + 34 * DAY), true);
	/* A day counts once, and from a return on all begins anew. */
	add_line(store, NOW + 1005 * DAY);
	add_line(store, NOW + 34 * DAY);
	add_line(store, NOW + 1006 * DAY);
	assert_newest(store, END_OF_DAY(NOW + 34 * DAY), true);
	add_days(store, NOW + 1000 * DAY, 6);
	assert_newest(store, NOW + 1006 * DAY, true);
	/* What was sure once stays so, whatever comes late. */
	add_line(store, NOW - 500 * DAY);
	add_line(store, NOW + 100 * DAY);
	assert_newest(store, NOW + 1006 * DAY, true);
	store_close(store);
}

/* What comes first may be wrong, too. */
static void test_first_day_that_is_wrong(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	(void)state;

	add_line(store, NOW + 2000 * DAY);
	assert_newest(store, NOW + 2000 * DAY, false);
	add_days(store, NOW, 2);
	assert_newest(store, END_OF_DAY(NOW + DAY), false);
	add_line(store, NOW - 100 * DAY);
	assert_newest(store, END_OF_DAY(NOW - 100 * DAY), false);
	add_days(store, NOW + 2 * DAY, 6);
	assert_newest(store, END_OF_DAY(NOW - 100 * DAY), true);
	add_line(store, NOW + 8 * DAY);
	assert_newest(store, END_OF_DAY(NOW + 8 * DAY), true);
	store_close(store);
}

/* Somebody who is there for a few days a year, and keeps nothing for long. */
static void test_seasons(void **state)
{
	const struct store_expiry expiry = {3 * DAY, 3 * DAY};
	struct store *store = open_store(STORE_WRITE);
	struct store_newest newest;
	(void)state;

	add_days(store, NOW, 7);
	for (unsigned int year = 1; year < 6; year++) {
		int64_t summer = NOW + year * 365 * DAY;

		for (unsigned int i = 0; i < 5; i++) {
			add_line(store, summer + i * DAY);
			assert_true(store_newest(store, &newest));
			assert_true(newest.confirmed && newest.time <= summer + i * DAY);
			assert_true(newest.time > summer - 735 * DAY);
			assert_true(store_expire(store, &expiry, newest.time + 2 * DAY));
		}
	}
	store_close(store);
}

static void test_correcting_the_future(void **state)
{
	const int64_t week = 7 * DAY;
	struct store *store = open_store(STORE_WRITE);
	struct store_sighting sighting = alice(), other = alice();
	struct store_writer writer;
	struct store_day day;
	struct found found;
	(void)state;

	add_line(store, NOW);
	add_line(store, NOW + DAY);
	add_line(store, NOW + 5 * week);
	add_edition(store, "0123456789abcdef", NOW + 5 * week);
	sighting.last_seen += 5 * week;
	sighting.weeks = UINT64_C(1) << 63 | 0x61;
	sighting.days = 20;
	other.user = "bob@example.org";
	other.last_seen = NOW + DAY;
	assert_true(store_begin(store));
	add(store, &sighting);
	add(store, &other);
	assert_true(store_commit(store));
	for (int i = 0; i < 2; i++) {
		assert_true(store_correct_future(store, NOW));
		found = ask_about(store, "alice@example.org");
		assert_int_equal(found.last.first_seen, NOW);
		assert_int_equal(found.last.last_seen, NOW);
		assert_true(found.last.weeks == ((UINT64_C(1) << 58) | 0x3));
		assert_int_equal(found.last.days, 1);
		assert_int_equal(ask_about(store, "bob@example.org").last.last_seen, NOW + DAY);
		assert_true(store_each_day(store, 0, note_day, &day));
		assert_int_equal(day.day, NOW / DAY + 1);
		assert_true(store_each_writer(store, note_writer, &writer));
		assert_int_equal(writer.last_seen, NOW);
		assert_int_equal(writer.edition_since, NOW);
	}
	/* However far it is. */
	sighting.last_seen = NOW + 1000 * week;
	sighting.weeks = UINT64_MAX;
	assert_true(store_begin(store));
	add(store, &sighting);
	assert_true(store_commit(store));
	assert_true(store_correct_future(store, NOW));
	assert_int_equal(ask_about(store, "alice@example.org").last.weeks, 1);
	store_close(store);
}

/* ---- stores that are not as they should be ---- */

static void execute(const char *sql)
{
	sqlite3 *database;
	char *error = NULL;

	assert_int_equal(sqlite3_open(store_path, &database), SQLITE_OK);
	if (sqlite3_exec(database, sql, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s", error);
	sqlite3_close(database);
}

static void assert_cannot_open(enum store_access access, int status, const char *words)
{
	struct store_failure failure;

	assert_null(store_open(store_uri, NULL, access, &failure));
	assert_int_equal(failure.status, status);
	if (strstr(failure.text, words) == NULL || strstr(failure.text, store_path) == NULL)
		fail_msg("'%s' does not say '%s'", failure.text, words);
}

/* A store that its group cannot read is none for those who ask. */
static void test_mode_that_cannot_be_set(void **state)
{
	(void)state;
	assert_int_equal(chmod(directory, 02755), 0);
	mode_error = EPERM;
	for (int i = 0; i < 2; i++) {
		assert_cannot_open(STORE_WRITE, EX_CANTCREAT, strerror(EPERM));
		assert_int_equal(access(store_path, F_OK), -1);
	}
	mode_error = 0;
	store_close(open_store(STORE_WRITE));
}

/* The schema of version 1, as it was. */
static const char version_1[] =
	"PRAGMA application_id = 0x5054434c; PRAGMA user_version = 1;"
	"CREATE TABLE strings (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);"
	"CREATE TABLE habits (id INTEGER PRIMARY KEY, source INTEGER NOT NULL,"
	" service INTEGER NOT NULL, port INTEGER NOT NULL, tls INTEGER NOT NULL,"
	" country TEXT NOT NULL, mechanism INTEGER NOT NULL REFERENCES strings,"
	" client_id INTEGER NOT NULL REFERENCES strings,"
	" UNIQUE (client_id, mechanism, port, service, tls, country, source));"
	"CREATE TABLE rule_sets (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);"
	"CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
	" verified INTEGER NOT NULL);"
	"CREATE INDEX users_unverified ON users (id) WHERE verified = 0;"
	"CREATE TABLE sightings (user INTEGER NOT NULL, verified INTEGER NOT NULL,"
	" habit INTEGER NOT NULL, rules INTEGER NOT NULL, count INTEGER NOT NULL,"
	" rejected INTEGER NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL,"
	" last_client TEXT, PRIMARY KEY (user, verified, habit, rules)) WITHOUT ROWID;"
	"CREATE TABLE days (day INTEGER PRIMARY KEY, sightings INTEGER NOT NULL,"
	" unknown_country INTEGER NOT NULL);"
	"CREATE TABLE writers (host TEXT NOT NULL, source INTEGER NOT NULL,"
	" lines INTEGER NOT NULL, lost INTEGER NOT NULL, last_seen INTEGER NOT NULL,"
	" PRIMARY KEY (host, source)) WITHOUT ROWID;"
	"CREATE TABLE totals (one INTEGER PRIMARY KEY CHECK (one = 1),"
	" last_import INTEGER NOT NULL, lines INTEGER NOT NULL, lost INTEGER NOT NULL,"
	" set_aside INTEGER NOT NULL, last_expiry INTEGER NOT NULL,"
	" kept_addresses INTEGER NOT NULL, kept_sightings INTEGER NOT NULL);"
	"INSERT INTO totals VALUES (1, 0, 0, 0, 0, 0, 0, 0);"
	"CREATE TABLE files (id INTEGER PRIMARY KEY, name TEXT NOT NULL,"
	" device INTEGER NOT NULL, inode INTEGER NOT NULL, head INTEGER NOT NULL,"
	" head_length INTEGER NOT NULL, position INTEGER NOT NULL,"
	" removed INTEGER NOT NULL, touched INTEGER NOT NULL);"
	"INSERT INTO strings VALUES (1, 'PLAIN'), (2, 'name=Thunderbird');"
	"INSERT INTO habits VALUES (1, 0, 0, 143, 0, 'US', 1, 2);"
	"INSERT INTO rule_sets VALUES (1, 'country=enforce,encryption=notify');"
	"INSERT INTO users VALUES (1, 'alice@example.org', 1);"
	"INSERT INTO sightings VALUES (1, 1, 1, 1, 4, 3, 1726820102123, 1726820102123,"
	" '203.0.113.5');"
	"INSERT INTO days VALUES (19986, 4, 1);";

/* ---- whereabouts ---- */

static const char *in_capitals(void *context, const char *client)
{
	unsigned int *calls = context;

	++*calls;
	return strcmp(client, "2001:db8::1") == 0 ? "IN BERLIN" : "IN PARIS";
}

static void assert_whereabouts(struct store *store, const char *user, const char *whereabouts)
{
	struct found found = ask_about(store, user);

	assert_int_equal(found.count, 1);
	assert_string_equal(found.whereabouts, whereabouts);
}

static void test_migration(void **state)
{
	unsigned int calls = 0;
	struct store_sighting sighting = alice();
	struct store_day day = {0};
	struct store *store;
	struct found found;
	(void)state;

	execute(version_1);
	/* A question is enough to bring it up to date. */
	store = open_store(STORE_READ);
	found = ask(store);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.last.count, 4);
	assert_int_equal(found.last.weeks, 1);
	assert_int_equal(found.last.days, 1);
	assert_true(store_each_day(store, 0, note_day, &day));
	assert_int_equal(day.sightings, 4);
	assert_int_equal(day.lost, 0);
	store_close(store);
	/* The old row and the new one are one. */
	store = open_store(STORE_WRITE);
	assert_true(store_begin(store));
	sighting.last_seen += 7 * DAY;
	add(store, &sighting);
	assert_true(store_commit(store));
	found = ask(store);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.last.count, 5);
	assert_int_equal(found.last.weeks, 3);
	assert_int_equal(found.last.days, 2);
	/* What it has an address of, it can be asked about anew. */
	assert_whereabouts(store, "alice@example.org", "");
	assert_true(store_note_whereabouts(store, 17, in_capitals, &calls));
	assert_whereabouts(store, "alice@example.org", "IN PARIS");
	store_close(store);
}

/* Of rows that have no count of their days, the weeks tell some. */
static void test_migration_of_days(void **state)
{
	static const struct {
		uint64_t weeks, days;
		int64_t first_seen;
	} rows[] = {
		{1, 1, NOW},
		{1, 2, NOW - 2 * DAY},
		{0xb, 3, NOW - 22 * DAY},
		{UINT64_MAX, 63, NOW - 500 * DAY},
		{UINT64_C(1) << 63 | 1, 2, NOW - 500 * DAY},
		{UINT64_C(0x5555555555555555), 32, NOW - 500 * DAY},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		char sql[256];
		struct store *store;

		unlink(store_path);
		execute(version_1);
		execute("ALTER TABLE sightings ADD COLUMN weeks INTEGER NOT NULL DEFAULT 1;"
			"PRAGMA user_version = 2");
		snprintf(sql, sizeof(sql), "UPDATE sightings SET first_seen = %lld, weeks = %lld",
			 (long long)rows[i].first_seen, (long long)rows[i].weeks);
		execute(sql);
		store = open_store(STORE_READ);
		assert_int_equal(ask(store).count, 1);
		assert_int_equal(ask(store).last.days, rows[i].days);
		store_close(store);
	}
}

/* Of old rows, too, it is known who came, who broke a rule and who was told. */
static void test_migration_of_people(void **state)
{
	const struct store_filter broken = {.verified = true, .broken = true, .names = true};
	const struct store_filter offenders = {.verified = true, .offenders = true, .names = true};
	const struct store_filter told = {
		.verified = true, .offenders = true, .told = true, .names = true};
	struct store_activity activity;
	struct store *store;
	(void)state;

	execute(version_1);
	for (int i = 1; i < 15; i++)
		execute(store_sqlite_migrations[i]);
	execute("PRAGMA user_version = 15;"
		"INSERT INTO strings VALUES (3, 'anonymous');"
		"INSERT INTO habits VALUES (2, 0, 0, 143, 0, 'US', 3, 2, 0, 0);"
		"INSERT INTO rule_sets VALUES (2, '');"
		"INSERT INTO users VALUES (2, 'bob', 1), (3, 'carol', 1), (4, 'dave', 1);"
		"INSERT INTO sightings VALUES"
		" (2, 1, 1, 2, 0, 0, 3, 0, 1725005702123, 1726215302123, '', 5, NULL, 0, 2),"
		" (3, 1, 1, 2, 0, 0, 1, 0, 1726215302123, 1726215302123, '', 1, NULL, 0, 1),"
		" (4, 1, 2, 2, 0, 0, 1, 0, 1726215302123, 1726215302123, '', 1, NULL, 0, 1);"
		"INSERT INTO notices VALUES"
		" (1, 'carol', 'carol', '', 'first', 'encryption', 1, 1, 1, 1, '', NULL)");
	store = open_store(STORE_READ);
	assert_int_equal(ask_with(store, &broken).count, 1);
	assert_string_equal(ask_with(store, &broken).user, "alice@example.org");
	assert_int_equal(ask_with(store, &offenders).count, 1);
	assert_string_equal(ask_with(store, &offenders).user, "alice@example.org");
	assert_int_equal(ask_with(store, &told).count, 2);
	assert_string_equal(ask_with(store, &told).user, "carol");
	/* Who came by ANONYMOUS is nobody; bob came three weeks ago, too. */
	assert_true(store_begin_reading(store));
	assert_true(store_count_activity(store, NOW - 8 * DAY, store_week(NOW), &activity));
	assert_true(store_commit(store));
	assert_int_equal(activity.lately, 3);
	assert_int_equal(activity.weeks[0], 1);
	assert_int_equal(activity.weeks[1], 2);
	assert_int_equal(activity.weeks[2], 0);
	assert_int_equal(activity.weeks[3], 1);
	store_close(store);
}

static void test_whereabouts(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	struct store_sighting sighting = alice(), other = alice();
	unsigned int calls = 0;
	(void)state;

	sighting.whereabouts = "at home";
	sighting.tls_below = TLS_V1_2;
	sighting.last_client = "2001:db8::1";
	other.user = "bob@example.org";
	other.whereabouts = "at work";
	other.last_client = "";
	assert_true(store_begin(store));
	add(store, &sighting);
	add(store, &other);
	/* An older one does not count. */
	sighting.first_seen = sighting.last_seen = NOW - DAY;
	sighting.whereabouts = "elsewhere";
	sighting.tls_below = TLS_V1_3;
	add(store, &sighting);
	assert_true(store_commit(store));
	assert_int_equal(ask_about(store, "alice@example.org").last.tls_below, TLS_V1_2);
	assert_int_equal(ask_about(store, "bob@example.org").last.tls_below, TLS_VERSION_UNKNOWN);
	assert_whereabouts(store, "alice@example.org", "at home");
	assert_whereabouts(store, "bob@example.org", "at work");
	/* Of an erased address, what was noted stays. */
	assert_true(store_note_whereabouts(store, 17, in_capitals, &calls));
	assert_int_equal(calls, 1);
	assert_whereabouts(store, "alice@example.org", "IN BERLIN");
	assert_whereabouts(store, "bob@example.org", "at work");
	/* Once for each definition. */
	assert_true(store_note_whereabouts(store, 17, in_capitals, &calls));
	assert_int_equal(calls, 1);
	assert_true(store_note_whereabouts(store, 18, in_capitals, &calls));
	assert_int_equal(calls, 2);
	store_close(store);
}

static void test_newer_version(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	(void)state;

	store_close(store);
	execute("PRAGMA user_version = 1000");
	assert_cannot_open(STORE_READ, EX_DATAERR, "newer version");
	assert_cannot_open(STORE_WRITE, EX_DATAERR, "newer version");
}

static void test_not_a_store(void **state)
{
	FILE *file;
	(void)state;

	assert_cannot_open(STORE_READ, EX_NOINPUT, "there is none yet");
	assert_int_equal(access(store_path, F_OK), -1);
	execute("CREATE TABLE recipes (name TEXT)");
	assert_cannot_open(STORE_WRITE, EX_DATAERR, "another program's");
	file = fopen(store_path, "w");
	for (int i = 0; i < 1000; i++)
		fputs("not a database", file);
	fclose(file);
	assert_cannot_open(STORE_WRITE, EX_DATAERR, "damaged");
	strcpy(store_uri, "mysql://localhost/portcullis");
	assert_null(store_open(store_uri, NULL, STORE_WRITE, &(struct store_failure){0}));
}

/* Another process makes the store while this one looks what it is. */
static bool made_meanwhile;

static int make_meanwhile(unsigned int event, void *context, void *statement, void *text)
{
	(void)event;
	(void)context;
	(void)statement;

	if (!made_meanwhile && strstr(text, "user_version") != NULL) {
		made_meanwhile = true;
		store_close(open_store(STORE_WRITE));
	}
	return 0;
}

static int watch(sqlite3 *database, char **error, const struct sqlite3_api_routines *routines)
{
	(void)error;
	(void)routines;
	return sqlite3_trace_v2(database, SQLITE_TRACE_STMT, make_meanwhile, NULL);
}

static void test_made_by_two_at_once(void **state)
{
	(void)state;

	made_meanwhile = false;
	sqlite3_auto_extension((void (*)(void))watch);
	store_close(open_store(STORE_WRITE));
	sqlite3_reset_auto_extension();
	assert_true(made_meanwhile);
}

static void test_no_directory(void **state)
{
	struct store_failure failure;
	(void)state;

	snprintf(store_uri, sizeof(store_uri), "sqlite:%s/missing/portcullis.db", directory);
	assert_null(store_open(store_uri, NULL, STORE_WRITE, &failure));
	assert_int_equal(failure.status, EX_CANTCREAT);
	assert_non_null(strstr(failure.text, "No such file or directory"));
}

/* Another process, which holds a whole file until it is killed. */
static pid_t lock_elsewhere(const char *file)
{
	int ready[2];
	pid_t child;
	char byte;

	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct flock whole = {.l_type = F_WRLCK};
		int descriptor = open(file, O_RDWR);

		if (fcntl(descriptor, F_SETLK, &whole) < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return child;
}

/* SQLite makes and keeps this file, and locks parts of it by turns. */
static void test_locked_shared_memory(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	char shared_memory[160];
	pid_t child;
	(void)state;

	assert_true(store_begin(store));
	assert_true(store_commit(store));
	store_close(store);
	snprintf(shared_memory, sizeof(shared_memory), "%s-shm", store_path);
	child = lock_elsewhere(shared_memory);
	assert_cannot_open(STORE_WRITE, EX_TEMPFAIL, "it is locked by another process");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	store_close(open_store(STORE_WRITE));
}

static void test_damaged_within(void **state)
{
	const struct store_filter all = {.verified = true, .names = true};
	struct store *store = open_store(STORE_WRITE);
	struct store_sighting sighting = alice();
	struct found found = {0};
	char name[64];
	FILE *file;
	(void)state;

	sighting.user = name;
	assert_true(store_begin(store));
	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "user%d@example.org", i);
		add(store, &sighting);
	}
	assert_true(store_commit(store));
	store_close(store);
	file = fopen(store_path, "r+");
	for (long page = 60; page < 150; page++) {
		fseek(file, page * 4096, SEEK_SET);
		for (int i = 0; i < 4096; i++)
			fputc('x', file);
	}
	fclose(file);
	store = open_store(STORE_READ);
	assert_true(store_begin_reading(store));
	assert_false(store_each_sighting(store, &all, note, &found));
	assert_int_equal(store_failure(store)->status, EX_DATAERR);
	assert_non_null(strstr(store_failure(store)->text, "damaged"));
	store_close(store);
}

/* ---- logs ---- */

static int64_t server(struct store *store, const char *host, enum store_witness witness)
{
	struct store_server found = {.host = host, .witness = witness};

	assert_true(store_find_server(store, &found));
	return found.id;
}

/* Of a log, unless server is 0. */
static void add_at(struct store *store, int64_t server, int64_t time,
		   const struct store_rule_set *rules)
{
	struct store_habit habit = thunderbird;
	struct store_sighting sighting = alice();

	habit.of_log = server != 0;
	habit.port = server != 0 ? 0 : 143;
	sighting.habit = &habit;
	sighting.rules = rules;
	sighting.first_seen = sighting.last_seen = time;
	sighting.server = server;
	add(store, &sighting);
}

/* How many logins of logs are in the store. */
static uint64_t of_logs(struct store *store)
{
	return ask(store).lines - 1;
}

#define HOUR (DAY / 24)
#define MINUTE (HOUR / 60)
#define MORNING (NOW - 2 * HOUR)

/* A login that a log tells, and the time from first to last that another witness tells of: in
   both orders. */
static void assert_counts(const char *log, enum store_witness by, const char *gate,
			  enum store_witness better, int64_t time,
			  const struct store_rule_set *rules, int64_t first, int64_t last,
			  uint64_t expected)
{
	for (int order = 0; order < 2; order++) {
		struct store *store = open_store(STORE_WRITE);

		assert_true(store_begin(store));
		/* The gate knows the mechanism. */
		add_at(store, 0, NOW, &clean);
		for (int step = 0; step < 2; step++) {
			if (step == order)
				add_at(store, server(store, log, by), time, rules);
			else
				assert_true(store_cover(store, server(store, gate, better), first,
							last));
		}
		assert_true(store_commit(store));
		if (of_logs(store) != expected)
			fail_msg("order %d: %d and not %d", order, (int)of_logs(store),
				 (int)expected);
		store_close(store);
		assert_int_equal(empty_store(), 0);
	}
}

static void test_better_witnesses(void **state)
{
	const enum store_witness log = WITNESS_FILE, gate = WITNESS_SERVER;
	(void)state;

	/* Within, before, and behind. */
	assert_counts("mx1", log, "mx1", gate, NOW, &two_rules, MORNING, NOW + HOUR, 0);
	assert_counts("mx1", log, "mx1", gate, NOW, &two_rules, NOW, NOW, 0);
	assert_counts("mx1", log, "mx1", gate, NOW, &two_rules, NOW + 14 * MINUTE, NOW + HOUR, 0);
	assert_counts("mx1", log, "mx1", gate, NOW, &two_rules, NOW + 16 * MINUTE, NOW + HOUR, 1);
	assert_counts("mx1", log, "mx1", gate, NOW, &two_rules, MORNING, NOW - 14 * MINUTE, 0);
	assert_counts("mx1", log, "mx1", gate, NOW, &two_rules, MORNING, NOW - 16 * MINUTE, 1);
	/* What breaks nothing is recorded once a day. */
	assert_counts("mx1", log, "mx1", gate, NOW, &clean, MORNING - 20 * HOUR, MORNING, 0);
	assert_counts("mx1", log, "mx1", gate, NOW, &clean, NOW - 2 * DAY, NOW - 25 * HOUR, 1);
	/* Hosts by their names. */
	assert_counts("mx1", log, "mx1.example.org", gate, NOW, &clean, NOW, NOW, 0);
	assert_counts("mx1.example.org", log, "mx1", gate, NOW, &clean, NOW, NOW, 0);
	assert_counts("mx1", log, "mx2", gate, NOW, &clean, NOW, NOW, 1);
	assert_counts("mx1", log, "mx11", gate, NOW, &clean, NOW, NOW, 1);
	assert_counts("mx1.a.example", log, "mx1.b.example", gate, NOW, &clean, NOW, NOW, 1);
	/* Systemd's journal comes last. */
	assert_counts("mx1", WITNESS_JOURNAL, "mx1", log, NOW, &clean, NOW, NOW, 0);
	assert_counts("mx1", log, "mx1", WITNESS_JOURNAL, NOW, &clean, NOW, NOW, 1);
}

/* Who came before and behind it, but perhaps not meanwhile, is lost by no order. */
static void test_a_witness_of_an_hour(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	int64_t gate, log;
	(void)state;

	assert_true(store_begin(store));
	gate = server(store, "mx1", WITNESS_SERVER);
	log = server(store, "mx1", WITNESS_FILE);
	add_at(store, 0, NOW, &clean);
	add_at(store, log, NOW - 2 * HOUR, &two_rules);
	add_at(store, log, NOW + 2 * HOUR, &two_rules);
	assert_true(store_cover(store, gate, NOW, NOW + HOUR));
	assert_true(store_commit(store));
	assert_int_equal(of_logs(store), 2);
	/* It goes on. */
	assert_true(store_begin(store));
	assert_true(store_cover(store, gate, NOW + 2 * HOUR, NOW + 2 * HOUR));
	assert_true(store_commit(store));
	assert_int_equal(of_logs(store), 0);
	store_close(store);
}

/* From the second day on, the gate's first line is not the first that it would have recorded. */
static void test_days_of_a_witness(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	int64_t gate, log;
	(void)state;

	assert_true(store_begin(store));
	gate = server(store, "mx1", WITNESS_SERVER);
	log = server(store, "mx1", WITNESS_FILE);
	add_at(store, 0, NOW, &clean);
	assert_true(store_cover(store, gate, NOW - DAY, NOW - DAY));
	assert_true(store_cover(store, gate, NOW, NOW));
	add_at(store, log, NOW - 6 * HOUR, &two_rules);
	assert_true(store_commit(store));
	assert_int_equal(of_logs(store), 0);
	/* One line that spans midnight. */
	assert_true(store_begin(store));
	assert_true(store_cover(store, gate, NOW + 13 * HOUR, NOW + 18 * HOUR));
	add_at(store, log, NOW + 15 * HOUR, &two_rules);
	add_at(store, log, NOW + 17 * HOUR, &two_rules);
	assert_true(store_commit(store));
	assert_int_equal(of_logs(store), 0);
	store_close(store);
}

/* What a service and mechanism that the gate never had tell, it cannot cover; nor what a version
   of TLS breaks. */
static void test_what_is_not_covered(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	struct store_sighting sighting = alice();
	struct store_habit habit = thunderbird;
	(void)state;

	habit.of_log = true;
	sighting.habit = &habit;
	assert_true(store_begin(store));
	add_at(store, 0, NOW, &clean);
	assert_true(store_cover(store, server(store, "mx1", WITNESS_SERVER), NOW, NOW));
	sighting.server = server(store, "mx1", WITNESS_FILE);
	add(store, &sighting);
	habit.mechanism = "";
	add(store, &sighting);
	assert_true(store_commit(store));
	assert_int_equal(of_logs(store), 0);
	assert_true(store_begin(store));
	habit.mechanism = "GSSAPI";
	add(store, &sighting);
	habit.mechanism = "PLAIN";
	habit.service = SERVICE_POP3;
	add(store, &sighting);
	habit.service = SERVICE_IMAP;
	habit.tls_version = TLS_V1;
	sighting.tls_below = TLS_V1_2;
	add(store, &sighting);
	assert_true(store_cover(store, server(store, "mx1", WITNESS_SERVER), NOW, NOW + HOUR));
	assert_true(store_commit(store));
	assert_int_equal(of_logs(store), 3);
	store_close(store);
}

/* A policy daemon that only one port asks does not cover another one, whatever its number is
   in a container. */
static void test_ports_of_a_witness(void **state)
{
	static const struct {
		uint16_t daemon, log;
		uint64_t expected;
	} cases[] = {{587, 587, 0}, {587, 25, 1},    {587, 465, 1},
		     {587, 0, 0},   {10587, 587, 0}, {0, 587, 0}};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		for (int order = 0; order < 2; order++) {
			struct store *store = open_store(STORE_WRITE);
			struct store_server daemon = {.host = "mx1", .source = SOURCE_POSTFIX};
			struct store_server log = {
				.host = "mx1", .source = SOURCE_POSTFIX, .witness = WITNESS_FILE};
			struct store_habit habit = {.source = SOURCE_POSTFIX,
						    .service = SERVICE_SUBMISSION,
						    .mechanism = "PLAIN",
						    .client_id = ""};
			struct store_sighting sighting = alice();

			sighting.habit = &habit;
			assert_true(store_begin(store));
			assert_true(store_find_server(store, &daemon));
			assert_true(store_find_server(store, &log));
			for (int step = 0; step < 2; step++) {
				habit.of_log = step == order;
				habit.port = habit.of_log ? cases[i].log : cases[i].daemon;
				sighting.server = habit.of_log ? log.id : 0;
				add(store, &sighting);
				if (!habit.of_log)
					assert_true(store_cover(store, daemon.id, NOW, NOW));
			}
			assert_true(store_commit(store));
			if (of_logs(store) != cases[i].expected)
				fail_msg("ports %d and %d, order %d", cases[i].daemon, cases[i].log,
					 order);
			store_close(store);
			assert_int_equal(empty_store(), 0);
		}
	}
}

/* Of a store of an older version, the days on which servers recorded anything are known; but of
   several servers not which of them did. */
static void test_migration_of_witnesses(void **state)
{
	static const struct {
		const char *writers;
		uint64_t of_logs;
	} cases[] = {
		{"INSERT INTO writers VALUES ('MX1', 0, 4, 0, 1726820102123)", 1},
		{"INSERT INTO writers VALUES ('MX1', 0, 4, 0, 1726820102123),"
		 " ('mx1', 1, 4, 0, 1726820102123)",
		 1},
		{"INSERT INTO writers VALUES ('MX1', 0, 4, 0, 1726820102123),"
		 " ('mx3', 0, 4, 0, 1726820102123)",
		 2},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct store *store;
		struct found found;

		execute(version_1);
		execute(cases[i].writers);
		store = open_store(STORE_WRITE);
		assert_true(store_begin(store));
		add_at(store, server(store, "mx1", WITNESS_FILE), NOW, &two_rules);
		add_at(store, server(store, "mx2", WITNESS_FILE), NOW, &two_rules);
		assert_true(store_commit(store));
		found = ask(store);
		assert_int_equal(found.count, 2);
		assert_int_equal(found.lines, 4 + cases[i].of_logs);
		store_close(store);
		unlink(store_path);
	}
}

static bool count_service(void *context, const struct store_log_service *service)
{
	int *count = context;

	(void)service;
	++*count;
	return true;
}

static bool find_service(void *context, const struct store_log_service *service)
{
	struct store_log_service *found = context;

	if (strcmp(service->host, found->host) != 0)
		return true;
	found->logs_tls = service->logs_tls;
	found->wraps = service->wraps;
	return false;
}

static void test_what_waits(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	struct found before, after;
	int64_t log;
	bool more;
	(void)state;

	assert_true(store_begin(store));
	log = server(store, "mx1", WITNESS_FILE);
	for (int day = 0; day < 10; day++) {
		add_at(store, log, NOW + day * DAY, &two_rules);
		add_at(store, log, NOW + day * DAY + HOUR, &two_rules);
	}
	assert_true(store_commit(store));
	before = ask(store);
	assert_int_equal(before.count, 1);
	assert_int_equal(before.lines, 20);
	assert_int_equal(before.last.days, 10);
	assert_int_equal(before.last.weeks, 3);
	assert_int_equal(before.last.last_seen, NOW + 9 * DAY + HOUR);
	assert_true(store_begin(store));
	assert_true(store_settle(store, NOW / DAY + 7, &more));
	assert_false(more);
	/* What is settled stays. */
	assert_true(store_cover(store, server(store, "mx1", WITNESS_SERVER), NOW, NOW + DAY));
	assert_true(store_commit(store));
	after = ask(store);
	assert_int_equal(after.count, 1);
	assert_int_equal(after.lines, 20);
	assert_int_equal(after.last.days, 10);
	assert_int_equal(after.last.weeks, 3);
	assert_int_equal(after.last.first_seen, before.last.first_seen);
	assert_int_equal(after.last.last_seen, before.last.last_seen);
	store_close(store);
}

/* In transactions that are short, whatever waits. */
static void test_what_waits_in_portions(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	struct store_sighting sighting = alice();
	struct store_habit habit = thunderbird;
	int portions = 0;
	bool more = true;
	(void)state;

	habit.of_log = true;
	sighting.habit = &habit;
	assert_true(store_begin(store));
	sighting.server = server(store, "mx1", WITNESS_FILE);
	for (int i = 0; i < 25000; i++) {
		char user[32];

		snprintf(user, sizeof(user), "user%d@example.org", i);
		sighting.user = user;
		add(store, &sighting);
	}
	assert_true(store_commit(store));
	for (; more; portions++) {
		assert_true(store_begin(store));
		assert_true(store_settle(store, NOW / DAY + 1, &more));
		assert_true(store_commit(store));
	}
	assert_int_equal(portions, 3);
	assert_int_equal(ask(store).count, 25000);
	store_close(store);
}

static bool count_connection(void *context, const struct store_log_connection *connection)
{
	int *count = context;

	(void)connection;
	++*count;
	return true;
}

static bool count_log(void *context, const struct store_log *log)
{
	int *count = context;

	(void)log;
	++*count;
	return true;
}

/* Names of connections go with addresses; how far a log is read, with the last of its logins. */
static void test_expiry_of_logs(void **state)
{
	static const struct {
		int days, connections, logs;
	} cases[] = {{13, 1, 1}, {15, 0, 1}, {400, 0, 1}, {402, 0, 0}};
	static const struct store_expiry expiry = {.keep_addresses = 14 * DAY,
						   .keep_sightings = 400 * DAY};
	const struct store_log_connection connection = {.host = "mx1",
							.program = "postfix/smtpd",
							.heard = NOW,
							.user = "alice@example.org",
							.client = "203.0.113.5",
							.mechanism = "PLAIN"};
	struct store_log log = {.name = "/var/log/mail.log", .cursor = "", .touched = NOW};
	struct store *store = open_store(STORE_WRITE);
	(void)state;

	assert_true(store_begin(store));
	assert_true(store_add_log_connection(store, &connection));
	assert_true(store_put_log(store, &log));
	assert_true(store_commit(store));
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int connections = 0, logs = 0;

		assert_true(store_expire(store, &expiry, NOW + cases[i].days * DAY));
		assert_true(store_each_log_connection(store, count_connection, &connections));
		assert_true(store_each_log(store, count_log, &logs));
		assert_int_equal(connections, cases[i].connections);
		assert_int_equal(logs, cases[i].logs);
	}
	assert_on_disk("alice@example.org", false);
	store_close(store);
}

/* Whoever writes into a log may write any number of names into it. */
static void test_services_of_logs(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	struct store_log_service service = {.program = "postfix/smtpd", .logs_tls = true};
	int count = 0;
	(void)state;

	assert_true(store_begin(store));
	for (int i = 0; i < 5000; i++) {
		char host[32];

		snprintf(host, sizeof(host), "mx%d", i);
		service.host = host;
		assert_true(store_put_log_service(store, &service));
	}
	/* What was found out of it before, stays. */
	service = (struct store_log_service){
		.host = "mx1", .program = "postfix/smtpd", .wraps = true};
	assert_true(store_put_log_service(store, &service));
	assert_true(store_each_log_service(store, count_service, &count));
	assert_int_equal(count, STORE_LOG_SERVICES);
	service.logs_tls = service.wraps = false;
	assert_true(store_each_log_service(store, find_service, &service));
	assert_true(service.logs_tls && service.wraps);
	assert_true(store_commit(store));
	store_close(store);
}

int main(void)
{
#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, make_empty_store, remove_directory)
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_weeks),
		STORE_TEST(test_better_witnesses),
		STORE_TEST(test_a_witness_of_an_hour),
		STORE_TEST(test_days_of_a_witness),
		STORE_TEST(test_what_is_not_covered),
		STORE_TEST(test_ports_of_a_witness),
		STORE_TEST(test_what_waits),
		STORE_TEST(test_what_waits_in_portions),
		STORE_TEST(test_expiry_of_logs),
		STORE_TEST(test_services_of_logs),
		STORE_TEST(test_sightings_add_up),
		STORE_TEST(test_days_of_use),
		STORE_TEST(test_days_of_use_in_any_order),
		STORE_TEST(test_filters),
		STORE_TEST(test_names_of_any_kind),
		STORE_TEST(test_rollback),
		STORE_TEST(test_strangers_cannot_fill_it),
		STORE_TEST(test_ever_new_programs),
		STORE_TEST(test_nobody_in_particular),
		STORE_TEST(test_expiry),
		STORE_TEST(test_newest),
		STORE_TEST(test_first_day_that_is_wrong),
		STORE_TEST(test_seasons),
		STORE_TEST(test_correcting_the_future),
		STORE_TEST(test_forget),
		STORE_TEST(test_editions),
		STORE_TEST(test_books),
		STORE_TEST(test_whereabouts),
	};
	static const struct CMUnitTest of_files[] = {
		STORE_TEST(test_mode_that_cannot_be_set), STORE_TEST(test_migration),
		STORE_TEST(test_migration_of_days),       STORE_TEST(test_migration_of_people),
		STORE_TEST(test_newer_version),           STORE_TEST(test_not_a_store),
		STORE_TEST(test_made_by_two_at_once),     STORE_TEST(test_no_directory),
		STORE_TEST(test_locked_shared_memory),    STORE_TEST(test_damaged_within),
		STORE_TEST(test_migration_of_witnesses),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	if (getenv("PORTCULLIS_TEST_POSTGRESQL") == NULL)
		failed += cmocka_run_group_tests(of_files, NULL, NULL);
	return failed;
}
