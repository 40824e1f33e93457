/* A log, from its file to what a survey says of the people in it. */
#include "fuzz.h"

#include <string.h>

#include "admin/logs/log-reader.h"
#include "admin/logs/log-tally.h"
#include "admin/questions/survey-count.h"

/* 2026-11-29 10:04:56 UTC. */
#define NOW INT64_C(1795946696000)

static void look_at(const struct log_login *login)
{
	require(login->time > 0 && login->count > 0);
	require(login->service < SERVICE_COUNT && login->tls_version <= TLS_V1_3);
	require(strlen(login->user) < USER_SIZE && strlen(login->host) < USER_SIZE);
	require(strlen(login->mechanism) + strlen(login->client_id) < USER_SIZE);
}

static bool look_at_sighting(void *context, const struct store_sighting *sighting)
{
	uint64_t *count = context;

	*count += sighting->count;
	require(sighting->first_seen <= sighting->last_seen);
	require(sighting->days >= 1 &&
		(int64_t)sighting->days <= sighting->last_seen / MILLISECONDS_A_DAY -
						   sighting->first_seen / MILLISECONDS_A_DAY + 1);
	require((sighting->weeks & 1) != 0);
	require(sighting->user[0] != '\0' && sighting->habit->of_log);
	return true;
}

static void ask(struct log_tally *tally, const struct edition *edition)
{
	const struct store_filter all = {.verified = true};
	struct survey_rule rules[RULES_MAX];
	struct log_tally_counts counts;
	struct sighting_judge judge;
	struct store *store;
	uint64_t logins = 0;

	log_tally_count(tally, &counts);
	sighting_judge_init(&judge, edition, NOW / 1000, true);
	store = log_tally_store(tally, &judge);
	require(store_each_sighting(store, &all, look_at_sighting, &logins));
	/* A row's count ends somewhere. */
	require(logins == counts.verified || counts.verified > UINT32_MAX);
	require(survey_count(rules, store, &judge));
	for (size_t i = 0; i < edition->policy->rule_count; i++)
		require(rules[i].people == rules[i].locked_out + rules[i].partly &&
			rules[i].people + rules[i].untold <= counts.people);
	store_close(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct edition edition = edition_of(fuzz_policy(), NULL, NULL, NULL);
	const struct log_reader_options options = {0};
	struct log_input *input = log_input_create();
	struct log_tally *tally = log_tally_create(&edition);
	const struct log_reader_counts *counts;
	struct log_reader *reader;
	struct log_login login;

	require(log_input_add(input, fuzz_file(data, size), NULL));
	reader = log_reader_create(input, &options);
	while (log_reader_next(reader, &login)) {
		look_at(&login);
		log_tally_add(tally, &login);
	}
	counts = log_reader_counts(reader);
	require(counts->understood + counts->unknown + counts->others <= counts->lines);
	ask(tally, &edition);
	log_tally_free(tally);
	log_reader_free(reader);
	log_input_free(input);
	return 0;
}
