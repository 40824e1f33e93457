#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/judge.h"

static void fail_on_report(void *context, const char *message)
{
	(void)context;
	fail_msg("%s", message);
}

static struct policy *load_policy(const char *text)
{
	struct policy *policy =
		config_load_text("/p.conf", text, strlen(text), fail_on_report, NULL, NULL);

	assert_non_null(policy);
	return policy;
}

static struct exemptions *load_exemptions(const char *text, const struct policy *policy)
{
	char *copy = strdup(text);
	struct exemptions *exemptions = exemptions_load_text("/exemptions", copy, strlen(copy),
							     policy, fail_on_report, NULL);

	assert_non_null(exemptions);
	free(copy);
	return exemptions;
}

static const char dated[] = "rule encryption { enforce = \"2024-09-20\" }\n";
static const char always[] = "rule encryption { enforce = \"always\" }\n";

/* The id of an edition read in a time zone; valid until the next call. */
static const char *id_of(const char *zone, const char *config, const char *exemptions_text)
{
	static char ids[2][EDITION_ID_SIZE];
	static unsigned int next;
	struct policy *policy;
	struct exemptions *exemptions = NULL;
	struct edition edition;

	setenv("TZ", zone, 1);
	policy = load_policy(config);
	if (exemptions_text != NULL)
		exemptions = load_exemptions(exemptions_text, policy);
	edition = edition_of(policy, exemptions, NULL, NULL);
	exemptions_free(exemptions);
	policy_free(policy);
	assert_int_equal(strlen(edition.id), 16);
	assert_int_equal(strspn(edition.id, "0123456789abcdef"), 16);
	next = !next;
	return strcpy(ids[next], edition.id);
}

static void test_id(void **state)
{
	static const char alice[] = "alice encryption 2024-12-31\n";
	(void)state;

	assert_string_equal(id_of("UTC", dated, alice), id_of("UTC", dated, alice));
	assert_string_not_equal(id_of("UTC", dated, NULL), id_of("UTC", always, NULL));
	assert_string_not_equal(id_of("UTC", dated, NULL), id_of("UTC", dated, ""));
	assert_string_not_equal(id_of("UTC", dated, ""), id_of("UTC", dated, alice));
}

static void test_time_zone(void **state)
{
	(void)state;

	assert_string_not_equal(id_of("UTC", dated, ""), id_of("Asia/Tokyo", dated, ""));
	assert_string_equal(id_of("UTC", always, ""), id_of("Asia/Tokyo", always, ""));
	assert_string_not_equal(id_of("UTC", always, "alice encryption 2024-12-31\n"),
				id_of("Asia/Tokyo", always, "alice encryption 2024-12-31\n"));
}

/* Without the exemptions nobody knows who may have one; a mail without a user cannot. */
static void test_exemptions_that_are_not_known(void **state)
{
	struct policy *policy =
		load_policy("exemptions = \"/exemptions\"\n"
			    "network relays { addresses = { 192.0.2.1 } }\n"
			    "rule encryption { enforce = \"always\" }\n"
			    "rule relay { enforce = always allow-networks = { relays } }\n");
	struct exemptions *none = load_exemptions("", policy);
	const struct edition unknown = edition_of(policy, NULL, NULL, NULL),
			     known = edition_of(policy, none, NULL, NULL);
	struct attempt attempt = {
		.service = SERVICE_IMAP, .user = "alice@example.org", .mechanism = ""};
	struct verdict verdict;
	(void)state;

	judge(&known, &attempt, 0, &verdict);
	assert_int_equal(verdict.outcome, OUTCOME_REJECT_AFTER);
	judge(&unknown, &attempt, 0, &verdict);
	assert_int_equal(verdict.outcome, OUTCOME_ALLOW);
	assert_int_equal(verdict.broken, 1);
	assert_int_equal(verdict.phases[0], PHASE_ENFORCE);

	attempt = (struct attempt){.source = SOURCE_POSTFIX,
				   .service = SERVICE_SMTP,
				   .port = 25,
				   .user = "",
				   .mechanism = ""};
	assert_true(address_parse("203.0.113.5", &attempt.client));
	judge(&unknown, &attempt, 0, &verdict);
	assert_int_equal(verdict.outcome, OUTCOME_REJECT_BEFORE);
	exemptions_free(none);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_id),
		cmocka_unit_test(test_time_zone),
		cmocka_unit_test(test_exemptions_that_are_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
