#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "admin/questions/policy-digest.h"

static void fail_on_report(void *context, const char *message)
{
	(void)context;
	fail_msg("%s", message);
}

static void digest_of(const char *config, const char *exempted, char id_r[static EDITION_ID_SIZE])
{
	struct policy *policy = config_load_text("/portcullis.conf", config, strlen(config),
						 fail_on_report, NULL, NULL);
	struct exemptions *exemptions = NULL;
	char *text = exempted == NULL ? NULL : strdup(exempted);

	assert_non_null(policy);
	if (text != NULL)
		exemptions = exemptions_load_text("/exemptions", text, strlen(text), policy,
						  fail_on_report, NULL);
	policy_digest(policy, exemptions, id_r);
	exemptions_free(exemptions);
	policy_free(policy);
	free(text);
}

#define NETWORKS                                                                                   \
	"network office { addresses = { \"192.0.2.0/24\" } }\n"                                    \
	"network campus { addresses = { \"198.51.100.0/24\" } }\n"

/* Each is another policy than the others. */
static const char *const policies[] = {
	"rule encryption { enforce = 2030-01-01 }",
	"rule encryption { enforce = 2030-01-02 }",
	"rule encryption { notify = 2030-01-01 }",
	"rule encryption { observe = 2030-01-01 }",
	"rule encryption { notify = always enforce = 2030-01-01 brownouts = \"2029-12-01 10:00 "
	"+4h\" }",
	"rule encryption { notify = always enforce = 2030-01-01 brownouts = \"2029-12-01 10:00 "
	"+5h\" }",
	"rule encryption { notify = always enforce = 2030-01-01 grace = 7d }",
	"rule encryption { enforce = 2030-01-01 minimum = TLSv1.2 }",
	"rule encryption { enforce = 2030-01-01 services = imap }",
	"rule encryption { enforce = 2030-01-01 services = pop3 }",
	"rule encryption { enforce = 2030-01-01 message = \"No\" }",
	"rule encryption { enforce = 2030-01-01 reject = before-password }",
	"rule other { kind = encryption enforce = 2030-01-01 }",
	"default-domain = example.org\nrule encryption { enforce = 2030-01-01 }",
	"rule encryption { enforce = 2030-01-01 except-networks = office }\n" NETWORKS,
	"rule encryption { enforce = 2030-01-01 except-networks = campus }\n" NETWORKS,
	"rule implicit-tls { enforce = 2030-01-01 }",
	"rule implicit-tls { enforce = 2030-01-01 }\nimplicit-tls-ports = { 993, 1993 }",
	"rule mechanism { enforce = 2030-01-01 allow = PLAIN }",
	"rule mechanism { enforce = 2030-01-01 allow = { PLAIN, LOGIN } }",
	"country-database = /countries\nrule country { enforce = 2030-01-01 allow = DE }",
	"country-database = /countries\nrule country { enforce = 2030-01-01 allow = FR }",
	"country-database = /countries\nrule country { enforce = 2030-01-01 allow = FR unknown = "
	"allow }",
	"rule submission-port { enforce = 2030-01-01 allow-ports = 587 }",
	"rule submission-port { enforce = 2030-01-01 allow-ports = 465 }",
	"rule relay { enforce = 2030-01-01 allow-networks = office }\n" NETWORKS,
	"rule relay { enforce = 2030-01-01 allow-networks = campus }\n" NETWORKS,
	"rule encryption { enforce = 2030-01-01 }\nrule implicit-tls { enforce = 2030-01-01 }",
	"smtp-enforcement = auth\nrule encryption { enforce = 2030-01-01 }",
};

static void test_what_judges(void **state)
{
	char ids[COUNT(policies)][EDITION_ID_SIZE];
	(void)state;

	for (size_t i = 0; i < COUNT(policies); i++) {
		digest_of(policies[i], NULL, ids[i]);
		assert_int_equal(strspn(ids[i], "0123456789abcdef"), 16);
		for (size_t j = 0; j < i; j++) {
			if (strcmp(ids[i], ids[j]) == 0)
				fail_msg("the same digest:\n%s\n%s", policies[i], policies[j]);
		}
	}
}

/* Each is the first of these policies. */
static const char *const same[] = {
	"# by hand\nrule encryption { enforce = \"2030-01-01 00:00\" }",
	"host = mx1\nrule encryption { enforce = 2030-01-01 }",
	"journal = /srv/journal\nstore = \"sqlite:/srv/store\"\nrule encryption { enforce = "
	"2030-01-01 }",
	"exemptions = /srv/exemptions\ncountry-database = /srv/countries\nlogs = "
	"/var/log/mail.log\n"
	"rule encryption { enforce = 2030-01-01 }",
	"organisation = Example\nkeep-addresses = 1d\nkeep-sightings = 90d\ncombine = 1m\n"
	"rule encryption { enforce = 2030-01-01 }",
	"rule encryption { enforce = 2030-01-01 }\n" NETWORKS,
};

static void test_what_does_not_judge(void **state)
{
	char first[EDITION_ID_SIZE], other[EDITION_ID_SIZE];
	(void)state;

	digest_of(policies[0], NULL, first);
	for (size_t i = 0; i < COUNT(same); i++) {
		digest_of(same[i], NULL, other);
		if (strcmp(first, other) != 0)
			fail_msg("another digest:\n%s", same[i]);
	}
}

static void test_exemptions(void **state)
{
	char none[EDITION_ID_SIZE], one[EDITION_ID_SIZE], other[EDITION_ID_SIZE];
	(void)state;

	digest_of(policies[0], NULL, none);
	digest_of(policies[0], "alice@example.org encryption 2030-06-01\n", one);
	digest_of(policies[0], "alice@example.org encryption 2030-06-02\n", other);
	assert_string_not_equal(none, one);
	assert_string_not_equal(one, other);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_judges),
		cmocka_unit_test(test_what_does_not_judge),
		cmocka_unit_test(test_exemptions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
