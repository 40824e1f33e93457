#include "unit.h"

#include "admin/sightings/sighting-judge.h"

/* 2024-09-20 08:15:02.123 UTC. */
#define NOW INT64_C(1726820102123)

enum { ENCRYPTION, ABROAD, POP3, COUNT_OF_RULES };

static struct country home[] = {{"DE"}};
static struct rule rules[COUNT_OF_RULES];
static struct policy policy = {.rules = rules, .rule_count = COUNT_OF_RULES};

static const struct schedule notify = {SCHEDULE_NEVER, SCHEDULE_ALWAYS, SCHEDULE_NEVER, NULL, 0};
static const struct schedule enforce = {SCHEDULE_NEVER, SCHEDULE_NEVER, SCHEDULE_ALWAYS, NULL, 0};

static int make_policy(void **state)
{
	struct address_range campus;
	const char *error;
	(void)state;

	rules[ENCRYPTION] = (struct rule){.title = (char *)"encryption",
					  .kind = KIND_ENCRYPTION,
					  .services = SERVICE_BIT(SERVICE_IMAP),
					  .schedule = notify,
					  .index = ENCRYPTION};
	rules[ABROAD] = (struct rule){.title = (char *)"abroad",
				      .kind = KIND_COUNTRY,
				      .services = SERVICE_BIT(SERVICE_IMAP),
				      .schedule = enforce,
				      .index = ABROAD,
				      .countries = home,
				      .country_count = 1,
				      .reject_unknown = true};
	rules[POP3] = (struct rule){.title = (char *)"pop3",
				    .kind = KIND_PROTOCOL,
				    .services = SERVICE_BIT(SERVICE_POP3),
				    .schedule = enforce,
				    .index = POP3};
	if (!address_range_parse("192.0.2.0/24", &campus, &error) ||
	    !network_add(&rules[ENCRYPTION].except, &campus))
		return -1;
	network_seal(&rules[ENCRYPTION].except);
	return 0;
}

static int free_policy(void **state)
{
	(void)state;
	network_free(&rules[ENCRYPTION].except);
	return 0;
}

static struct store_habit open_imap = {
	.service = SERVICE_IMAP, .port = 143, .mechanism = "PLAIN", .client_id = ""};
static struct store_broken_rule broke_encryption[] = {{(char *)"encryption", PHASE_NOTIFY}};
static struct store_broken_rule broke_abroad[] = {{(char *)"abroad", PHASE_ENFORCE}};
static const struct store_rule_set clean;
static const struct store_rule_set recorded_encryption = {.rule_count = 1,
							  .rules = broke_encryption};
static const struct store_rule_set recorded_abroad = {.rule_count = 1, .rules = broke_abroad};

static enum tls_version noted_tls_below;

static struct sighting_verdict ask_about(const char *client, const char *whereabouts,
					 const struct store_rule_set *recorded, bool enforced)
{
	const struct store_sighting sighting = {.user = "alice@example.org",
						.verified = true,
						.habit = &open_imap,
						.rules = recorded,
						.last_seen = NOW,
						.last_client = client,
						.whereabouts = whereabouts,
						.tls_below = noted_tls_below};
	const struct edition edition = {.policy = &policy};
	struct sighting_judge judge;

	sighting_judge_init(&judge, &edition, NOW / 1000, enforced);
	return sighting_judge_ask(&judge, &sighting);
}

static struct sighting_verdict ask(const char *client, const struct store_rule_set *recorded,
				   bool enforced)
{
	return ask_about(client, NULL, recorded, enforced);
}

static void test_phases(void **state)
{
	struct sighting_verdict verdict = ask("78.46.5.205", &recorded_encryption, false);
	(void)state;

	assert_int_equal(verdict.broken, 1u << ENCRYPTION);
	assert_int_equal(verdict.rejecting, 0);
	verdict = ask("78.46.5.205", &recorded_encryption, true);
	assert_int_equal(verdict.rejecting, 1u << ENCRYPTION);
	/* The policy itself stays as it is. */
	assert_int_equal(rules[ENCRYPTION].schedule.enforce, SCHEDULE_NEVER);
}

static void test_networks(void **state)
{
	(void)state;
	assert_int_equal(ask("192.0.2.7", &clean, true).broken, 0);
	assert_int_equal(ask("192.0.3.7", &clean, true).broken, 1u << ENCRYPTION);
	/* Erased, and nothing was noted: what is not known is outside, whether or not the rule
	   was recorded as broken. */
	assert_int_equal(ask("", &clean, true).broken, 1u << ENCRYPTION);
	assert_int_equal(ask("", &recorded_encryption, true).broken, 1u << ENCRYPTION);
}

static uint64_t broken_by(const char *whereabouts)
{
	return ask_about("", whereabouts, &clean, true).broken;
}

/* Of an address that was erased, the range that held it is left. */
static void test_whereabouts(void **state)
{
	(void)state;
	assert_int_equal(broken_by("public"), 1u << ENCRYPTION);
	assert_int_equal(broken_by("local"), 1u << ENCRYPTION);
	assert_int_equal(broken_by("public 192.0.2.0-192.0.2.255"), 0);
	/* A part of the network, and more than it. */
	assert_int_equal(broken_by("public 192.0.2.7-192.0.2.7"), 0);
	assert_int_equal(broken_by("public 192.0.2.0-192.0.3.255"), 1u << ENCRYPTION);
	assert_int_equal(broken_by("public 192.0.0.0-192.0.2.255"), 1u << ENCRYPTION);
	/* Written by hand. */
	assert_int_equal(broken_by("public 192.0.2.0"), 1u << ENCRYPTION);
	assert_int_equal(broken_by("nonsense"), 1u << ENCRYPTION);
}

/* Whoever excepts all of IPv6 excepts no IPv4, and nothing that is not known. */
static void test_all_of_ipv6(void **state)
{
	struct address_range all;
	const char *error;
	(void)state;

	assert_true(address_range_parse("::/0", &all, &error));
	assert_true(network_add(&rules[ENCRYPTION].except, &all));
	network_seal(&rules[ENCRYPTION].except);
	assert_int_equal(ask("203.0.113.5", &clean, true).broken, 1u << ENCRYPTION);
	assert_int_equal(ask("", &clean, true).broken, 1u << ENCRYPTION);
	assert_int_equal(broken_by("public"), 1u << ENCRYPTION);
	assert_int_equal(broken_by("public 203.0.113.0-203.0.113.255"), 1u << ENCRYPTION);
	assert_int_equal(broken_by("public 2001:db8::-2001:db8::ffff"), 0);
}

static void test_services(void **state)
{
	(void)state;
	open_imap.service = SERVICE_POP3;
	assert_int_equal(ask("78.46.5.205", &clean, false).rejecting, 1u << POP3);
	open_imap.service = SERVICE_IMAP;
}

/* Only a version that was too old breaks the rule in spite of TLS. */
static void test_versions(void **state)
{
	(void)state;
	open_imap.tls = TLS_STARTTLS;
	assert_int_equal(ask("78.46.5.205", &recorded_encryption, true).broken, 0);
	rules[ENCRYPTION].minimum = TLS_V1_2;
	assert_int_equal(ask("78.46.5.205", &recorded_encryption, true).rejecting,
			 1u << ENCRYPTION);
	assert_int_equal(ask("78.46.5.205", &clean, true).broken, 0);
	assert_int_equal(ask("192.0.2.7", &recorded_encryption, true).broken, 0);
	open_imap.tls = TLS_NONE;
}

/* What was too old for one rule is too old for all that ask for as much or more. */
static void test_versions_of_other_rules(void **state)
{
	(void)state;
	open_imap.tls = TLS_STARTTLS;
	rules[ENCRYPTION].minimum = TLS_V1_2;
	rules[POP3].kind = KIND_ENCRYPTION;
	rules[POP3].services = SERVICE_BIT(SERVICE_IMAP);
	rules[POP3].minimum = TLS_V1_2;
	assert_int_equal(ask("78.46.5.205", &recorded_encryption, true).broken,
			 1u << ENCRYPTION | 1u << POP3);
	rules[POP3].minimum = TLS_V1_3;
	assert_int_equal(ask("78.46.5.205", &recorded_encryption, true).broken,
			 1u << ENCRYPTION | 1u << POP3);
	rules[POP3].minimum = TLS_V1_1;
	assert_int_equal(ask("78.46.5.205", &recorded_encryption, true).broken, 1u << ENCRYPTION);
	/* What was noted then stays, whatever the rules have become. */
	noted_tls_below = TLS_V1_1;
	assert_int_equal(ask("78.46.5.205", &recorded_encryption, true).broken,
			 1u << ENCRYPTION | 1u << POP3);
	assert_int_equal(ask("78.46.5.205", &recorded_abroad, true).broken,
			 1u << ENCRYPTION | 1u << POP3);
	noted_tls_below = TLS_V1_3;
	assert_int_equal(ask("78.46.5.205", &recorded_encryption, true).broken, 0);
	noted_tls_below = TLS_VERSION_UNKNOWN;
	open_imap.tls = TLS_NONE;
}

static struct sighting_verdict ask_log(enum tls_state tls, enum tls_version version, uint16_t port)
{
	struct sighting_verdict verdict;

	open_imap.of_log = true;
	open_imap.tls = tls;
	open_imap.tls_version = version;
	open_imap.port = port;
	verdict = ask("78.46.5.205", &clean, true);
	open_imap.of_log = false;
	open_imap.tls = TLS_NONE;
	open_imap.tls_version = TLS_VERSION_UNKNOWN;
	open_imap.port = 143;
	return verdict;
}

/* What a log does not say is neither kept nor broken. */
static void test_logs(void **state)
{
	const uint64_t encryption = 1u << ENCRYPTION;
	(void)state;

	assert_int_equal(ask_log(TLS_NONE, TLS_VERSION_UNKNOWN, 0).broken, encryption);
	assert_int_equal(ask_log(TLS_SOME, TLS_VERSION_UNKNOWN, 0).broken, 0);
	assert_int_equal(ask_log(TLS_SOME, TLS_VERSION_UNKNOWN, 0).untold & 1u << ENCRYPTION, 0);
	assert_int_equal(ask_log(TLS_UNTOLD, TLS_VERSION_UNKNOWN, 0).broken, 0);
	assert_int_equal(ask_log(TLS_UNTOLD, TLS_VERSION_UNKNOWN, 0).untold & encryption,
			 encryption);
	rules[ENCRYPTION].minimum = TLS_V1_2;
	assert_int_equal(ask_log(TLS_SOME, TLS_VERSION_UNKNOWN, 0).untold & encryption, encryption);
	assert_int_equal(ask_log(TLS_SOME, TLS_V1_1, 0).broken, encryption);
	assert_int_equal(ask_log(TLS_SOME, TLS_V1_3, 0).broken, 0);
	assert_int_equal(ask_log(TLS_SOME, TLS_V1_3, 0).untold & 1u << ENCRYPTION, 0);
	/* The rule excepts a network, and the client may have been there. */
	open_imap.of_log = true;
	assert_int_equal(ask("", &clean, true).untold & encryption, encryption);
	assert_int_equal(ask("", &clean, true).broken, 0);
	open_imap.of_log = false;
}

/* There is no STARTTLS, and no login without TLS, on a port of TLS alone. */
static void test_logs_without_ports(void **state)
{
	const uint64_t implicit = 1u << ENCRYPTION;
	(void)state;

	rules[ENCRYPTION].kind = KIND_IMPLICIT_TLS;
	assert_int_equal(ask_log(TLS_NONE, TLS_VERSION_UNKNOWN, 0).broken, implicit);
	assert_int_equal(ask_log(TLS_STARTTLS, TLS_VERSION_UNKNOWN, 0).broken, implicit);
	assert_int_equal(ask_log(TLS_IMPLICIT, TLS_VERSION_UNKNOWN, 0).broken, 0);
	assert_int_equal(ask_log(TLS_IMPLICIT, TLS_VERSION_UNKNOWN, 0).untold & 1u << ENCRYPTION,
			 0);
	assert_int_equal(ask_log(TLS_SOME, TLS_VERSION_UNKNOWN, 0).untold & implicit, implicit);
	assert_int_equal(ask_log(TLS_SOME, TLS_VERSION_UNKNOWN, 143).broken, implicit);
	/* The gate's records always have the port, or another server is meant. */
	open_imap.port = 0;
	assert_int_equal(ask("78.46.5.205", &clean, true).untold & implicit, implicit);
	open_imap.port = 143;
}

/* Without a database the servers do not judge countries, and so does this. */
static void test_countries(void **state)
{
	(void)state;
	open_imap.tls = TLS_IMPLICIT;
	assert_int_equal(ask("18.9.22.69", &recorded_abroad, false).broken, 0);
	assert_int_equal(ask("", &recorded_abroad, false).broken, 0);
	open_imap.tls = TLS_NONE;
}

static void test_one_rule(void **state)
{
	const struct edition edition = {.policy = &policy};
	struct sighting_judge judge;
	(void)state;

	sighting_judge_init(&judge, &edition, NOW / 1000, true);
	assert_int_equal(judge.considered, (1u << COUNT_OF_RULES) - 1);
	assert_true(rule_set_has(&recorded_abroad, "abroad"));
	assert_false(rule_set_has(&recorded_abroad, "abr"));
	assert_false(rule_set_has(&clean, "abroad"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_phases, make_policy, free_policy),
		cmocka_unit_test_setup_teardown(test_networks, make_policy, free_policy),
		cmocka_unit_test_setup_teardown(test_whereabouts, make_policy, free_policy),
		cmocka_unit_test_setup_teardown(test_all_of_ipv6, make_policy, free_policy),
		cmocka_unit_test_setup_teardown(test_services, make_policy, free_policy),
		cmocka_unit_test_setup_teardown(test_versions, make_policy, free_policy),
		cmocka_unit_test_setup_teardown(test_versions_of_other_rules, make_policy,
						free_policy),
		cmocka_unit_test_setup_teardown(test_logs, make_policy, free_policy),
		cmocka_unit_test_setup_teardown(test_logs_without_ports, make_policy, free_policy),
		cmocka_unit_test_setup_teardown(test_countries, make_policy, free_policy),
		cmocka_unit_test_setup_teardown(test_one_rule, make_policy, free_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
