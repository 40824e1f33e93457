#include "unit.h"
#include "dates.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/config.h"
#include "policy/default-message.h"
#include "policy/utf8.h"

static char directory[] = "/tmp/portcullis-config.XXXXXX";
static char path[64];

/* What config_load() said, a line each, without the name of the file. */
struct said {
	char errors[8192];
	char warnings[1024];
};

static void note(char *text, size_t size, const char *message)
{
	size_t length = strlen(text);

	assert_int_equal(strncmp(message, path, strlen(path)), 0);
	snprintf(text + length, size - length, "%s\n", message + strlen(path) + 1);
}

static void note_error(void *context, const char *message)
{
	struct said *said = context;

	note(said->errors, sizeof(said->errors), message);
}

static void note_warning(void *context, const char *message)
{
	struct said *said = context;

	note(said->warnings, sizeof(said->warnings), message);
}

static void write_text(const char *text, size_t length)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static struct policy *load(const char *text, struct said *said_r)
{
	*said_r = (struct said){0};
	write_text(text, strlen(text));
	return config_load(path, note_error, note_warning, said_r);
}

static struct policy *load_valid(const char *text)
{
	struct said said;
	struct policy *policy = load(text, &said);

	assert_string_equal(said.errors, "");
	assert_non_null(policy);
	return policy;
}

static int make_directory(void **state)
{
	(void)state;
	setenv("TZ", "Europe/Berlin", 1);
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/portcullis.conf", directory);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory);
}

static const char site[] =
	"organisation     = \"Example Universit\xc3\xa4t\"\n"
	"help-url         = \"https://www.example.org/mail\"\n"
	"default-domain   = \"Example.ORG\"        # added to a user name without one\n"
	"country-database = \"/var/lib/GeoIP/GeoLite2-Country.mmdb\"\n"
	"exemptions       = \"/etc/portcullis/exemptions\"\n"
	"exemptions-in-store = true\n"
	"journal          = \"/srv/journal\"       // directory\n"
	"store            = \"postgresql://db/portcullis\"   /* many hosts */\n"
	"host             = mx1.example.org\n"
	"keep-addresses   = \"36h\"\n"
	"keep-sightings   = 90d\n"
	"combine          = 30s\n"
	"unverified-per-minute = 5\n"
	"implicit-tls-ports = { 993, 995, 465, 1993 }\n"
	"smtp-enforcement = \"auth\"\n"
	"\n"
	"rule encryption {\n"
	"    services = { \"imap\", # this one, too\n"
	"                 \"pop3\" }\n"
	"    observe  = \"2024-05-01\"\n"
	"    notify   = \"2024-06-01\"\n"
	"    enforce  = \"2024-09-20 06:00\"\n"
	"    brownouts = { \"2024-08-20 10:00 +4h\", \"2024-09-10 10:00 +8h\" }\n"
	"    except-networks = { \"webmail\", \"campus\" }\n"
	"    minimum  = \"TLSv1.2\"\n"
	"    reject   = \"before-password\"\n"
	"    message  = \"Please use SSL/TLS\"\n"
	"}\n"
	"rule abroad {\n"
	"    kind     = \"country\"\n"
	"    allow    = { \"FR\", \"DE\", \"XK\" }\n"
	"    unknown  = \"allow\"\n"
	"    enforce  = \"always\"\n"
	"}\n"
	"rule mechanism { allow = { \"plain\", \"Scram-Sha-256\" } notify = 2025-01-01 }\n"
	"rule submission-port {\n"
	"    allow-ports = 587\n"
	"    client-networks = { campus }\n"
	"    enforce = \"2025-01-01\"\n"
	"}\n"
	"rule relay { allow-networks = { \"webmail\" } observe = 2025-01-01 }\n"
	"network campus  { addresses = { \"192.0.2.0/24\", \"2001:db8::/32\" } }\n"
	"network webmail { addresses = { \"198.51.100.25\" } }\n";

static bool contains(const struct network *network, const char *text)
{
	struct address address;

	assert_true(address_parse(text, &address));
	return network_contains(network, &address);
}

static void test_site(void **state)
{
	struct policy *policy = load_valid(site);
	(void)state;

	assert_string_equal(policy->file, path);
	assert_string_equal(policy->organisation, "Example Universit\xc3\xa4t");
	assert_string_equal(policy->help_url, "https://www.example.org/mail");
	assert_string_equal(policy->default_domain, "example.org");
	assert_string_equal(policy->country_database, "/var/lib/GeoIP/GeoLite2-Country.mmdb");
	assert_string_equal(policy->exemptions, "/etc/portcullis/exemptions");
	assert_string_equal(policy->journal, "/srv/journal");
	assert_string_equal(policy->store, "postgresql://db/portcullis");
	assert_string_equal(policy->host, "mx1.example.org");
	assert_int_equal(policy->keep_addresses, 36 * 3600);
	assert_true(policy->exemptions_in_store);
	assert_int_equal(policy->combine_seconds, 30);
	assert_int_equal(policy->unverified_per_minute, 5);
	assert_int_equal(policy->keep_sightings, 90 * 86400);
	assert_true(policy->smtp_enforced_at_auth);
	assert_true(policy_port_is_implicit_tls(policy, 1993));
	assert_false(policy_port_is_implicit_tls(policy, 143));
	assert_int_equal(policy->network_count, 2);
	assert_int_equal(policy->rule_count, 5);
	assert_null(policy_rule(policy, "country"));
	policy_free(policy);
}

static void test_rules(void **state)
{
	struct policy *policy = load_valid(site);
	const struct rule *rule = policy_rule(policy, "encryption");
	(void)state;

	assert_int_equal(rule->index, 0);
	assert_int_equal(rule->kind, KIND_ENCRYPTION);
	assert_int_equal(rule->services, SERVICE_BIT(SERVICE_IMAP) | SERVICE_BIT(SERVICE_POP3));
	assert_int_equal(rule->schedule.observe, date("2024-05-01"));
	assert_int_equal(rule->schedule.notify, date("2024-06-01"));
	assert_int_equal(rule->schedule.enforce, date("2024-09-20 06:00"));
	assert_int_equal(rule->schedule.brownout_count, 2);
	assert_int_equal(rule->schedule.brownouts[1].begin, date("2024-09-10 10:00"));
	assert_int_equal(rule->schedule.brownouts[1].end, date("2024-09-10 18:00"));
	assert_true(contains(&rule->except, "192.0.2.77"));
	assert_true(contains(&rule->except, "198.51.100.25"));
	assert_false(contains(&rule->except, "198.51.100.26"));
	assert_int_equal(rule->minimum, TLS_V1_2);
	assert_int_equal(rule->reject, OUTCOME_REJECT_BEFORE);
	assert_string_equal(rule->message, "Please use SSL/TLS");

	rule = policy_rule(policy, "abroad");
	assert_int_equal(rule->index, 1);
	assert_int_equal(rule->kind, KIND_COUNTRY);
	assert_int_equal(rule->country_count, 3);
	assert_string_equal(rule->countries[0].code, "FR");
	assert_string_equal(rule->countries[1].code, "DE");
	assert_string_equal(rule->countries[2].code, "XK");
	assert_false(rule->reject_unknown);
	assert_int_equal(rule->schedule.enforce, SCHEDULE_ALWAYS);
	assert_int_equal(rule->schedule.observe, SCHEDULE_NEVER);

	rule = policy_rule(policy, "mechanism");
	assert_int_equal(rule->mechanism_count, 2);
	assert_string_equal(rule->mechanisms[0], "PLAIN");
	assert_string_equal(rule->mechanisms[1], "SCRAM-SHA-256");

	rule = policy_rule(policy, "submission-port");
	assert_int_equal(rule->port_count, 1);
	assert_int_equal(rule->ports[0], 587);
	assert_true(contains(&rule->networks, "2001:db8::25"));

	rule = policy_rule(policy, "relay");
	assert_true(contains(&rule->networks, "198.51.100.25"));
	assert_false(contains(&rule->networks, "192.0.2.77"));
	policy_free(policy);
}

static void test_defaults(void **state)
{
	static const uint16_t implicit[] = {993, 995, 465};
	struct policy *policy = load_valid("rule encryption { enforce = \"always\" }");
	(void)state;

	assert_null(policy->organisation);
	assert_null(policy->help_url);
	assert_null(policy->default_domain);
	assert_null(policy->country_database);
	assert_null(policy->exemptions);
	assert_string_equal(policy->journal, "/var/lib/portcullis/journal");
	assert_string_equal(policy->store, "sqlite:/var/lib/portcullis/portcullis.db");
	assert_null(policy->host);
	assert_int_equal(policy->keep_addresses, 14 * 86400);
	assert_false(policy->exemptions_in_store);
	assert_int_equal(policy->combine_seconds, 600);
	assert_int_equal(policy->unverified_per_minute, 600);
	assert_int_equal(policy->keep_sightings, 400 * 86400);
	assert_false(policy->smtp_enforced_at_auth);
	assert_int_equal(policy->implicit_tls_port_count, COUNT(implicit));
	for (size_t i = 0; i < COUNT(implicit); i++)
		assert_true(policy_port_is_implicit_tls(policy, implicit[i]));
	policy_free(policy);
}

#define IMAP SERVICE_BIT(SERVICE_IMAP)
#define POP3 SERVICE_BIT(SERVICE_POP3)
#define SIEVE SERVICE_BIT(SERVICE_SIEVE)
#define SUBMISSION SERVICE_BIT(SERVICE_SUBMISSION)
#define SMTP SERVICE_BIT(SERVICE_SMTP)
#define LOGINS (IMAP | POP3 | SIEVE | SUBMISSION)

static void test_defaults_of_kinds(void **state)
{
	static const struct {
		const char *kind;
		const char *options; /* that the kind cannot be without */
		unsigned int services;
		enum outcome reject;
	} cases[] = {
		{"encryption", "", LOGINS, OUTCOME_REJECT_AFTER},
		{"implicit-tls", "", LOGINS, OUTCOME_REJECT_AFTER},
		{"mechanism", "", LOGINS, OUTCOME_REJECT_AFTER},
		{"country", "allow = { DE }", LOGINS, OUTCOME_REJECT_BEFORE},
		{"protocol", "services = { pop3 }", POP3, OUTCOME_REJECT_BEFORE},
		{"submission-port", "", SUBMISSION | SMTP, OUTCOME_REJECT_AFTER},
		{"relay", "allow-networks = { a }", SMTP, OUTCOME_REJECT_BEFORE},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[512];
		struct policy *policy;

		snprintf(text, sizeof(text),
			 "country-database = /a.mmdb\n"
			 "help-url = \"https://help.example.org\"\n"
			 "network a { addresses = { 10.0.0.0/8 } }\n"
			 "rule %s { %s enforce = always }\n",
			 cases[i].kind, cases[i].options);
		policy = load_valid(text);
		assert_string_equal(kind_name(policy->rules[0].kind), cases[i].kind);
		assert_int_equal(policy->rules[0].services, cases[i].services);
		assert_int_equal(policy->rules[0].reject, cases[i].reject);
		policy_free(policy);
	}
}

static void test_defaults_of_options(void **state)
{
	struct policy *policy = load_valid("country-database = /a.mmdb\n"
					   "rule mechanism { enforce = always }\n"
					   "rule country { allow = { DE } enforce = always }\n"
					   "rule submission-port { enforce = always }\n"
					   "rule encryption { enforce = always }\n");
	(void)state;

	assert_int_equal(policy->rules[0].mechanism_count, 2);
	assert_string_equal(policy->rules[0].mechanisms[0], "PLAIN");
	assert_string_equal(policy->rules[0].mechanisms[1], "LOGIN");
	assert_true(policy->rules[1].reject_unknown);
	assert_int_equal(policy->rules[2].port_count, 2);
	assert_int_equal(policy->rules[2].ports[0], 587);
	assert_int_equal(policy->rules[2].ports[1], 465);
	assert_int_equal(policy->rules[3].minimum, TLS_VERSION_UNKNOWN);
	policy_free(policy);
}

static void test_grace(void **state)
{
	struct policy *policy =
		load_valid("journal = /j\n"
			   "rule encryption { enforce = 2024-09-20 grace = 7d }\n"
			   "rule pop3 { kind = protocol services = pop3 enforce = 2024-09-20 }\n");
	(void)state;

	assert_int_equal(policy->rules[0].grace, 7 * 86400);
	assert_int_equal(policy->rules[1].grace, 0);
	assert_string_equal(policy->grace_file, "/j/grace");
	policy_free(policy);
	policy = load_valid("rule encryption { enforce = 2024-09-20 }\n");
	assert_null(policy->grace_file);
	policy_free(policy);
}

/* Whatever a rule is like, its own message can stand in any reply. */
static void test_default_messages(void **state)
{
	static const char *const rules[] = {
		"rule encryption { enforce = always }",
		"rule encryption { enforce = always minimum = TLSv1.3 }",
		"rule implicit-tls { enforce = always }",
		"rule mechanism { enforce = always }",
		"rule mechanism { enforce = always allow = { XOAUTH2 } }",
		"rule mechanism { enforce = always allow = { GSSAPI } }",
		"rule country { enforce = always allow = { DE } }",
		"rule protocol { enforce = always services = { pop3 } }",
		"rule protocol { enforce = always services = { pop3, imap } }",
		"rule submission-port { enforce = always }",
		"rule submission-port { enforce = always allow-ports = { 465 } }",
		"rule submission-port { enforce = always allow-ports = { 587 } }",
		"rule submission-port { enforce = always allow-ports = { 2525 } }",
		"rule relay { enforce = always allow-networks = { a } }",
	};
	char url[HELP_URL_LENGTH_MAX + 1] = "https://www.example.org/mail/";
	(void)state;

	memset(url + strlen(url), 'x', HELP_URL_LENGTH_MAX - strlen(url));
	for (size_t i = 0; i < COUNT(rules); i++) {
		char text[1024];
		struct policy *policy;
		const char *message;

		snprintf(text, sizeof(text),
			 "help-url = \"%s\"\n"
			 "country-database = /a.mmdb\n"
			 "network a { addresses = { 10.0.0.0/8 } }\n%s",
			 url, rules[i]);
		policy = load_valid(text);
		message = policy->rules[0].message;
		assert_non_null(strstr(message, url));
		assert_true(strlen(message) <= MESSAGE_LENGTH_MAX);
		for (const char *c = message; *c != '\0'; c++)
			assert_true(*c >= ' ' && *c <= '~');
		policy_free(policy);
	}
}

/* Nobody is told to do what the rule does not allow. */
static void test_messages_of_mechanisms(void **state)
{
	static const struct {
		const char *allow, *advice;
	} cases[] = {
		{"PLAIN", "to a normal password with SSL/TLS."},
		{"XOAUTH2, LOGIN", "to a normal password with SSL/TLS."},
		{"XOAUTH2, OAUTHBEARER", "to OAuth2."},
		{"OAUTHBEARER", "to OAuth2."},
		{"SCRAM-SHA-256, GSSAPI", "to another one."},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[256];
		struct policy *policy;

		snprintf(text, sizeof(text), "rule mechanism { enforce = always allow = { %s } }",
			 cases[i].allow);
		policy = load_valid(text);
		if (strstr(policy->rules[0].message, cases[i].advice) == NULL)
			fail_msg("%s: %s", cases[i].allow, policy->rules[0].message);
		policy_free(policy);
	}
}

#define ENFORCE " enforce = always }\n"

#define NOT_A_TIME_TO_COMBINE ": must be a duration such as 10m, 1h or 30s, at most 1d, or 0\n"
#define NOT_A_HOST ": must be a name without spaces, of at most 255 bytes\n"
#define NOT_A_BUDGET ": must be a number, at most 1000000\n"
#define NOT_A_DURATION                                                                             \
	": must be a number of days or hours, such as 14d or 12h, and at most 36500d\n"

#define NOT_A_GRACE "must be from an hour to 90 days, as in \"7d\"\n"
#define NO_DATE "is for those who were first seen shortly before a date, and 'enforce' has none\n"

#define NO_RULE " there is no rule in it; one whose dates are to come retires nothing yet\n"

/* One wrong thing each, and all that is said about it. */
static const struct {
	const char *text;
	const char *errors;
} wrong[] = {
	/* Keys and sections */
	{"orgnisation = \"x\"", "1: unknown key 'orgnisation' at the top of the file\n"},
	{"\n# two\nfoo = { 1, 2 }", "3: unknown key 'foo' at the top of the file\n"},
	{"rule encryption {\n enforc = always\n" ENFORCE, "2: unknown key 'enforc' in a rule\n"},
	{"network a {\n address = 10.0.0.1\n addresses = 10.0.0.1\n}",
	 "2: unknown key 'address' in a network\n"},
	{"foo { a = { 1 } b { c = 2 } }", "1: unknown section 'foo' at the top of the file\n"},
	{"rules encryption {" ENFORCE, "1: unknown section 'rules' at the top of the file\n"},
	{"organisation { a = 1 }", "1: unknown section 'organisation' at the top of the file\n"},
	{"rule = 5", "1: unknown key 'rule' at the top of the file\n"},
	{"journal = /a\n\njournal = /b", "3: 'journal' was already set on line 1\n"},
	{"rule encryption {\n enforce = always\n notify = always\n" ENFORCE,
	 "4: 'enforce' was already set on line 2\n"},
	{"rule encryption {" ENFORCE "\nrule encryption {" ENFORCE,
	 "3: there is already a rule 'encryption' on line 1\n"},
	{"network a { addresses = 10.0.0.1 }\nnetwork a { addresses = 10.0.0.1 }",
	 "2: there is already a network 'a' on line 1\n"},
	{"rule {" ENFORCE, "1: this rule has no title: rule TITLE { ... }\n"},
	{"journal = { /a, /b }", "1: 'journal' takes one value, not a list\n"},
	{"journal += /a", "1: nothing can be added to 'journal': write all of it behind '='\n"},
	{"implicit-tls-ports += { 1993 }",
	 "1: nothing can be added to 'implicit-tls-ports': write all of it behind '='\n"},
	{"rule encryption {\n services = { imap }\n services += { pop3 }\n" ENFORCE,
	 "3: 'services' was already set on line 2\n"},
	{"rule encryption {\n enforce += always }",
	 "2: nothing can be added to 'enforce': write all of it behind '='\n"},
	/* Syntax */
	{"rule encryption {" ENFORCE "}\n", "2: unexpected closing brace\n"},
	{"rule encryption {\n enforce = always", "1: missing closing brace for section 'rule'\n"},
	{"rule encryption {\n enforce always }", "2: missing equals sign after 'enforce'\n"},
	{"rule encryption {\n enforce = }", "2: unexpected '}'\n"},
	{"rule encryption\n enforce = always", "1: missing opening brace for section 'rule'\n"},
	{"rule encryption {\n services = { imap pop3 }\n" ENFORCE, "2: unexpected 'pop3'\n"},
	{"# comment\n/* two\n lines */ organisation = \"x\nhelp-url = \"https://x\"",
	 "3: missing closing quote\n"},
	{"organisation = 'x\n", "1: missing closing quote\n"},
	{"\n/* no end\n\n", "2: this comment is never closed\n"},
	{"organisation = \"${HOME}\"", "1: ${...} is not expanded here; put the string in 'single "
				       "quotes' if it is meant literally\n"},
	{"organisation = \"\\400\"", "1: invalid octal number '\\400'\n"},
	{"organisation = \"\\128\"", "1: invalid escape sequence '\\128'\n"},
	{"organisation = \"\\1234\"", "1: invalid escape sequence '\\1234'\n"},
	{"organisation = \"x\\0\"", "1: a string cannot hold a NUL byte\n"},
	{"organisation = \"x\\x0\"", "1: a string cannot hold a NUL byte\n"},
	{"organisation = ${HOME}", "1: ${...} is not expanded here\n"},
	{"organisation = \"x\\", "1: missing closing quote\n"},
	{"organisation =", "1: unexpected end of file\n"},
	/* Told where it is, not at what follows, which is as right as ever. */
	{"organisation =\nhelp-url = \"https://www.example.org/\"",
	 "1: 'organisation' has no value\n"},
	{"rule encryption {\n observe =\n\n enforce = always\n}", "2: 'observe' has no value\n"},
	{"implicit-tls-ports = { 993", "1: unexpected end of file\n"},
	{"implicit-tls-ports = { , 993 }", "1: unexpected ','\n"},
	{"implicit-tls-ports = { 993,, 995 }", "1: unexpected ','\n"},
	{"organisation = x + y", "1: unexpected '+'\n"},
	{"foo bar", "1: missing equals sign after 'foo'\n"},
	{"rule", "1: missing opening brace for section 'rule'\n"},
	{"notices x { }", "1: 'notices' takes no title\n"},
	/* Emptied, or cut off: not a policy that lets everybody in */
	{"", NO_RULE},
	{"# rules follow\n", NO_RULE},
	{"organisation = \"x\"\nnetwork a { addresses = 10.0.0.1 }\n", NO_RULE},
	/* Top of the file */
	{"organisation = \"caf\xe9\"", "1: organisation: must be one line of UTF-8 text\n"},
	{"organisation = \"a\\nb\"", "1: organisation: must be one line of UTF-8 text\n"},
	{"help-url = \"www.example.org\"", "1: help-url: must begin with https:// or http://\n"},
	{"help-url = \"https://www.example.org/a b\"",
	 "1: help-url: must be printable ASCII without spaces\n"},
	{"help-url = \"https://caf\xc3\xa9.example\"",
	 "1: help-url: must be printable ASCII without spaces\n"},
	{"default-domain = \"@example.org\"", "1: default-domain: not a domain name\n"},
	{"default-domain = \"\"", "1: default-domain: not a domain name\n"},
	{"journal = \"journal\"", "1: journal: must be an absolute path\n"},
	{"exemptions = \"\"", "1: exemptions: must be an absolute path\n"},
	{"keep-addresses = \"14\"", "1: keep-addresses" NOT_A_DURATION},
	{"keep-addresses = \"\"", "1: keep-addresses" NOT_A_DURATION},
	{"keep-sightings = \"d\"", "1: keep-sightings" NOT_A_DURATION},
	{"keep-sightings = \"1y\"", "1: keep-sightings" NOT_A_DURATION},
	{"keep-sightings = \"14m\"", "1: keep-sightings" NOT_A_DURATION},
	{"keep-sightings = \"99999999999999999999999d\"", "1: keep-sightings" NOT_A_DURATION},
	{"keep-sightings = \"36501d\"", "1: keep-sightings" NOT_A_DURATION},
	{"keep-sightings = \"-1d\"", "1: keep-sightings" NOT_A_DURATION},
	{"keep-sightings = \"60s\"", "1: keep-sightings" NOT_A_DURATION},
	{"combine = 10", "1: combine" NOT_A_TIME_TO_COMBINE},
	{"combine = \"25h\"", "1: combine" NOT_A_TIME_TO_COMBINE},
	{"combine = \"off\"", "1: combine" NOT_A_TIME_TO_COMBINE},
	{"unverified-per-minute = 1000001", "1: unverified-per-minute" NOT_A_BUDGET},
	{"unverified-per-minute = -1", "1: unverified-per-minute" NOT_A_BUDGET},
	{"store = \"mysql://x\"", "1: store: must be sqlite:/PATH or postgresql://...\n"},
	{"host = \"\"", "1: host" NOT_A_HOST},
	{"host = \"mx 1\"", "1: host" NOT_A_HOST},
	{"exemptions-in-store = yes", "1: exemptions-in-store: must be true or false\n"},
	{"\nexemptions-in-store = true",
	 "2: exemptions-in-store: 'exemptions' must name the file that the importer writes for the "
	 "servers\n"},
	{"smtp-enforcement = \"both\"", "1: smtp-enforcement: must be daemon or auth\n"},
	{"implicit-tls-ports = { 0,\n 65536, 143a,\n 993, -1 }",
	 "1: implicit-tls-ports: '0' is not a port (1 to 65535)\n"
	 "2: implicit-tls-ports: '65536' is not a port (1 to 65535)\n"
	 "2: implicit-tls-ports: '143a' is not a port (1 to 65535)\n"
	 "3: implicit-tls-ports: '-1' is not a port (1 to 65535)\n"},
	{"implicit-tls-ports = { }", "1: 'implicit-tls-ports' is an empty list\n"},
	/* Networks */
	{"network a { }", "1: network 'a' has no 'addresses'\n"},
	{"network a {\n addresses = { } }", "2: 'addresses' is an empty list\n"},
	{"network a { addresses = { \"10.0.0.1/8\" } }",
	 "1: addresses: '10.0.0.1/8': the address has bits set beyond its prefix length\n"},
	{"network a { addresses = { 10.0.0.1, # first\n 300.1.1.1 } }",
	 "2: addresses: '300.1.1.1': not an IP address\n"},
	{"network \"a b\" { addresses = { \"10.0.0.1\" } }",
	 "1: the name of a network consists of at most 64 letters, digits, '-', '_' and '.'\n"},
	{"rule encryption {\n except-networks = { nowhere }\n" ENFORCE,
	 "2: except-networks: no network is called 'nowhere'\n"},
	{"rule submission-port {\n client-networks = { nowhere }\n" ENFORCE,
	 "2: client-networks: no network is called 'nowhere'\n"},
	{"rule relay {\n allow-networks = { nowhere }\n" ENFORCE,
	 "2: allow-networks: no network is called 'nowhere'\n"},
	/* Titles and kinds */
	{"rule \"a,b\" { kind = encryption" ENFORCE,
	 "1: the title of a rule consists of at most 64 letters, digits, '-', '_' and '.'\n"},
	{"rule DE { kind = encryption" ENFORCE,
	 "1: the title of a rule must not be a country code, because exemptions can name either\n"},
	{"rule mail {" ENFORCE, "1: rule 'mail' needs a 'kind' (one of encryption, implicit-tls, "
				"mechanism, country, protocol, submission-port, relay)\n"},
	{"rule encryption {\n kind = \"tls\"\n" ENFORCE,
	 "2: kind: unknown kind 'tls' (one of encryption, implicit-tls, mechanism, country, "
	 "protocol, submission-port, relay)\n"},
	/* Dates */
	{"rule encryption {\n}",
	 "1: rule 'encryption' has no date: it needs 'observe', 'notify' or 'enforce'\n"},
	{"rule encryption { observe = \"2024-02-30\" }",
	 "1: observe: '2024-02-30': there is no such day\n"},
	{"rule encryption { enforce = \"2024-03-31 02:30\" }",
	 "1: enforce: '2024-03-31 02:30': this time does not exist: daylight saving skips it\n"},
	{"rule encryption { notify = \"soon\" }",
	 "1: notify: 'soon': a date is YYYY-MM-DD or YYYY-MM-DD HH:MM\n"},
	{"rule encryption {\n observe = 2024-02-01\n notify = 2024-01-01\n}",
	 "3: the dates run backwards: 'notify' is before 'observe'\n"},
	{"rule encryption {\n enforce = 2024-01-01\n observe = 2024-01-02\n}",
	 "2: the dates run backwards: 'enforce' is before 'observe'\n"},
	{"rule encryption {\n notify = 2024-01-01\n enforce = always\n}",
	 "3: the dates run backwards: 'enforce' is before 'notify'\n"},
	{"rule encryption {\n enforce = 2024-01-01\n grace = 7\n}", "3: grace: " NOT_A_GRACE},
	{"rule encryption {\n enforce = 2024-01-01\n grace = 7x\n}", "3: grace: " NOT_A_GRACE},
	{"rule encryption {\n enforce = 2024-01-01\n grace = 59m\n}", "3: grace: " NOT_A_GRACE},
	{"rule encryption {\n enforce = 2024-01-01\n grace = 91d\n}", "3: grace: " NOT_A_GRACE},
	{"rule encryption {\n enforce = 2024-01-01\n grace = 0\n}", "3: grace: " NOT_A_GRACE},
	{"rule encryption {\n notify = 2024-01-01\n grace = 7d\n}", "3: grace: " NO_DATE},
	{"rule encryption {\n grace = 7d\n enforce = always\n}", "2: grace: " NO_DATE},
	{"rule encryption {\n enforce = 2024-02-30\n grace = 7d\n}",
	 "2: enforce: '2024-02-30': there is no such day\n"},
	{"network a { addresses = 10.0.0.1 }\nrule relay { allow-networks = { a }\n"
	 " enforce = 2024-01-01\n grace = 7d\n}",
	 "4: a rule of kind relay takes no 'grace': nobody is logged in\n"},
	{"rule encryption { notify = 2024-01-01\n brownouts = { \"2024-02-01\" } }",
	 "2: brownouts: '2024-02-01': a brown-out is a date and a length: \"YYYY-MM-DD HH:MM +4h\" "
	 "(m, h or d)\n"},
	{"rule encryption { notify = 2024-01-01 brownouts = { \"2024-02-30 10:00 +4h\" } }",
	 "1: brownouts: '2024-02-30 10:00 +4h': there is no such day\n"},
	/* Options of all kinds */
	{"rule encryption {\n services = { imap, nntp }\n" ENFORCE,
	 "2: services: unknown service 'nntp' (one of imap, pop3, sieve, submission, smtp)\n"},
	{"rule encryption { services = { }" ENFORCE, "1: 'services' is an empty list\n"},
	{"rule encryption { reject = \"never\"" ENFORCE,
	 "1: reject: 'never' is neither before-password nor after-password\n"},
	{"rule encryption { message = \"\"" ENFORCE, "1: message: must not be empty\n"},
	{"rule encryption { message = \"caf\xc3\xa9\"" ENFORCE,
	 "1: message: must be one line of printable ASCII\n"},
	{"rule encryption { message = \"a\\nb\"" ENFORCE,
	 "1: message: must be one line of printable ASCII\n"},
	/* Options of one kind */
	{"rule encryption {\n allow = { PLAIN }\n allow-ports = { 587 }\n" ENFORCE,
	 "2: a rule of kind encryption takes no 'allow'\n"
	 "3: a rule of kind encryption takes no 'allow-ports'\n"},
	{"rule mechanism {\n minimum = TLSv1.2\n" ENFORCE,
	 "2: a rule of kind mechanism takes no 'minimum'\n"},
	{"rule mechanism {\n unknown = allow\n" ENFORCE,
	 "2: a rule of kind mechanism takes no 'unknown'\n"},
	{"rule protocol { services = { pop3 }\n client-networks = { }\n" ENFORCE,
	 "2: a rule of kind protocol takes no 'client-networks'\n"},
	{"rule implicit-tls {\n allow-networks = { }\n" ENFORCE,
	 "2: a rule of kind implicit-tls takes no 'allow-networks'\n"},
	{"rule encryption { minimum = \"TLSv1.4\"" ENFORCE,
	 "1: minimum: unknown TLS version 'TLSv1.4' (one of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3)\n"},
	{"rule mechanism { allow = { PLAIN, \"A B\" }" ENFORCE,
	 "1: allow: 'A B' is not the name of a SASL mechanism\n"},
	{"rule mechanism { allow = { }" ENFORCE, "1: 'allow' is an empty list\n"},
	{"rule mechanism { services = { smtp }" ENFORCE,
	 "1: services: a rule of kind mechanism cannot apply to smtp\n"},
	{"rule implicit-tls { services = { imap, smtp }" ENFORCE,
	 "1: services: a rule of kind implicit-tls cannot apply to smtp\n"},
	{"rule protocol {" ENFORCE, "1: a rule of kind protocol needs 'services'\n"},
	{"rule relay {" ENFORCE, "1: a rule of kind relay needs 'allow-networks'\n"},
	{"rule relay { allow-networks = { }" ENFORCE, "1: 'allow-networks' is an empty list\n"},
	{"rule submission-port { services = { imap }" ENFORCE,
	 "1: services: a rule of kind submission-port cannot apply to imap\n"},
	{"rule submission-port { allow-ports = { smtp }" ENFORCE,
	 "1: allow-ports: 'smtp' is not a port (1 to 65535)\n"},
	{"country-database = /a\nrule country { allow = { DE, \"XX\" }" ENFORCE,
	 "2: allow: ISO 3166-1 has no country 'XX' (two capital letters; Germany is DE)\n"},
	{"country-database = /a\nrule country { allow = { \"de\" }" ENFORCE,
	 "2: allow: ISO 3166-1 has no country 'de' (two capital letters; Germany is DE)\n"},
	{"country-database = /a\nrule country { allow = { \"UK\" }" ENFORCE,
	 "2: allow: ISO 3166-1 has no country 'UK' (two capital letters; the United Kingdom is "
	 "GB)\n"},
	{"country-database = /a\nrule country {" ENFORCE,
	 "2: a rule of kind country needs 'allow'\n"},
	{"country-database = /a\nrule country { allow = { DE } unknown = \"maybe\"" ENFORCE,
	 "2: unknown: 'maybe' is neither reject nor allow\n"},
	{"rule country { allow = { DE }" ENFORCE,
	 "1: a rule of kind country needs 'country-database' at the top of the file\n"},
};

static void test_wrong(void **state)
{
	(void)state;

	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct said said;

		assert_null(load(wrong[i].text, &said));
		if (strcmp(said.errors, wrong[i].errors) != 0)
			fail_msg("\n%s\n-- should be refused with\n%s-- and was with\n%s",
				 wrong[i].text, wrong[i].errors, said.errors);
	}
}

/* Behind comments, lists over lines and continued strings, and after keys that
   nobody knows, every error is found, in the order of the file. */
static void test_many_errors_in_one_run(void **state)
{
	static const char text[] = "# a comment\n"
				   "foo = { 1, # a comment in a list\n"
				   "  2 }\n"
				   "/* a comment\n"
				   "   over lines */\n"
				   "organisation = \"one \\\n"
				   "line\"\n"
				   "help-url = \"nowhere\"\n"
				   "rule encryption { // comment\n"
				   "    servces = { \"imap\" }\n"
				   "    observe = \"2024-13-01\" # no such month\n"
				   "    except-networks = { \"home\" }\n"
				   "}\n"
				   "unknown { a = 1 }\n"
				   "rule country {\n"
				   "    allow = { \"DE\", # home\n"
				   "              \"ZZ\",\n"
				   "              \"QQ\" }\n"
				   "}\n"
				   "network campus { addresses = \"10.0.0.1/8\" }\n"
				   "end = \"here\"\n";
	struct said said;
	(void)state;

	assert_null(load(text, &said));
	assert_string_equal(
		said.errors,
		"2: unknown key 'foo' at the top of the file\n"
		"8: help-url: must begin with https:// or http://\n"
		"10: unknown key 'servces' in a rule\n"
		"11: observe: '2024-13-01': there is no such day\n"
		"12: except-networks: no network is called 'home'\n"
		"14: unknown section 'unknown' at the top of the file\n"
		"15: rule 'country' has no date: it needs 'observe', 'notify' or 'enforce'\n"
		"15: a rule of kind country needs 'country-database' at the top of the file\n"
		"17: allow: ISO 3166-1 has no country 'ZZ' (two capital letters; Germany is DE)\n"
		"18: allow: ISO 3166-1 has no country 'QQ' (two capital letters; Germany is DE)\n"
		"20: addresses: '10.0.0.1/8': the address has bits set beyond its prefix length\n"
		"21: unknown key 'end' at the top of the file\n");
}

/* What is written, as the value of organisation, and what it means. */
static void test_words(void **state)
{
	static const struct {
		const char *written;
		const char *meant;
	} cases[] = {
		{"\"\"x", NULL}, /* two words */
		{"x", "x"},
		{"'x'", "x"},
		{"a-b_c.d:e;f@g[h]!$i%j", "a-b_c.d:e;f@g[h]!$i%j"},
		{"/a/b/", "/a/b/"},
		{"a\\nb", "a\\nb"},
		{"a/b#c", "a/b"},
		{"a//b", "a"},
		{"a/*b*/", "a"},
		{"http:/*//*/", "http:"},
		{"\"a # // /* b\"", "a # // /* b"},
		{"\"it's\"", "it's"},
		{"'say \"x\"'", "say \"x\""},
		{"\"a\\\"b\\\\\"", "a\"b\\"},
		{"'a\\'b\\\\'", "a'b\\"},
		/* Escapes are for double quotes. */
		{"\"\\x41\\102\\x4aK\\q\\xg\"", "ABJKqxg"},
		{"'\\x41\\102${x}'", "\\x41\\102${x}"},
		{"\"\\x412\"", "A2"},
		{"\"\\${x}\"", "${x}"},
		/* A string goes on behind a backslash. */
		{"\"a \\\nb\"", "a b"},
		{"'a \\\nb'", "a b"},
		{"\n\n/* c */ x # d", "x"},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct policy *policy;
		struct said said;
		char text[256];

		snprintf(text, sizeof(text), "organisation = %s\nrule encryption {" ENFORCE,
			 cases[i].written);
		policy = load(text, &said);
		if ((policy == NULL) != (cases[i].meant == NULL) ||
		    (policy != NULL && strcmp(policy->organisation, cases[i].meant) != 0))
			fail_msg("%s should mean %s, and not %s%s", cases[i].written,
				 cases[i].meant, policy == NULL ? "" : policy->organisation,
				 said.errors);
		policy_free(policy);
	}
}

/* A list is a value, or none or more in braces. */
static void test_lists(void **state)
{
	static const struct {
		const char *statements;
		unsigned int services;
	} cases[] = {
		{"services = imap", IMAP},
		{"services = { imap }", IMAP},
		{"services={imap,pop3,}", IMAP | POP3},
		{"services = { imap, # mail\n pop3 /* old */ }", IMAP | POP3},
		{"\"services\" = { 'imap' , \"pop3\" }", IMAP | POP3},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct policy *policy;
		char text[256];

		snprintf(text, sizeof(text), "rule encryption { %s enforce = always }",
			 cases[i].statements);
		policy = load_valid(text);
		assert_int_equal(policy->rules[0].services, cases[i].services);
		policy_free(policy);
	}
}

/* A statement that cannot be read hides neither those behind it nor what their
   values are, and leads to no complaint that it is missing. */
static void test_reading_on(void **state)
{
	static const struct {
		const char *text;
		const char *errors;
	} cases[] = {
		{"organisation \"x\"\nhelp-url = www\nstore = = x\njournal = x\n",
		 "1: missing equals sign after 'organisation'\n"
		 "2: help-url: must begin with https:// or http://\n"
		 "3: unexpected '='\n"
		 "4: journal: must be an absolute path\n"},
		{"rule encryption {\n enforce always\n services = { imap pop3,\n sieve }\n"
		 " reject = x\n}\nrule mechanism { allow = (PLAIN)\n enforce = soon }\n",
		 "2: missing equals sign after 'enforce'\n"
		 "3: unexpected 'pop3'\n"
		 "5: reject: 'x' is neither before-password nor after-password\n"
		 "7: unexpected '('\n"
		 "8: enforce: 'soon': a date is YYYY-MM-DD or YYYY-MM-DD HH:MM\n"},
		/* A list without its brace */
		{"rule encryption {\n services = { imap, pop3\n enforce = always\n"
		 " reject = x\n}\n",
		 "3: unexpected 'enforce'\n"
		 "4: reject: 'x' is neither before-password nor after-password\n"},
		{"country-database /a\nrule country { allow = { DE } enforce = always }\n"
		 "rule x { kind \"country\"\n allow = { DE } enforce = always }\n",
		 "1: missing equals sign after 'country-database'\n"
		 "3: missing equals sign after 'kind'\n"},
		{"network a { addresses = \"10.0.0.1\n}\nnotices { from = \"a@b.c\n}\n"
		 "rule encryption { except-networks = { a } enforce = always }\n"
		 "rule protocol { services = 'pop3\n enforce = 'always\n}\n",
		 "1: missing closing quote\n"
		 "3: missing closing quote\n"
		 "6: missing closing quote\n"
		 "7: missing closing quote\n"},
		/* Where braces are missing or too many */
		{"rule encryption\n enforce = soon\n}\nstore = x\n",
		 "1: missing opening brace for section 'rule'\n"
		 "2: enforce: 'soon': a date is YYYY-MM-DD or YYYY-MM-DD HH:MM\n"
		 "4: store: must be sqlite:/PATH or postgresql://...\n"},
		{"rule encryption { enforce = soon }\n}\nstore = x\n",
		 "1: enforce: 'soon': a date is YYYY-MM-DD or YYYY-MM-DD HH:MM\n"
		 "2: unexpected closing brace\n"
		 "3: store: must be sqlite:/PATH or postgresql://...\n"},
		{"rule encryption {\n enforce = = { always } }\nstore = x\n",
		 "2: unexpected '='\n"
		 "3: store: must be sqlite:/PATH or postgresql://...\n"},
		{"rule encryption {\n enforce = always\nrule mechanism {\n enforce = soon\n}\n"
		 "store = x\n",
		 "1: missing closing brace for section 'rule'\n"
		 "4: enforce: 'soon': a date is YYYY-MM-DD or YYYY-MM-DD HH:MM\n"
		 "6: store: must be sqlite:/PATH or postgresql://...\n"},
		{"rule encryption {\n enforce = always\n}\nrule encryption\n enforce = always\n}\n"
		 "store = x\n",
		 "4: missing opening brace for section 'rule'\n"
		 "7: store: must be sqlite:/PATH or postgresql://...\n"},
		/* What was meant for a key makes it no missing one. */
		{"rule encryption {\n+ enforce = always\n}\n", "2: unexpected '+'\n"},
		{"rule encryption {\n enfo+rce = always\n}\n",
		 "2: missing equals sign after 'enfo'\n"},
		{"rule encryption {\n enforc = always\n}\n", "2: unknown key 'enforc' in a rule\n"},
		{"rule x {\n kind + = mechanism\n enforce = soon\n}\n",
		 "2: missing equals sign after 'kind'\n"
		 "3: enforce: 'soon': a date is YYYY-MM-DD or YYYY-MM-DD HH:MM\n"},
		{"rule x {\n kind = mech+anism\n enforce = soon\n}\n",
		 "2: unexpected '+'\n"
		 "3: enforce: 'soon': a date is YYYY-MM-DD or YYYY-MM-DD HH:MM\n"},
		{"+ rule encryption {\n enforce = soon\n}\n",
		 "1: unexpected '+'\n"
		 "2: enforce: 'soon': a date is YYYY-MM-DD or YYYY-MM-DD HH:MM\n"},
		{"rule + encryption {\n enforce = soon\n}\n",
		 "1: unexpected '+'\n"
		 "2: enforce: 'soon': a date is YYYY-MM-DD or YYYY-MM-DD HH:MM\n"},
		{"rule encryption {\n brownouts = \"2024-08-20 10:00\" +4h\n notify = always\n}\n",
		 "2: unexpected '+'\n"},
		{"country-database + = /a\nrule country { allow = { DE } enforce = always }\n",
		 "1: missing equals sign after 'country-database'\n"},
		/* A value that is wrong makes no other one wrong. */
		{"organisation = \"a\\nb\"\nnotices { from = \"a@example.org\" }\n",
		 "1: organisation: must be one line of UTF-8 text\n"},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct said said;

		assert_null(load(cases[i].text, &said));
		if (strcmp(said.errors, cases[i].errors) != 0)
			fail_msg("\n%s\n-- should be refused with\n%s-- and was with\n%s",
				 cases[i].text, cases[i].errors, said.errors);
	}
}

/* Nothing of a file that was refused is left over for the next one. */
static void test_after_an_error_all_is_well(void **state)
{
	struct said said;
	(void)state;

	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_null(load(wrong[i].text, &said));
		policy_free(load_valid("rule encryption { enforce = \"always\" }"));
	}
}

static void test_messages_and_urls_are_short(void **state)
{
	char text[1024], message[MESSAGE_LENGTH_MAX + 2] = "";
	struct said said;
	(void)state;

	memset(message, 'x', MESSAGE_LENGTH_MAX);
	snprintf(text, sizeof(text), "rule encryption { enforce = always message = \"%s\" }",
		 message);
	policy_free(load_valid(text));
	message[MESSAGE_LENGTH_MAX] = 'x';
	snprintf(text, sizeof(text), "rule encryption { enforce = always message = \"%s\" }",
		 message);
	assert_null(load(text, &said));
	assert_string_equal(said.errors, "1: message: must not be longer than 300 bytes\n");
	message[HELP_URL_LENGTH_MAX] = '\0';
	snprintf(text, sizeof(text), "help-url = \"https://%s\"", message);
	assert_null(load(text, &said));
	assert_string_equal(said.errors, "1: help-url: must not be longer than 120 bytes, because "
					 "every message to a mail program ends with it\n");
}

static void test_number_of_rules(void **state)
{
	char text[8192] = "";
	struct policy *policy;
	struct said said;
	(void)state;

	for (int i = 1; i <= RULES_MAX; i++) {
		size_t length = strlen(text);

		snprintf(text + length, sizeof(text) - length,
			 "rule r%d { kind = encryption enforce = always }\n", i);
	}
	policy = load_valid(text);
	assert_int_equal(policy->rule_count, RULES_MAX);
	policy_free(policy);
	strcat(text, "rule more { kind = encryption enforce = always }\n");
	assert_null(load(text, &said));
	assert_string_equal(said.errors, "65: there are more than 64 rules\n");
}

#define NOTICES "notices { from = \"a@example.org\" }\n"

static void test_warnings(void **state)
{
	static const struct {
		const char *text;
		const char *warnings;
	} cases[] = {
		{"rule encryption { notify = 2024-06-01 enforce = 2024-09-01\n"
		 " brownouts = { \"2024-05-31 23:00 +2h\", \"2024-06-01 +24h\",\n"
		 " \"2024-08-31 23:00 +1h\", \"2024-08-31 23:00 +61m\" } }",
		 "2: brownouts: '2024-05-31 23:00 +2h' is not entirely within the rule's notify "
		 "phase, and has no effect outside it\n"
		 "3: brownouts: '2024-08-31 23:00 +61m' is not entirely within the rule's notify "
		 "phase, and has no effect outside it\n"},
		{"rule encryption { enforce = 2024-09-01\n"
		 " brownouts = { \"2024-08-01 10:00 +2h\" } }",
		 "2: brownouts: '2024-08-01 10:00 +2h' is not entirely within the rule's notify "
		 "phase, and has no effect outside it\n"},
		{"rule encryption { notify = 2024-06-01\n"
		 " brownouts = { \"2034-08-01 10:00 +2h\" } }",
		 ""},
		{NOTICES "rule encryption { observe = 2024-06-01 notify = 2024-08-01\n"
			 " enforce = 2024-08-31 grace = 90d }",
		 ""},
		{NOTICES "rule encryption { observe = 2024-06-03 notify = 2024-08-01\n"
			 " enforce = 2024-08-31 grace = 90d }",
		 "3: grace: everybody is given it who is seen before 'enforce', since the rule's "
		 "first phase begins no longer before that\n"},
		{NOTICES "rule encryption { enforce = 2024-08-31 grace = 90d }", ""},
		{"rule encryption { observe = 2024-01-01 enforce = 2024-08-31 grace = 90d }",
		 "1: grace: nobody is given it without mails, and notices have no 'from'\n"},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct said said;
		struct policy *policy = load(cases[i].text, &said);

		assert_non_null(policy);
		assert_string_equal(said.errors, "");
		assert_string_equal(said.warnings, cases[i].warnings);
		policy_free(policy);
	}
}

/* As editors of other systems write it. */
static void test_crlf_and_byte_order_mark(void **state)
{
	struct policy *policy = load_valid("\xef\xbb\xbforganisation = \"x\" # comment\r\n"
					   "rule encryption {\r\n enforce = \"always\"\r\n}\r\n");
	(void)state;

	assert_string_equal(policy->organisation, "x");
	policy_free(policy);
}

static void test_unreadable_files(void **state)
{
	struct said said = {0};
	char config[64];
	(void)state;

	write_text("# one\n\0", 7);
	assert_null(config_load(path, note_error, note_warning, &said));
	assert_string_equal(said.errors, "2: the file contains a NUL byte\n");

	memcpy(config, path, sizeof(path));
	said.errors[0] = '\0';
	snprintf(path, sizeof(path), "%s/none", directory);
	assert_null(config_load(path, note_error, note_warning, &said));
	assert_string_equal(said.errors, " No such file or directory\n");

	said.errors[0] = '\0';
	snprintf(path, sizeof(path), "%s", directory);
	assert_null(config_load(path, note_error, note_warning, &said));
	assert_string_equal(said.errors, " Is a directory\n");
	memcpy(path, config, sizeof(path));
}

/* Deep nesting costs no stack, many errors no time. */
static void test_huge_files(void **state)
{
	static const char *const parts[] = {
		"a { ", "rule encryption { ",   "organisation = { ", "a = 1\n",
		"\"",   "rule x { kind = 1 }\n"};
	struct said said;
	(void)state;

	for (size_t i = 0; i < COUNT(parts); i++) {
		size_t length = strlen(parts[i]), size = (size_t)rounds(20000) * length;
		char *text = malloc(size + 1);

		assert_non_null(text);
		for (size_t at = 0; at < size; at += length)
			memcpy(text + at, parts[i], length);
		text[size] = '\0';
		assert_null(load(text, &said));
		assert_true(said.errors[0] != '\0');
		free(text);
	}
}

static void count_error(void *context, const char *message)
{
	(void)message;
	++*(unsigned int *)context;
}

/* A file that was damaged anyhow is refused with an error, or it is a policy. */
static void test_mutations(void **state)
{
	static const char *const pieces[] = {"{",  "}", "\"",   "'",  "=",  "+=", "\n",   "#",
					     "/*", ",", "rule", "\\", "${", "*",  "\xff", "always"};
	unsigned int seed = 20240920;
	(void)state;

	for (int round = 0; round < rounds(1500); round++) {
		char text[sizeof(site) * 2];
		size_t length = sizeof(site) - 1;
		unsigned int errors = 0;
		struct policy *policy;

		memcpy(text, site, sizeof(site));
		for (int change = rand_r(&seed) % 4; change >= 0; change--) {
			const char *piece = pieces[rand_r(&seed) % COUNT(pieces)];
			size_t at = (size_t)rand_r(&seed) % length;
			size_t cut = (size_t)rand_r(&seed) % 20;

			if (cut > length - at)
				cut = length - at;
			if (rand_r(&seed) % 2 == 0)
				piece = "";
			memmove(text + at + strlen(piece), text + at + cut, length - at - cut);
			memcpy(text + at, piece, strlen(piece));
			length = length - cut + strlen(piece);
		}
		write_text(text, length);
		policy = config_load(path, count_error, NULL, &errors);
		assert_true((policy == NULL) == (errors > 0));
		policy_free(policy);
	}
}

static void *load_often(void *context)
{
	unsigned int errors = 0;

	for (int i = 0; i < rounds(200); i++) {
		struct policy *policy = config_load(context, count_error, NULL, &errors);

		if (policy == NULL || policy->rule_count != 5)
			errors++;
		policy_free(policy);
	}
	return (void *)(uintptr_t)errors;
}

/* Two gates in one Dovecot have a thread each that reads its file. */
static void test_two_threads(void **state)
{
	pthread_t threads[2];
	(void)state;

	write_text(site, sizeof(site) - 1);
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, load_often, path), 0);
	for (size_t i = 0; i < COUNT(threads); i++) {
		void *errors;

		assert_int_equal(pthread_join(threads[i], &errors), 0);
		assert_null(errors);
	}
}

static void test_country_codes(void **state)
{
	static const char *const some[] = {"DE", "AD", "ZW", "GB", "XK", "SS", "BQ"};
	static const char *const none[] = {"", "D", "de", "UK", "EU", "XX", "AN", "DEU", "EA"};
	int count = 0;
	(void)state;

	for (size_t i = 0; i < COUNT(some); i++)
		assert_true(country_code_exists(some[i]));
	for (size_t i = 0; i < COUNT(none); i++)
		assert_false(country_code_exists(none[i]));
	for (char first = 'A'; first <= 'Z'; first++) {
		for (char second = 'A'; second <= 'Z'; second++)
			count += country_code_exists((char[]){first, second, '\0'});
	}
	assert_int_equal(count, 250); /* ISO 3166-1 has 249 */
}

static void test_utf8(void **state)
{
	static const struct {
		const char *text;
		size_t length;
	} cases[] = {
		{"", 0},
		{"a", 1},
		{"\xc3\xa4", 2},
		{"\xe2\x82\xac", 3},
		{"\xf0\x9f\x98\x80", 4},
		{"\xf4\x8f\xbf\xbf", 4},
		{"\x80", 0},             /* a continuation byte */
		{"\xc1\x81", 0},         /* longer than need be */
		{"\xe0\x9f\xbf", 0},     /* the same */
		{"\xf0\x8f\xbf\xbf", 0}, /* the same */
		{"\xed\xa0\x80", 0},     /* a surrogate */
		{"\xf4\x90\x80\x80", 0}, /* behind U+10FFFF */
		{"\xf5\x80\x80\x80", 0}, /* the same */
		{"\xc3", 0},             /* cut short */
		{"\xe2\x82", 0},
		{"\xf0\x9f\x98", 0},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(utf8_length(cases[i].text), cases[i].length);
	assert_true(utf8_is_line("Universit\xc3\xa4t\xc2\xa0X"));
	assert_false(utf8_is_line("a\tb"));
	assert_false(utf8_is_line("a\x7f"));
	assert_false(utf8_is_line("a\xc2\x85"));
	assert_false(utf8_is_line("caf\xe9"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_site),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_defaults_of_kinds),
		cmocka_unit_test(test_defaults_of_options),
		cmocka_unit_test(test_grace),
		cmocka_unit_test(test_default_messages),
		cmocka_unit_test(test_messages_of_mechanisms),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_many_errors_in_one_run),
		cmocka_unit_test(test_reading_on),
		cmocka_unit_test(test_after_an_error_all_is_well),
		cmocka_unit_test(test_messages_and_urls_are_short),
		cmocka_unit_test(test_number_of_rules),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_crlf_and_byte_order_mark),
		cmocka_unit_test(test_unreadable_files),
		cmocka_unit_test(test_huge_files),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_two_threads),
		cmocka_unit_test(test_country_codes),
		cmocka_unit_test(test_utf8),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
