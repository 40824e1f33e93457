/* fill-store URI USERS: a store as a large site's imports leave it after two months.
   Everybody has one to three ways to reach the mail; every tenth one breaks a rule. */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "admin/store/store.h"

#define DAY INT64_C(86400000)

static struct store_broken_rule encryption[] = {{(char *)"encryption", PHASE_NOTIFY}};
static struct store_broken_rule country[] = {{(char *)"country", PHASE_OBSERVE}};
static struct store_broken_rule mechanism[] = {{(char *)"mechanism", PHASE_ENFORCE}};
static const struct store_rule_set clean;
static const struct store_rule_set broken[] = {
	{.rule_count = 1, .rules = encryption},
	{.rule_count = 1, .rules = country},
	{.rule_count = 1, .rules = mechanism},
};

static const char *const programs[] = {
	"name=Thunderbird version=115.3.1", "name=Outlook version=16.0",
	"name=iPhone Mail version=16G77",   "name=Android Mail",
	"name=K-9 Mail version=6.802",      "",
};
static const char *const countries[] = {"DE", "DE", "DE", "AT", "CH", "FR", "DE"};

#define PICK(array, number) (array)[(number) % (sizeof(array) / sizeof(*(array)))]

/* The same numbers in every run. */
static uint32_t chance(void)
{
	static uint64_t state = 1;

	state = state * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)(state >> 33);
}

static bool add_sighting(struct store *store, const char *user, int64_t now)
{
	struct store_habit habit = {
		.source = SOURCE_DOVECOT,
		.service = SERVICE_IMAP,
		.tls = TLS_IMPLICIT,
		.port = 993,
		.mechanism = "PLAIN",
		.client_id = PICK(programs, chance()),
	};
	struct store_sighting sighting = {
		.user = user, .verified = true, .habit = &habit, .rules = &clean, .weeks = 1};
	char address[ADDRESS_TEXT_SIZE];

	snprintf(habit.country.code, sizeof(habit.country.code), "%s", PICK(countries, chance()));
	if (chance() % 20 == 0) {
		uint32_t which = chance() % 3;

		sighting.rules = &broken[which];
		if (which == 0) {
			habit.port = 143;
			habit.tls = TLS_NONE;
		} else if (which == 1) {
			snprintf(habit.country.code, sizeof(habit.country.code), "US");
		} else {
			habit.mechanism = "CRAM-MD5";
		}
	}
	snprintf(address, sizeof(address), "78.46.%u.%u", chance() % 256, chance() % 256);
	sighting.count = 1 + chance() % 500;
	sighting.last_seen = now - (int64_t)(chance() % 60) * DAY;
	sighting.first_seen = sighting.last_seen - (int64_t)(chance() % 60) * DAY;
	sighting.weeks =
		(UINT64_C(2) << ((sighting.last_seen - sighting.first_seen) / (7 * DAY))) - 1;
	sighting.days = 1 + (uint64_t)((sighting.last_seen - sighting.first_seen) / DAY);
	sighting.last_client = sighting.last_seen > now - 14 * DAY ? address : "";
	return store_add(store, &sighting);
}

static bool fill(struct store *store, unsigned long users, int64_t now)
{
	const struct store_writer writer = {.host = "mx1", .last_seen = now, .lines = users * 100};
	const struct store_totals totals = {.last_import = now, .lines = users * 100};
	char user[64];

	if (!store_begin(store))
		return false;
	for (unsigned long i = 0; i < users; i++) {
		snprintf(user, sizeof(user), "user%lu@example.org", i);
		for (uint32_t ways = 1 + chance() % 3; ways > 0; ways--) {
			if (!add_sighting(store, user, now))
				return false;
		}
	}
	return store_add_writer(store, &writer) && store_add_totals(store, &totals) &&
	       store_commit(store);
}

int main(int argc, char **argv)
{
	struct store_failure failure;
	struct store *store;

	if (argc != 3) {
		fputs("usage: fill-store URI USERS\n", stderr);
		return 64;
	}
	store = store_open(argv[1], NULL, STORE_WRITE, &failure);
	if (store == NULL) {
		fprintf(stderr, "%s\n", failure.text);
		return failure.status;
	}
	if (!fill(store, strtoul(argv[2], NULL, 10), (int64_t)time(NULL) * 1000)) {
		fprintf(stderr, "%s\n", store_failure(store)->text);
		return 1;
	}
	store_close(store);
	return 0;
}
