#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <glib.h>

#include "admin/sightings/device-name.h"
#include "admin/sightings/device.h"

#define DAY MILLISECONDS_A_DAY
#define HOUR (DAY / 24)

/* 2024-05-01, a Wednesday, 00:00 UTC. */
#define MAY INT64_C(1714521600000)

#define ENCRYPTION UINT64_C(1)
#define MECHANISM UINT64_C(2)

static const char iphone[] = "name=\"iPhone Mail\" version=21E236";

/* ---- a person ---- */

static struct devices *devices;
static struct store_habit habits[4096];
static size_t habit_count;

static int begin(void **state)
{
	(void)state;
	devices = devices_create();
	habit_count = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	devices_free(devices);
	return 0;
}

static const struct store_habit *habit(enum service service, uint16_t port, enum tls_state tls,
				       const char *mechanism, const char *country,
				       const char *client_id)
{
	struct store_habit *new = &habits[habit_count];

	*new = (struct store_habit){.index = habit_count++,
				    .service = service,
				    .port = port,
				    .tls = tls,
				    .mechanism = mechanism,
				    .client_id = client_id};
	snprintf(new->country.code, sizeof(new->country.code), "%s", country);
	return new;
}

static const struct store_habit *imap(uint16_t port, const char *client_id)
{
	return habit(SERVICE_IMAP, port, port == 993 ? TLS_IMPLICIT : TLS_NONE, "PLAIN", "DE",
		     client_id);
}

static const struct store_habit *sent(uint16_t port, const char *helo)
{
	return habit(SERVICE_SUBMISSION, port, port == 465 ? TLS_IMPLICIT : TLS_NONE, "PLAIN", "DE",
		     helo);
}

/* Rules that the next rows do not tell of. */
static uint64_t untold;

/* Every so many days from a day of May on to another, at an hour. */
static size_t see(const struct store_habit *habit, uint64_t broken, int first, int last, int every,
		  int hour)
{
	struct store_sighting sighting = {.user_id = 1,
					  .verified = true,
					  .habit = habit,
					  .first_seen = MAY + first * DAY + hour * HOUR,
					  .last_client = ""};

	sighting.last_seen = sighting.first_seen + (last - first) / every * every * DAY;
	sighting.days = (uint64_t)((last - first) / every + 1);
	return devices_add(devices, &sighting, broken, untold);
}

static enum device_state state_on(size_t device, uint64_t rules, int day)
{
	const struct device_record record = devices_record(devices, device, rules);

	return device_state(&record, MAY + day * DAY);
}

/* ---- names ---- */

static void assert_name(const char *client_id, const char *name)
{
	char *found = device_name(client_id);

	if (name == NULL)
		assert_null(found);
	else
		assert_string_equal(found, name);
	g_free(found);
}

static void test_names(void **state)
{
	(void)state;
	/* They say nothing. */
	assert_name("", NULL);
	assert_name("localhost", NULL);
	assert_name("LOCALHOST", NULL);
	assert_name("localhost.localdomain", NULL);
	assert_name("localhost.", NULL);
	assert_name("192.0.2.1", NULL);
	assert_name("2001:db8::1", NULL);
	assert_name("[192.0.2.1]", NULL);
	assert_name("[IPv6:2001:db8::1]", NULL);
	/* These do. */
	assert_name("DESKTOP-33C70B8", "desktop-33c70b8");
	assert_name("smtpclient.apple", "smtpclient.apple");
	assert_name("localhosting", "localhosting");
	assert_name("192.0.2.1.example.org", "192.0.2.1.example.org");
	/* Without a version, be it behind the name or in it, or there is no name. */
	assert_name("name=Thunderbird version=115.3", "Thunderbird");
	assert_name("name=Thunderbird version=128", "Thunderbird");
	assert_name("name=Thunderbird", "Thunderbird");
	assert_name("name=Foo 3.1", "Foo");
	assert_name("vendor=Foo version=1.2", " vendor=Foo");
	assert_name("vendor=Foo version=11rc1", " vendor=Foo");
	assert_name("name=com.example.mail version=7.2 os-version=21E236", " name=comexamplemail");
}

static void test_labels(void **state)
{
	static const struct {
		const char *client_id, *label; /* NULL: none */
	} cases[] = {
		{"", NULL},
		{"localhost", NULL},
		{"[192.0.2.1]", NULL},
		{"DESKTOP-33C70B8", "DESKTOP-33C70B8"},
		{"annas-mbp.fritz.box", "annas-mbp"},
		{"iPhone-von-Anna", "iPhone-vonAnna"},
		{"smtpclient.apple", "Apple Mail"},
		{"www.evil.example", "www"},
		{".", NULL},
		{"<script>", "script"},
		{"call 0190 123456 to unlock your account", "call0190123456tounlockyo"},
		{"\xc3\xbc", NULL},
		{"name=Thunderbird version=115.3", "Thunderbird 115.3"},
		{"vendor=x", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *label = device_label(cases[i].client_id);

		if (cases[i].label == NULL)
			assert_null(label);
		else
			assert_string_equal(label, cases[i].label);
		g_free(label);
	}
}

/* ---- which ways are one device ---- */

static void test_versions_countries_and_settings(void **state)
{
	const struct device *device;
	size_t first;
	(void)state;

	first = see(imap(143, "name=Thunderbird version=115.9.0"), ENCRYPTION, 10, 20, 1, 9);
	assert_int_equal(
		see(imap(143, "name=Thunderbird version=115.10.1"), ENCRYPTION, 5, 8, 1, 9), first);
	assert_int_equal(see(imap(993, "name=Thunderbird version=115.9.0"), 0, 2, 30, 1, 9), first);
	assert_int_equal(see(habit(SERVICE_POP3, 995, TLS_IMPLICIT, "LOGIN", "JP",
				   "name=Thunderbird version=102"),
			     0, 1, 1, 1, 0),
			 first);
	/* Another purpose, another name. */
	assert_int_not_equal(see(habit(SERVICE_SIEVE, 4190, TLS_STARTTLS, "PLAIN", "DE",
				       "name=Thunderbird version=102"),
				 0, 1, 1, 1, 0),
			     first);
	assert_int_not_equal(see(sent(587, "thunderbird"), 0, 1, 1, 1, 0), first);
	assert_int_not_equal(see(imap(993, iphone), 0, 1, 1, 1, 0), first);
	assert_int_equal(devices_count(devices), 4);

	device = devices_get(devices, first);
	assert_int_equal(device->purpose, PURPOSE_READ);
	assert_string_equal(device->name, "Thunderbird");
	assert_string_equal(device->client_id, "name=Thunderbird version=115.10.1");
	assert_int_equal(device->first_seen, MAY + DAY);
	assert_int_equal(device->last_seen, MAY + 30 * DAY + 9 * HOUR);
}

static void test_nameless(void **state)
{
	static const char *const nothing[] = {"", "localhost", "[192.0.2.1]", "192.0.2.7"};
	(void)state;

	/* Whatever they do not say, the way is what they have in common. */
	for (size_t i = 0; i < COUNT(nothing); i++) {
		assert_int_equal(see(sent(25, nothing[i]), ENCRYPTION, 1, 1, 1, 9), 0);
		assert_int_equal(see(sent(465, nothing[i]), 0, 9, 9, 1, 9), 1);
	}
	assert_int_equal(
		see(habit(SERVICE_SUBMISSION, 25, TLS_NONE, "PLAIN", "JP", ""), 0, 1, 1, 1, 9), 0);
	assert_null(devices_get(devices, 0)->name);
	assert_string_equal(devices_get(devices, 0)->client_id, "localhost");
	assert_int_equal(see(habit(SERVICE_POP3, 110, TLS_NONE, "PLAIN", "DE", ""), 1, 1, 1, 1, 9),
			 2);
	assert_int_equal(
		see(habit(SERVICE_POP3, 110, TLS_STARTTLS, "PLAIN", "DE", ""), 1, 1, 1, 1, 9), 3);
	assert_int_equal(see(habit(SERVICE_POP3, 110, TLS_NONE, "LOGIN", "DE", ""), 1, 1, 1, 1, 9),
			 4);
	assert_int_equal(see(habit(SERVICE_IMAP, 110, TLS_NONE, "PLAIN", "DE", ""), 1, 1, 1, 1, 9),
			 5);
	/* Another such program that works is no evidence. */
	assert_int_equal(state_on(0, ENCRYPTION, 1000), DEVICE_OPEN);
}

static void test_hosts(void **state)
{
	size_t desktop, scanner;
	(void)state;

	desktop = see(sent(25, "DESKTOP-33C70B8"), ENCRYPTION, 1, 10, 1, 9);
	scanner = see(sent(25, "scanner0A1B2C"), ENCRYPTION, 1, 10, 1, 9);
	assert_int_not_equal(desktop, scanner);
	assert_int_equal(see(sent(465, "desktop-33c70b8"), 0, 11, 12, 1, 9), desktop);
	assert_string_equal(devices_get(devices, desktop)->name, "DESKTOP-33C70B8");
	assert_int_equal(state_on(desktop, ENCRYPTION, 13), DEVICE_REPAIRED);
	assert_int_equal(state_on(scanner, ENCRYPTION, 13), DEVICE_OPEN);
	assert_int_equal(state_on(scanner, ENCRYPTION, 14), DEVICE_RESTED);
}

static void test_people_do_not_mix(void **state)
{
	const struct store_habit *bad = imap(143, iphone), *good = imap(993, iphone);
	(void)state;

	for (int person = 0; person < 3; person++) {
		devices_begin(devices);
		assert_int_equal(devices_count(devices), 0);
		assert_int_equal(see(sent(25, ""), ENCRYPTION, 1, 10, 1, 9), 0);
		assert_int_equal(see(bad, person == 1 ? 0 : ENCRYPTION, 1, 10, 1, 9), 1);
		assert_int_equal(state_on(1, ENCRYPTION, 11),
				 person == 1 ? DEVICE_KEEPS : DEVICE_OPEN);
		if (person == 0) {
			see(good, 0, 11, 12, 1, 9);
			assert_int_equal(state_on(1, ENCRYPTION, 13), DEVICE_REPAIRED);
		}
	}
	/* Another reading, with other indexes. */
	devices_clear(devices);
	habit_count = 0;
	assert_int_equal(see(sent(25, "scanner"), ENCRYPTION, 1, 10, 1, 9), 0);
	assert_string_equal(devices_get(devices, 0)->name, "scanner");
}

/* ---- repaired ---- */

static void test_repair(void **state)
{
	size_t phone = see(imap(143, iphone), ENCRYPTION, 1, 10, 1, 9);
	(void)state;

	assert_int_equal(state_on(phone, ENCRYPTION, 11), DEVICE_OPEN);
	/* Another program is no evidence, nor what this one sends by. */
	see(imap(993, "name=Thunderbird version=115.3"), 0, 11, 20, 1, 9);
	see(sent(465, "iphone"), 0, 11, 20, 1, 9);
	assert_int_equal(state_on(phone, ENCRYPTION, 12), DEVICE_OPEN);
	see(imap(993, iphone), 0, 11, 20, 1, 9);
	assert_int_equal(state_on(phone, ENCRYPTION, 12), DEVICE_REPAIRED);
	assert_int_equal(state_on(phone, ENCRYPTION, 500), DEVICE_REPAIRED);
}

/* A minute is enough, and the same moment is not. */
static void test_repair_on_the_same_day(void **state)
{
	const struct store_habit *good = imap(993, iphone);
	size_t phone = see(imap(143, iphone), ENCRYPTION, 1, 10, 1, 9);
	(void)state;

	see(good, 0, 10, 10, 1, 9);
	assert_int_equal(state_on(phone, ENCRYPTION, 11), DEVICE_OPEN);
	devices_begin(devices);
	see(imap(143, iphone), ENCRYPTION, 1, 10, 1, 9);
	see(good, 0, 10, 10, 1, 10);
	assert_int_equal(state_on(phone, ENCRYPTION, 11), DEVICE_REPAIRED);
}

/* What a log does not tell is no evidence. */
static void test_untold(void **state)
{
	size_t device;
	(void)state;

	device = see(imap(143, "name=Mail"), ENCRYPTION, 0, 10, 1, 9);
	untold = ENCRYPTION;
	see(imap(993, "name=Mail"), 0, 20, 30, 1, 9);
	untold = 0;
	assert_int_equal(state_on(device, ENCRYPTION, 12), DEVICE_OPEN);
	see(imap(993, "name=Mail"), 0, 25, 30, 1, 9);
	assert_int_equal(state_on(device, ENCRYPTION, 30), DEVICE_REPAIRED);
}

static void test_relapse(void **state)
{
	size_t phone;
	(void)state;

	see(imap(143, iphone), ENCRYPTION, 1, 10, 1, 9);
	see(imap(993, iphone), 0, 11, 20, 1, 9);
	/* The old settings are back, in a newer version, and then gone. */
	phone = see(imap(143, "name=\"iPhone Mail\" version=21F79"), ENCRYPTION, 21, 21, 1, 9);
	assert_int_equal(state_on(phone, ENCRYPTION, 22), DEVICE_OPEN);
	see(imap(993, "name=\"iPhone Mail\" version=21F79"), 0, 22, 30, 1, 9);
	/* That it came rightly before proves nothing any more, but it rests. */
	assert_int_equal(state_on(phone, ENCRYPTION, 23), DEVICE_OPEN);
	assert_int_equal(state_on(phone, ENCRYPTION, 31), DEVICE_RESTED);
}

static void test_two_of_one_name(void **state)
{
	size_t phone;
	(void)state;

	/* The old one at 15 o'clock, the new one at 17, each day. */
	phone = see(imap(143, iphone), ENCRYPTION, 1, 30, 1, 15);
	see(imap(993, "name=\"iPhone Mail\" version=22A3354"), 0, 3, 30, 1, 17);
	assert_int_equal(state_on(phone, ENCRYPTION, 31), DEVICE_OPEN);
	/* The new one is updated, and goes abroad: new rows, new first days. */
	see(imap(993, "name=\"iPhone Mail\" version=22B83"), 0, 31, 60, 1, 17);
	see(habit(SERVICE_IMAP, 993, TLS_IMPLICIT, "PLAIN", "JP", iphone), 0, 31, 31, 1, 18);
	assert_int_equal(state_on(phone, ENCRYPTION, 32), DEVICE_OPEN);
	/* However the rows come. */
	devices_begin(devices);
	see(imap(993, "name=\"iPhone Mail\" version=22B83"), 0, 31, 60, 1, 17);
	see(imap(993, "name=\"iPhone Mail\" version=22A3354"), 0, 3, 30, 1, 17);
	phone = see(imap(143, iphone), ENCRYPTION, 1, 30, 1, 15);
	assert_int_equal(state_on(phone, ENCRYPTION, 32), DEVICE_OPEN);
	assert_int_equal(state_on(phone, ENCRYPTION, 34), DEVICE_RESTED);
}

static void test_rules_by_themselves(void **state)
{
	size_t phone = see(imap(143, iphone), ENCRYPTION | MECHANISM, 1, 10, 1, 9);
	(void)state;

	see(habit(SERVICE_IMAP, 993, TLS_IMPLICIT, "CRAM-MD5", "DE", iphone), MECHANISM, 11, 20, 1,
	    9);
	assert_int_equal(state_on(phone, ENCRYPTION, 21), DEVICE_REPAIRED);
	assert_int_equal(state_on(phone, MECHANISM, 21), DEVICE_OPEN);
	assert_int_equal(state_on(phone, ENCRYPTION | MECHANISM, 21), DEVICE_OPEN);
	assert_int_equal(state_on(phone, UINT64_C(4), 21), DEVICE_KEEPS);
}

/* ---- rest ---- */

static void test_rest(void **state)
{
	static const struct {
		int last, every, rested; /* days */
	} rhythms[] = {{30, 1, 33}, {29, 7, 50}, {61, 30, 151}, {2, 1, 5}};
	(void)state;

	for (size_t i = 0; i < COUNT(rhythms); i++) {
		size_t phone;

		devices_begin(devices);
		phone = see(imap(143, iphone), ENCRYPTION, 1, rhythms[i].last, rhythms[i].every, 0);
		/* Others that it did rightly before are no part of its rhythm. */
		see(imap(993, iphone), 0, 0, 60, 1, 0);
		assert_int_equal(state_on(phone, ENCRYPTION, rhythms[i].rested - 1), DEVICE_OPEN);
		assert_int_equal(state_on(phone, ENCRYPTION, rhythms[i].rested), DEVICE_RESTED);
	}
}

static void test_one_day(void **state)
{
	size_t phone = see(imap(143, iphone), ENCRYPTION, 1, 1, 1, 9);
	struct device_record record = devices_record(devices, phone, ENCRYPTION);
	(void)state;

	assert_int_equal(record.rhythm, 0);
	assert_int_equal(record.bad_days, 1);
	assert_int_equal(record.good.last, 0);
	assert_int_equal(state_on(phone, ENCRYPTION, 10000), DEVICE_OPEN);
}

/* Twice around one midnight is no rhythm of two hours. */
static void test_rhythm_goes_by_days(void **state)
{
	struct store_sighting sighting = {.habit = imap(143, iphone),
					  .first_seen = MAY + 23 * HOUR,
					  .last_seen = MAY + 25 * HOUR,
					  .days = 2};
	struct device_record record;
	(void)state;

	devices_add(devices, &sighting, ENCRYPTION, 0);
	record = devices_record(devices, 0, ENCRYPTION);
	assert_int_equal(record.rhythm, DAY);
}

static void assert_days(unsigned int least, unsigned int most)
{
	const struct device_record record = devices_record(devices, 0, ENCRYPTION);

	assert_in_range(record.bad_days, least, most);
}

static void test_days_of_several_rows(void **state)
{
	char version[64];
	(void)state;

	/* One version after another: all days count. */
	for (int i = 0; i < 8; i++) {
		snprintf(version, sizeof(version), "name=Thunderbird version=115.%d", i);
		see(imap(143, strdup(version)), ENCRYPTION, 10 * i, 10 * i + 9, 1, 9);
	}
	assert_days(80, 80);
	for (size_t i = 0; i < habit_count; i++)
		free((char *)habits[i].client_id);
	/* Two ways on the same days: those count once. */
	devices_clear(devices);
	see(imap(143, iphone), ENCRYPTION, 0, 300, 30, 9);
	see(habit(SERVICE_POP3, 110, TLS_NONE, "PLAIN", "DE", iphone), ENCRYPTION, 0, 300, 30, 10);
	assert_days(11, 11);
	/* A week abroad within a year. */
	devices_clear(devices);
	see(imap(143, iphone), ENCRYPTION, 0, 364, 1, 9);
	see(habit(SERVICE_IMAP, 143, TLS_NONE, "PLAIN", "JP", iphone), ENCRYPTION, 100, 106, 1, 9);
	assert_days(365, 365);
	/* Longer than is looked at. */
	devices_clear(devices);
	see(imap(143, iphone), ENCRYPTION, 0, 1999, 1, 9);
	assert_days(2000, 2000);
}

/* A stranger cannot write rows, but a program may call itself something new each time. */
static void test_very_many_rows(void **state)
{
	enum { ROWS = 2000 };
	static char ids[ROWS][40];
	clock_t start = clock();
	(void)state;

	for (int i = 0; i < ROWS; i++) {
		snprintf(ids[i], sizeof(ids[i]), i % 2 == 0 ? "name=Mail version=%d" : "host-%d",
			 i);
		see(imap(143, ids[i]), ENCRYPTION, 0, i / 10, 1, 9);
	}
	assert_int_equal(devices_count(devices), 1 + ROWS / 2);
	for (unsigned int rule = 0; rule < 64; rule++) {
		for (size_t i = 0; i < devices_count(devices); i++)
			assert_int_equal(state_on(i, UINT64_C(1) << rule, 0),
					 rule == 0 ? DEVICE_OPEN : DEVICE_KEEPS);
	}
	assert_true((clock() - start) / CLOCKS_PER_SEC < 5);
}

int main(void)
{
#define DEVICE_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_labels),
		DEVICE_TEST(test_versions_countries_and_settings),
		DEVICE_TEST(test_nameless),
		DEVICE_TEST(test_hosts),
		DEVICE_TEST(test_people_do_not_mix),
		DEVICE_TEST(test_repair),
		DEVICE_TEST(test_repair_on_the_same_day),
		DEVICE_TEST(test_untold),
		DEVICE_TEST(test_relapse),
		DEVICE_TEST(test_two_of_one_name),
		DEVICE_TEST(test_rules_by_themselves),
		DEVICE_TEST(test_rest),
		DEVICE_TEST(test_one_day),
		DEVICE_TEST(test_rhythm_goes_by_days),
		DEVICE_TEST(test_days_of_several_rows),
		DEVICE_TEST(test_very_many_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
