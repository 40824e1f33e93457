#include "unit.h"
#include "dates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/config.h"
#include "policy/judge.h"

/* Loads a policy and exemptions from text. */
struct fixture {
	struct policy *policy;
	struct exemptions *exemptions;
};

static void report(void *context, const char *message)
{
	(void)context;
	fail_msg("%s", message);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static struct fixture load(const char *config, const char *exemptions)
{
	char directory[] = "/tmp/portcullis-judge.XXXXXX";
	char config_path[128], exemptions_path[128];
	struct fixture fixture;

	assert_non_null(mkdtemp(directory));
	snprintf(config_path, sizeof(config_path), "%s/portcullis.conf", directory);
	snprintf(exemptions_path, sizeof(exemptions_path), "%s/exemptions", directory);
	write_file(config_path, config);
	write_file(exemptions_path, exemptions);
	fixture.policy = config_load(config_path, report, report, NULL);
	assert_non_null(fixture.policy);
	fixture.exemptions = exemptions_load(exemptions_path, fixture.policy, report, NULL);
	assert_non_null(fixture.exemptions);
	unlink(config_path);
	unlink(exemptions_path);
	rmdir(directory);
	return fixture;
}

static void unload(struct fixture *fixture)
{
	exemptions_free(fixture->exemptions);
	policy_free(fixture->policy);
}

static struct address address(const char *text)
{
	struct address address;

	address_parse(text, &address);
	return address;
}

static const struct attempt imap = {
	.source = SOURCE_DOVECOT,
	.service = SERVICE_IMAP,
	.tls = TLS_IMPLICIT,
	.port = 993,
	.user = "alice@example.org",
	.mechanism = "PLAIN",
	.client_id = "",
	.session = "",
};

static const char *const finding_names[] = {
	[FINDING_OFF] = "off",         [FINDING_OUT_OF_SCOPE] = "out of scope",
	[FINDING_EXEMPT] = "exempt",   [FINDING_NETWORK] = "network",
	[FINDING_UNKNOWN] = "unknown", [FINDING_KEPT] = "kept",
	[FINDING_BROKEN] = "broken",
};

/* One rule of a policy against one attempt. */
struct rule_case {
	const char *rule;
	struct attempt attempt;
	const char *client;
	const char *country;
	enum finding finding;
};

static const char policy_text[] =
	"country-database = \"/nonexistent\"\n"
	"network webmail { addresses = { \"198.51.100.25\" } }\n"
	"network campus { addresses = { \"192.0.2.0/24\", \"2001:db8::/32\" } }\n"
	"network relays { addresses = { \"203.0.113.0/28\" } }\n"
	"rule encryption { enforce = \"always\" minimum = \"TLSv1.2\"\n"
	"    except-networks = { \"webmail\" } }\n"
	"rule implicit-tls { enforce = \"always\" }\n"
	"rule mechanism { enforce = \"always\" }\n"
	"rule country { enforce = \"always\" allow = { \"DE\", \"AT\" }\n"
	"    except-networks = { \"campus\" } }\n"
	"rule lenient { kind = \"country\" enforce = \"always\" allow = { \"DE\" }\n"
	"    unknown = \"allow\" }\n"
	"rule pop3 { kind = \"protocol\" services = { \"pop3\" } enforce = \"always\" }\n"
	"rule submission-port { enforce = \"always\" client-networks = { \"campus\" } }\n"
	"rule relay { enforce = \"always\" allow-networks = { \"relays\" } }\n"
	"rule later { kind = \"encryption\" observe = \"2024-05-01\" notify = \"2024-06-01\"\n"
	"    enforce = \"2024-09-20\" }\n";

#define ATTEMPT(...) {.user = "alice@example.org", .client_id = "", .session = "", __VA_ARGS__}
#define DOVECOT(service_, tls_, port_, ...)                                                        \
	ATTEMPT(.source = SOURCE_DOVECOT, .service = SERVICE_##service_, .tls = TLS_##tls_,        \
		.port = port_, ##__VA_ARGS__)
#define POSTFIX(service_, tls_, port_, ...)                                                        \
	ATTEMPT(.source = SOURCE_POSTFIX, .service = SERVICE_##service_, .tls = TLS_##tls_,        \
		.port = port_, ##__VA_ARGS__)

static const struct rule_case rule_cases[] = {
	/* encryption */
	{"encryption", DOVECOT(IMAP, NONE, 143), "203.0.113.5", "", FINDING_BROKEN},
	{"encryption", DOVECOT(IMAP, NONE, 143), "127.0.0.1", "", FINDING_BROKEN},
	{"encryption", DOVECOT(IMAP, NONE, 143), "", "", FINDING_BROKEN},
	{"encryption", DOVECOT(IMAP, NONE, 143), "198.51.100.25", "", FINDING_NETWORK},
	{"encryption", DOVECOT(IMAP, STARTTLS, 143), "203.0.113.5", "", FINDING_UNKNOWN},
	{"encryption", DOVECOT(POP3, IMPLICIT, 995), "203.0.113.5", "", FINDING_UNKNOWN},
	{"encryption", DOVECOT(IMAP, SOME, 0, .tls_version = TLS_V1_3), "203.0.113.5", "",
	 FINDING_KEPT},
	{"encryption", DOVECOT(IMAP, UNTOLD, 0), "203.0.113.5", "", FINDING_UNKNOWN},
	{"later", DOVECOT(IMAP, SOME, 0), "203.0.113.5", "", FINDING_OFF},
	{"encryption", POSTFIX(SUBMISSION, STARTTLS, 587, .tls_version = TLS_V1), "203.0.113.5", "",
	 FINDING_BROKEN},
	{"encryption", POSTFIX(SUBMISSION, STARTTLS, 587, .tls_version = TLS_V1_2), "203.0.113.5",
	 "", FINDING_KEPT},
	{"encryption", POSTFIX(SMTP, NONE, 25), "203.0.113.5", "", FINDING_OUT_OF_SCOPE},
	/* implicit-tls */
	{"implicit-tls", DOVECOT(IMAP, STARTTLS, 143), "203.0.113.5", "", FINDING_BROKEN},
	{"implicit-tls", DOVECOT(IMAP, NONE, 143), "203.0.113.5", "", FINDING_BROKEN},
	{"implicit-tls", DOVECOT(IMAP, IMPLICIT, 993), "203.0.113.5", "", FINDING_KEPT},
	{"implicit-tls", DOVECOT(SUBMISSION, STARTTLS, 0), "203.0.113.5", "", FINDING_UNKNOWN},
	{"implicit-tls", POSTFIX(SUBMISSION, STARTTLS, 587), "203.0.113.5", "", FINDING_BROKEN},
	{"implicit-tls", POSTFIX(SMTP, NONE, 25), "203.0.113.5", "", FINDING_OUT_OF_SCOPE},
	/* mechanism */
	{"mechanism", DOVECOT(IMAP, IMPLICIT, 993), "203.0.113.5", "", FINDING_KEPT},
	{"mechanism", DOVECOT(IMAP, IMPLICIT, 993, .mechanism = "LOGIN"), "203.0.113.5", "",
	 FINDING_KEPT},
	{"mechanism", DOVECOT(IMAP, IMPLICIT, 993, .mechanism = "CRAM-MD5"), "203.0.113.5", "",
	 FINDING_BROKEN},
	{"mechanism", DOVECOT(IMAP, IMPLICIT, 993, .mechanism = "SCRAM-SHA-256"), "203.0.113.5", "",
	 FINDING_BROKEN},
	{"mechanism", DOVECOT(IMAP, IMPLICIT, 993, .mechanism = ""), "203.0.113.5", "",
	 FINDING_OUT_OF_SCOPE},
	/* country */
	{"country", DOVECOT(IMAP, IMPLICIT, 993), "203.0.113.5", "DE", FINDING_KEPT},
	{"country", DOVECOT(IMAP, IMPLICIT, 993), "203.0.113.5", "AT", FINDING_KEPT},
	{"country", DOVECOT(IMAP, IMPLICIT, 993), "203.0.113.5", "US", FINDING_BROKEN},
	{"country", DOVECOT(IMAP, IMPLICIT, 993), "203.0.113.5", "", FINDING_BROKEN},
	{"country", DOVECOT(IMAP, IMPLICIT, 993), "192.0.2.7", "US", FINDING_NETWORK},
	{"country", DOVECOT(IMAP, IMPLICIT, 993), "2001:db8::1", "", FINDING_NETWORK},
	{"country", DOVECOT(IMAP, IMPLICIT, 993), "10.1.2.3", "", FINDING_KEPT},
	{"country", DOVECOT(IMAP, IMPLICIT, 993), "fe80::1", "", FINDING_KEPT},
	{"country", DOVECOT(IMAP, IMPLICIT, 993), "::ffff:10.1.2.3", "", FINDING_KEPT},
	{"country", DOVECOT(IMAP, IMPLICIT, 993), "", "", FINDING_KEPT},
	{"country", POSTFIX(SMTP, NONE, 25), "203.0.113.5", "US", FINDING_OUT_OF_SCOPE},
	{"lenient", DOVECOT(IMAP, IMPLICIT, 993), "203.0.113.5", "", FINDING_KEPT},
	{"lenient", DOVECOT(IMAP, IMPLICIT, 993), "203.0.113.5", "AT", FINDING_BROKEN},
	/* protocol */
	{"pop3", DOVECOT(POP3, IMPLICIT, 995), "203.0.113.5", "", FINDING_BROKEN},
	{"pop3", DOVECOT(IMAP, NONE, 143), "203.0.113.5", "", FINDING_OUT_OF_SCOPE},
	/* submission-port */
	{"submission-port", POSTFIX(SUBMISSION, STARTTLS, 25), "203.0.113.5", "", FINDING_BROKEN},
	{"submission-port", POSTFIX(SUBMISSION, STARTTLS, 587), "203.0.113.5", "", FINDING_KEPT},
	{"submission-port", POSTFIX(SUBMISSION, IMPLICIT, 465), "203.0.113.5", "", FINDING_KEPT},
	{"submission-port", POSTFIX(SUBMISSION, NONE, 0), "203.0.113.5", "", FINDING_UNKNOWN},
	{"submission-port", POSTFIX(SMTP, NONE, 25), "192.0.2.9", "", FINDING_BROKEN},
	{"submission-port", POSTFIX(SMTP, NONE, 25), "203.0.113.5", "", FINDING_OUT_OF_SCOPE},
	{"submission-port", DOVECOT(SUBMISSION, NONE, 25), "203.0.113.5", "", FINDING_OUT_OF_SCOPE},
	/* relay */
	{"relay", POSTFIX(SMTP, NONE, 25), "198.51.100.1", "", FINDING_BROKEN},
	{"relay", POSTFIX(SMTP, NONE, 25), "203.0.113.5", "", FINDING_KEPT},
	{"relay", POSTFIX(SMTP, NONE, 587), "198.51.100.1", "", FINDING_OUT_OF_SCOPE},
	{"relay", POSTFIX(SUBMISSION, NONE, 25), "198.51.100.1", "", FINDING_OUT_OF_SCOPE},
};

static void test_each_kind(void **state)
{
	struct fixture fixture = load(policy_text, "");
	/* Only asked whether there is one; the country is given. */
	const struct edition edition = {.policy = fixture.policy,
					.countries = (const struct country_database *)&fixture};
	(void)state;

	for (size_t i = 0; i < COUNT(rule_cases); i++) {
		struct attempt attempt = rule_cases[i].attempt;
		struct country country = {""};
		struct rule_finding found;

		if (attempt.mechanism == NULL)
			attempt.mechanism = "PLAIN";
		attempt.client = address(rule_cases[i].client);
		strcpy(country.code, rule_cases[i].country);
		found = judge_rule(&edition, &attempt,
				   policy_rule(fixture.policy, rule_cases[i].rule), country, 0);
		if (found.finding != rule_cases[i].finding)
			fail_msg("case %zu, rule %s: %s", i, rule_cases[i].rule,
				 finding_names[found.finding]);
	}
	unload(&fixture);
}

static void test_no_database_locks_out_nobody(void **state)
{
	struct fixture fixture = load(policy_text, "");
	const struct edition edition = {.policy = fixture.policy};
	struct attempt attempt = imap;
	struct verdict verdict;
	(void)state;

	attempt.client = address("203.0.113.5");
	judge(&edition, &attempt, 0, &verdict);
	assert_int_equal(verdict.outcome, OUTCOME_ALLOW);
	assert_int_equal(verdict.broken, 0);
	unload(&fixture);
}

static void test_strongest_outcome_and_first_message(void **state)
{
	struct fixture fixture = load(
		"rule one { kind = \"mechanism\" enforce = \"always\" message = \"one\" }\n"
		"rule two { kind = \"encryption\" notify = \"always\" message = \"two\"\n"
		"    reject = \"before-password\" }\n"
		"rule three { kind = \"protocol\" services = { \"pop3\" } enforce = \"always\"\n"
		"    message = \"three\" }\n"
		"rule four { kind = \"encryption\" enforce = \"always\" message = \"four\"\n"
		"    reject = \"before-password\" }\n",
		"");
	const struct edition edition = {.policy = fixture.policy};
	struct attempt attempt = imap;
	struct verdict verdict;
	(void)state;

	judge(&edition, &attempt, 0, &verdict);
	assert_int_equal(verdict.outcome, OUTCOME_ALLOW);
	assert_null(verdict.rejecting);

	attempt.mechanism = "CRAM-MD5";
	judge(&edition, &attempt, 0, &verdict);
	assert_int_equal(verdict.outcome, OUTCOME_REJECT_AFTER);
	assert_string_equal(verdict.rejecting->message, "one");
	assert_int_equal(verdict.broken, 1);

	attempt.service = SERVICE_POP3;
	attempt.tls = TLS_NONE;
	judge(&edition, &attempt, 0, &verdict);
	assert_int_equal(verdict.outcome, OUTCOME_REJECT_BEFORE);
	assert_string_equal(verdict.rejecting->message, "three");
	assert_int_equal(verdict.broken, 0xf);
	assert_int_equal(verdict.phases[0], PHASE_ENFORCE);
	assert_int_equal(verdict.phases[1], PHASE_NOTIFY);
	unload(&fixture);
}

/* Where all is refused before the password, the first rule of all is told. */
static void test_refusing_before_only(void **state)
{
	struct fixture fixture =
		load("rule mechanism { notify = \"always\" }\n"
		     "rule encryption { enforce = \"always\" }\n"
		     "rule protocol { services = { \"imap\" } enforce = \"always\" }\n",
		     "");
	const struct edition edition = {.policy = fixture.policy};
	struct attempt attempt = imap;
	struct verdict verdict;
	(void)state;

	attempt.mechanism = "CRAM-MD5";
	attempt.tls = TLS_NONE;
	judge(&edition, &attempt, 0, &verdict);
	assert_string_equal(verdict.rejecting->title, "protocol");
	verdict_refuse_before(fixture.policy, &verdict);
	assert_int_equal(verdict.outcome, OUTCOME_REJECT_BEFORE);
	assert_string_equal(verdict.rejecting->title, "encryption");

	attempt.service = SERVICE_POP3;
	judge(&edition, &attempt, 0, &verdict);
	assert_int_equal(verdict.outcome, OUTCOME_REJECT_AFTER);
	verdict_refuse_before(fixture.policy, &verdict);
	assert_int_equal(verdict.outcome, OUTCOME_REJECT_BEFORE);

	attempt.tls = TLS_STARTTLS;
	judge(&edition, &attempt, 0, &verdict);
	verdict_refuse_before(fixture.policy, &verdict);
	assert_int_equal(verdict.outcome, OUTCOME_ALLOW);
	assert_null(verdict.rejecting);
	unload(&fixture);
}

/* What is not known cannot be broken. */
static void test_relay_of_an_unknown_client(void **state)
{
	struct fixture fixture = load("network relays { addresses = { \"192.0.2.1\" } }\n"
				      "rule relay { allow-networks = { \"relays\" }\n"
				      "    enforce = \"always\" }\n",
				      "");
	const struct edition edition = {.policy = fixture.policy};
	struct attempt attempt = imap;
	struct verdict verdict;
	(void)state;

	attempt.source = SOURCE_POSTFIX;
	attempt.service = SERVICE_SMTP;
	attempt.port = 25;
	attempt.client = address("192.0.2.2");
	judge(&edition, &attempt, 0, &verdict);
	assert_int_equal(verdict.outcome, OUTCOME_REJECT_BEFORE);
	attempt.client.known = false;
	judge(&edition, &attempt, 0, &verdict);
	assert_int_equal(verdict.outcome, OUTCOME_ALLOW);
	assert_int_equal(verdict.broken, 0);
	unload(&fixture);
}

static void test_phases(void **state)
{
	static const struct {
		const char *at;
		bool broken;
		enum phase phase;
		enum outcome outcome;
	} cases[] = {
		{"2024-04-30 23:59", false, PHASE_OFF, OUTCOME_ALLOW},
		{"2024-05-01", true, PHASE_OBSERVE, OUTCOME_ALLOW},
		{"2024-05-31 23:59", true, PHASE_OBSERVE, OUTCOME_ALLOW},
		{"2024-06-01", true, PHASE_NOTIFY, OUTCOME_ALLOW},
		{"2024-09-19 23:59", true, PHASE_NOTIFY, OUTCOME_ALLOW},
		{"2024-09-20", true, PHASE_ENFORCE, OUTCOME_REJECT_AFTER},
	};
	struct fixture fixture = load("rule encryption { observe = \"2024-05-01\"\n"
				      "    notify = \"2024-06-01\" enforce = \"2024-09-20\" }\n",
				      "");
	const struct edition edition = {.policy = fixture.policy};
	struct attempt attempt = imap;
	(void)state;

	attempt.tls = TLS_NONE;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct verdict verdict;

		judge(&edition, &attempt, date(cases[i].at), &verdict);
		if ((verdict.broken != 0) != cases[i].broken || verdict.outcome != cases[i].outcome)
			fail_msg("%s", cases[i].at);
		if (cases[i].broken)
			assert_int_equal(verdict.phases[0], cases[i].phase);
	}
	unload(&fixture);
}

static void test_exemptions(void **state)
{
	struct fixture fixture =
		load("default-domain = \"example.org\"\n"
		     "country-database = \"/nonexistent\"\n"
		     "rule encryption { enforce = \"always\" }\n"
		     "rule mechanism { enforce = \"always\" }\n"
		     "rule country { enforce = \"always\" allow = { \"DE\" } }\n",
		     "alice@example.org encryption,mechanism 2025-01-31 # old scanner\n"
		     "bob country=US,CA 2024-10-01..2025-03-31\n"
		     "bob country=JP 2025-04-01..2025-04-14\n"
		     "carol country 2025-01-31\n");
	const struct edition edition = {.policy = fixture.policy,
					.exemptions = fixture.exemptions,
					.countries = (const struct country_database *)&fixture};
	static const struct {
		const char *user, *rule, *country, *at;
		enum finding finding;
	} cases[] = {
		{"alice@example.org", "encryption", "", "2024-06-01", FINDING_EXEMPT},
		{"alice@example.org", "mechanism", "", "2025-01-31 23:59", FINDING_EXEMPT},
		{"alice@example.org", "encryption", "", "2025-02-01", FINDING_BROKEN},
		{"alice@example.org", "country", "US", "2024-06-01", FINDING_BROKEN},
		{"alice@example.net", "encryption", "", "2024-06-01", FINDING_BROKEN},
		{"", "encryption", "", "2024-06-01", FINDING_BROKEN},
		{"bob@example.org", "country", "US", "2024-09-30 23:59", FINDING_BROKEN},
		{"bob@example.org", "country", "US", "2024-10-01", FINDING_KEPT},
		{"bob@example.org", "country", "CA", "2025-03-31 23:59", FINDING_KEPT},
		{"bob@example.org", "country", "CA", "2025-04-01", FINDING_BROKEN},
		{"bob@example.org", "country", "JP", "2025-04-01", FINDING_KEPT},
		{"bob@example.org", "country", "DE", "2025-04-01", FINDING_KEPT},
		{"bob@example.org", "country", "", "2025-04-01", FINDING_BROKEN},
		{"bob@example.org", "encryption", "", "2025-04-01", FINDING_BROKEN},
		{"carol@example.org", "country", "KP", "2025-01-01", FINDING_EXEMPT},
		{"carol@example.org", "country", "", "2025-01-01", FINDING_EXEMPT},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct attempt attempt = imap;
		struct country country = {""};
		struct rule_finding found;

		attempt.user = cases[i].user;
		attempt.tls = TLS_NONE;
		attempt.mechanism = "CRAM-MD5";
		attempt.client = address("203.0.113.5");
		strcpy(country.code, cases[i].country);
		found = judge_rule(&edition, &attempt, policy_rule(fixture.policy, cases[i].rule),
				   country, date(cases[i].at));
		if (found.finding != cases[i].finding)
			fail_msg("case %zu: %s", i, finding_names[found.finding]);
	}
	unload(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_kind),
		cmocka_unit_test(test_no_database_locks_out_nobody),
		cmocka_unit_test(test_strongest_outcome_and_first_message),
		cmocka_unit_test(test_refusing_before_only),
		cmocka_unit_test(test_relay_of_an_unknown_client),
		cmocka_unit_test(test_phases),
		cmocka_unit_test(test_exemptions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
