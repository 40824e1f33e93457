#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/config.h"
#include "policy/mail-address.h"

static char path[] = "/tmp/portcullis-notices.XXXXXX";

static void note(void *context, const char *message)
{
	char *errors = context;
	size_t length = strlen(errors);

	snprintf(errors + length, 4096 - length, "%s\n", message + strlen(path) + 1);
}

static struct policy *load(const char *sections, char errors_r[static 4096])
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fprintf(file, "organisation = \"Uni\"\nrule encryption { enforce = \"2030-01-01\" }\n%s",
		sections);
	assert_int_equal(fclose(file), 0);
	errors_r[0] = '\0';
	return config_load(path, note, NULL, errors_r);
}

static struct policy *load_valid(const char *sections)
{
	char errors[4096];
	struct policy *policy = load(sections, errors);

	assert_string_equal(errors, "");
	assert_non_null(policy);
	return policy;
}

static void test_defaults(void **state)
{
	struct policy *policy = load_valid("");
	const struct notice_settings *notices = &policy->notices;

	(void)state;
	assert_false(notices_are_configured(notices));
	assert_int_equal(notices->language_count, 2);
	assert_string_equal(notices->languages[0], "de");
	assert_string_equal(notices->languages[1], "en");
	assert_int_equal(notices->remind_every, 14 * 86400);
	assert_int_equal(notices->last_call_count, 2);
	assert_int_equal(notices->last_calls[0], 7 * 86400);
	assert_int_equal(notices->last_calls[1], 86400);
	assert_false(notices->confirm_fixed);
	assert_int_equal(notices->max_per_run, 0);
	assert_int_equal(notices->max_per_hour, 2000);
	assert_int_equal(notices->quiet_hours.begin, 20 * 60);
	assert_int_equal(notices->quiet_hours.end, 7 * 60);
	assert_int_equal(notices->transport.kind, TRANSPORT_SENDMAIL);
	assert_string_equal(notices->transport.path, "/usr/sbin/sendmail");
	assert_string_equal(notices->texts, "/etc/portcullis/notices");
	assert_string_equal(notices->from_name, "Uni");
	assert_int_equal(policy->client_settings.imap_port, 993);
	assert_int_equal(policy->client_settings.pop3_port, 995);
	assert_int_equal(policy->client_settings.smtp_port, 465);
	assert_null(policy->client_settings.imap_server);
	policy_free(policy);
}

static void test_all_set(void **state)
{
	struct policy *policy =
		load_valid("notices {\n"
			   "  from = \"Mail-Team M\xc3\xbcnchen <mail@example.org>\"\n"
			   "  reply-to = \"help@example.org\"\n"
			   "  contact = \"Raum 17\"\n"
			   "  languages = { \"en\", \"fr\" }\n"
			   "  remind-every = \"12h\"\n"
			   "  last-calls = { \"30m\", \"3d\" }\n"
			   "  confirm-fixed = true\n"
			   "  max-per-run = 100\n"
			   "  max-per-hour = 0\n"
			   "  quiet-hours = \"never\"\n"
			   "  transport = \"lmtp:unix:/run/dovecot/lmtp\"\n"
			   "  address-map = \"command:/usr/local/bin/address\"\n"
			   "  texts = \"/srv/texts\"\n"
			   "}\n"
			   "client-settings {\n"
			   "  imap-server = \"imap.example.org\" imap-port = 1993\n"
			   "  pop3-server = \"pop3.example.org\"\n"
			   "  smtp-server = \"smtp.example.org\" smtp-port = 587\n"
			   "  user-name = { \"your whole address\", \"votre adresse\" }\n"
			   "  webmail-url = \"https://webmail.example.org/\"\n"
			   "  vpn-url = \"https://vpn.example.org/\"\n"
			   "}\n");
	const struct notice_settings *notices = &policy->notices;

	(void)state;
	assert_true(notices_are_configured(notices));
	assert_string_equal(notices->from, "mail@example.org");
	assert_string_equal(notices->from_name, "Mail-Team M\xc3\xbcnchen");
	assert_string_equal(notices->reply_to, "help@example.org");
	assert_string_equal(notices->contact, "Raum 17");
	assert_int_equal(notices->language_count, 2);
	assert_string_equal(notices->languages[1], "fr");
	assert_int_equal(notices->remind_every, 12 * 3600);
	assert_int_equal(notices->last_calls[0], 3 * 86400);
	assert_int_equal(notices->last_calls[1], 30 * 60);
	assert_true(notices->confirm_fixed);
	assert_int_equal(notices->max_per_run, 100);
	assert_int_equal(notices->max_per_hour, 0);
	assert_int_equal(notices->quiet_hours.begin, notices->quiet_hours.end);
	assert_int_equal(notices->transport.kind, TRANSPORT_LMTP);
	assert_string_equal(notices->transport.path, "/run/dovecot/lmtp");
	assert_int_equal(notices->address_map_kind, ADDRESS_MAP_COMMAND);
	assert_string_equal(notices->address_map, "/usr/local/bin/address");
	assert_string_equal(notices->texts, "/srv/texts");
	assert_int_equal(policy->client_settings.imap_port, 1993);
	assert_int_equal(policy->client_settings.smtp_port, 587);
	assert_int_equal(policy->client_settings.imap_line, 19);
	assert_int_equal(policy->client_settings.smtp_line, 21);
	assert_string_equal(policy_user_name(policy, "en"), "your whole address");
	assert_string_equal(policy_user_name(policy, "fr"), "votre adresse");
	assert_string_equal(policy_user_name(policy, "de"), "your whole address");
	policy_free(policy);
}

static void test_transports(void **state)
{
	static const struct {
		const char *text;
		enum transport_kind kind;
		const char *host;
		uint16_t port;
		const char *path;
	} cases[] = {
		{"sendmail:/usr/lib/sendmail", TRANSPORT_SENDMAIL, NULL, 0, "/usr/lib/sendmail"},
		{"smtp://mx1.example.org", TRANSPORT_SMTP, "mx1.example.org", 25, NULL},
		{"smtp://127.0.0.1:2525", TRANSPORT_SMTP, "127.0.0.1", 2525, NULL},
		{"smtp://[::1]:2525", TRANSPORT_SMTP, "::1", 2525, NULL},
		{"lmtp://[2001:db8::1]", TRANSPORT_LMTP, "2001:db8::1", 24, NULL},
		{"lmtp:unix:/run/lmtp", TRANSPORT_LMTP, NULL, 0, "/run/lmtp"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct transport_settings *transport;
		struct policy *policy;
		char section[256];

		snprintf(section, sizeof(section),
			 "notices { from = \"a@b.c\" transport = \"%s\" }\n", cases[i].text);
		policy = load_valid(section);
		transport = &policy->notices.transport;
		assert_int_equal(transport->kind, cases[i].kind);
		assert_int_equal(transport->port, cases[i].port);
		if (cases[i].host != NULL)
			assert_string_equal(transport->host, cases[i].host);
		else
			assert_null(transport->host);
		if (cases[i].path != NULL)
			assert_string_equal(transport->path, cases[i].path);
		else
			assert_null(transport->path);
		policy_free(policy);
	}
}

static void test_errors(void **state)
{
	static const struct {
		const char *sections;
		const char *errors;
	} cases[] = {
		{"notices { }\n", "3: notices need a sender: from = \"postmaster@example.org\"\n"},
		{"notices {\n from = \"nobody\" }\n",
		 "4: from: 'nobody': must be an address, or a name and <address>\n"},
		{"notices {\n from = \"A <a@b.c\" }\n",
		 "4: from: 'A <a@b.c': must be an address, or a name and <address>\n"},
		{"notices {\n from = \"a@b.c\\nBcc: x@y.z\" }\n",
		 "4: from: 'a@b.c?Bcc: x@y.z': must be an address, or a name and <address>\n"},
		{"notices { from = \"a@b.c\"\n languages = { \"../../x\", \"de\", \"de\" } }\n",
		 "4: languages: '../../x': must be a language code such as \"de\" or \"en\"\n"
		 "4: languages: 'de': listed twice\n"},
		{"notices { from = \"a@b.c\"\n remind-every = \"14\"\n last-calls = { \"1w\" } }\n",
		 "4: remind-every: '14': must be \"never\" or at least an hour, as in \"14d\"\n"
		 "5: last-calls: '1w': must be a number followed by m, h or d, as in \"14d\"\n"},
		{"notices { from = \"a@b.c\"\n remind-every = \"59m\"\n"
		 " last-calls = { \"0m\", \"3651d\" } }\n",
		 "4: remind-every: '59m': must be \"never\" or at least an hour, as in \"14d\"\n"
		 "5: last-calls: '0m': must be a number followed by m, h or d, as in \"14d\"\n"
		 "5: last-calls: '3651d': must be a number followed by m, h or d, as in \"14d\"\n"},
		{"notices { from = \"a@b.c\"\n quiet-hours = \"20-7\"\n max-per-run = many }\n",
		 "4: quiet-hours: '20-7': must be two times of day, as in \"20:00-07:00\", or "
		 "\"never\"\n"
		 "5: max-per-run: 'many': must be a number (0 means no limit)\n"},
		{"notices { from = \"a@b.c\"\n transport = \"smtp://:25\" }\n",
		 "4: transport: 'smtp://:25': must be sendmail:/PATH, smtp://HOST:PORT, "
		 "lmtp://HOST:PORT or lmtp:unix:/PATH\n"},
		{"notices { from = \"a@b.c\" }\nnotices { from = \"a@b.c\" }\n",
		 "4: there is already a 'notices' on line 3\n"},
		{"notices { from = \"a@b.c\"\n domains = { \"example.org\",\n \"a b\", "
		 "\"x@example.org\" } }\n",
		 "5: domains: 'a b': must be a domain such as \"example.org\", file:/PATH or any\n"
		 "5: domains: 'x@example.org': must be a domain such as \"example.org\", "
		 "file:/PATH or any\n"},
		{"notices { from = \"a@b.c\"\n domains = { \"any\", \"example.org\" } }\n",
		 "4: domains: 'any': must stand alone\n"},
		{"notices { from = \"a@b.c\"\n domains = \"file:domains\" }\n",
		 "4: domains: 'file:domains': must be file:/PATH\n"},
		{"notices { from = \"a@b.c\"\n domains = {} }\n",
		 "4: 'domains' is an empty list\n"},
		{"client-settings {\n imap-server = \"a b\"\n smtp-port = 70000\n"
		 " webmail-url = \"http://x\" }\n",
		 "4: imap-server: 'a b': not the name of a server\n"
		 "5: smtp-port: '70000': it is not a port (1 to 65535)\n"
		 "6: webmail-url: 'http://x': must begin with https:// and be printable ASCII "
		 "without spaces\n"},
		{"client-settings {\n user-name = { \"a\", \"b\", \"c\" } }\n",
		 "4: user-name: must be one text, or one for each of the 2 languages\n"},
		{"client-settings {\n user-name = { \"a\",\n \"\" } }\n",
		 "5: user-name: must be one line of UTF-8 text\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char errors[4096];

		assert_null(load(cases[i].sections, errors));
		assert_string_equal(errors, cases[i].errors);
	}
}

static void test_domains(void **state)
{
	struct policy *policy = load_valid("notices { from = \"a@b.c\"\n"
					   "  domains = { \"example.org\", \"Example.COM\" } }\n");
	const struct notice_settings *notices = &policy->notices;

	(void)state;
	assert_int_equal(notices->domain_count, 2);
	assert_string_equal(notices->domains[0], "example.org");
	assert_string_equal(notices->domains[1], "Example.COM");
	assert_false(notices->any_domain);
	assert_null(notices->domains_file);
	policy_free(policy);
	policy = load_valid("notices { from = \"a@b.c\" domains = \"any\" }\n");
	assert_true(policy->notices.any_domain);
	assert_int_equal(policy->notices.domain_count, 0);
	policy_free(policy);
	policy = load_valid("notices { from = \"a@b.c\" domains = { \"file:/etc/domains\" } }\n");
	assert_string_equal(policy->notices.domains_file, "/etc/domains");
	assert_false(policy->notices.any_domain);
	policy_free(policy);
}

static void test_quiet_hours(void **state)
{
	const struct quiet_hours night = {20 * 60, 7 * 60}, noon = {12 * 60, 13 * 60}, never = {0};
	const struct {
		int hour, minute;
		bool night, noon;
	} cases[] = {{19, 59, false, false}, {20, 0, true, false}, {0, 0, true, false},
		     {6, 59, true, false},   {7, 0, false, false}, {12, 0, false, true},
		     {12, 59, false, true},  {13, 0, false, false}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct tm local = {.tm_year = 126,
				   .tm_mon = 5,
				   .tm_mday = 1,
				   .tm_hour = cases[i].hour,
				   .tm_min = cases[i].minute,
				   .tm_isdst = -1};
		time_t now = mktime(&local);

		assert_int_equal(quiet_hours_contain(&night, now), cases[i].night);
		assert_int_equal(quiet_hours_contain(&noon, now), cases[i].noon);
		assert_false(quiet_hours_contain(&never, now));
	}
}

static void test_addresses(void **state)
{
	static const char *const valid[] = {"a@b",
					    "alice@example.org",
					    "a.b+c@sub.example.org",
					    "\"old scanner\"@example.org",
					    "\"a\\\"b\"@example.org",
					    "-f@example.org"};
	static const char *const invalid[] = {
		"",         "a",           "@b",    "a@",         "a b@example.org",
		"a@b c",    "a@b\r\nX: y", "a\n@b", "a..b@c",     ".a@b",
		"a@-b",     "a@b.",        "a@b@c", "\"a@b",      "a@[127.0.0.1]",
		"<a@b>",    "a@b>",        "a,b@c", "\"a\nb\"@c", "m\xc3\xbcller@example.org",
		"\"a\\\"@b"};

	(void)state;
	for (size_t i = 0; i < COUNT(valid); i++)
		assert_true(mail_address_is_valid(valid[i]));
	for (size_t i = 0; i < COUNT(invalid); i++) {
		if (mail_address_is_valid(invalid[i]))
			fail_msg("'%s' is taken for an address", invalid[i]);
	}
}

static void test_address_of_user(void **state)
{
	static const struct {
		const char *user, *address; /* NULL: none */
	} cases[] = {{"alice@example.org", "alice@example.org"},
		     {"old scanner@example.org", "\"old scanner\"@example.org"},
		     {"a\"b\\c@example.org", "\"a\\\"b\\\\c\"@example.org"},
		     {"a@b@example.org", "\"a@b\"@example.org"},
		     {"a>\nBcc: x@example.org", NULL},
		     {"m\xc3\xbcller@example.org", NULL},
		     {"alice", NULL},
		     {"@example.org", NULL},
		     {"alice@exa mple.org", NULL}};
	char address[MAIL_ADDRESS_SIZE], user[MAIL_ADDRESS_SIZE * 2];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool found = mail_address_from_user(cases[i].user, address);

		assert_int_equal(found, cases[i].address != NULL);
		if (found)
			assert_string_equal(address, cases[i].address);
	}
	for (size_t length = 1; length < 400; length++) {
		memset(user, '"', length);
		strcpy(user + length, "@example.org");
		if (mail_address_from_user(user, address))
			assert_true(mail_address_is_valid(address));
	}
}

static int make_file(void **state)
{
	int file = mkstemp(path);

	(void)state;
	return file < 0 ? -1 : close(file);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),   cmocka_unit_test(test_all_set),
		cmocka_unit_test(test_transports), cmocka_unit_test(test_domains),
		cmocka_unit_test(test_errors),     cmocka_unit_test(test_quiet_hours),
		cmocka_unit_test(test_addresses),  cmocka_unit_test(test_address_of_user),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
