#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/delivery/address-map.h"
#include "admin/delivery/message-id.h"

static char path[] = "/tmp/portcullis-addresses.XXXXXX";

static void note(void *context, const char *message)
{
	char *said = context;
	size_t length = strlen(said);

	snprintf(said + length, 1024 - length, "%s\n", message + strlen(path));
}

static void note_whole(void *context, const char *message)
{
	snprintf(context, 1024, "%s\n", message);
}

static void write_file(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0700), 0);
}

static void assert_finds(struct address_map *map, const char *user, const char *expected)
{
	char address[MAIL_ADDRESS_SIZE];
	const char *error;
	enum address_found found = address_map_find(map, user, address, &error);

	assert_int_equal(found, expected == NULL ? ADDRESS_NONE : ADDRESS_FOUND);
	if (expected != NULL)
		assert_string_equal(address, expected);
}

static void assert_fails(struct address_map *map, const char *user)
{
	char address[MAIL_ADDRESS_SIZE];
	const char *error = "";

	assert_int_equal(address_map_find(map, user, address, &error), ADDRESS_FAILED);
	assert_true(strlen(error) > 0);
}

static void test_without_a_map(void **state)
{
	struct policy policy = {.notices.any_domain = true};
	struct address_map *map = address_map_open(&policy, note, NULL);

	(void)state;
	assert_finds(map, "alice@example.org", "alice@example.org");
	assert_finds(map, "alice", NULL);
	assert_finds(map, "a\nBcc: x@example.org", NULL);
	address_map_close(map);
}

static void test_file(void **state)
{
	struct policy policy = {
		.default_domain = "example.org",
		.notices = {.address_map_kind = ADDRESS_MAP_FILE, .address_map = path}};
	struct address_map *map;
	char said[1024] = "";

	(void)state;
	write_file("# users and addresses\n\n"
		   "Alice \t alice.liddell@example.net\n"
		   "bob@example.com b@example.net\n"
		   "old scanner@example.org  scanner@example.net\n"
		   "carol\n"
		   "dave not an address\n"
		   "alice second@example.net");
	map = address_map_open(&policy, note, said);
	assert_non_null(map);
	assert_string_equal(said, ":6: no address after the user name\n"
				  ":7: invalid mail address\n"
				  ":8: duplicate user; the last line counts\n");
	assert_finds(map, "alice@example.org", "second@example.net");
	assert_finds(map, "bob@example.com", "b@example.net");
	assert_finds(map, "old scanner@example.org", "scanner@example.net");
	assert_finds(map, "dave@example.org", "dave@example.org");
	address_map_close(map);
}

static void assert_outside(struct address_map *map, const char *user)
{
	char address[MAIL_ADDRESS_SIZE];
	const char *error;

	assert_int_equal(address_map_find(map, user, address, &error), ADDRESS_OUTSIDE);
}

/* Whose accounts are written to, and that nothing but the file of addresses is above it. */
static void test_domains(void **state)
{
	char *listed[] = {"example.org", "Example.COM"};
	struct policy policy = {.notices = {.domains = listed, .domain_count = 2}};
	struct address_map *map = address_map_open(&policy, note, NULL);

	(void)state;
	assert_finds(map, "alice@example.org", "alice@example.org");
	assert_finds(map, "alice@example.com", "alice@example.com");
	assert_outside(map, "mallory@victim.example");
	assert_outside(map, "mallory@sub.example.org");
	assert_outside(map, "mallory@example.org.victim.example");
	assert_outside(map, "a@example.org@victim.example");
	assert_outside(map, "a@");
	assert_finds(map, "alice", NULL);
	address_map_close(map);

	/* A command that says whatever it is asked would say that, too. */
	write_file("#!/bin/sh\nexec sed -u 's/^uid17$/alice@example.net/'\n");
	policy.notices.address_map_kind = ADDRESS_MAP_COMMAND;
	policy.notices.address_map = path;
	map = address_map_open(&policy, note, NULL);
	assert_finds(map, "alice@example.org", "alice@example.org");
	assert_finds(map, "uid17", "alice@example.net");
	assert_outside(map, "mallory@victim.example");
	address_map_close(map);

	/* In a file it is the operator's word. */
	write_file("alice@example.org alice@private.example\n"
		   "partner@partner.example p@private.example\n");
	policy.notices.address_map_kind = ADDRESS_MAP_FILE;
	map = address_map_open(&policy, note, NULL);
	assert_finds(map, "alice@example.org", "alice@private.example");
	assert_finds(map, "partner@partner.example", "p@private.example");
	assert_outside(map, "mallory@partner.example");
	address_map_close(map);
}

static void test_domains_by_default(void **state)
{
	struct policy policy = {
		.default_domain = "Example.org", .file = "/etc/p.conf", .notices.line = 7};
	struct address_map *map = address_map_open(&policy, note, NULL);
	char said[1024] = "";

	(void)state;
	assert_finds(map, "alice@example.org", "alice@example.org");
	assert_outside(map, "alice@example.com");
	address_map_close(map);

	policy.default_domain = NULL;
	assert_null(address_map_open(&policy, note_whole, said));
	assert_string_equal(said, "/etc/p.conf:7: notices need to know whose accounts are written "
				  "to: domains = { \"example.org\" }, or default-domain\n");
}

static void test_domains_in_a_file(void **state)
{
	struct policy policy = {.default_domain = "example.net", .notices.domains_file = path};
	struct address_map *map;
	char said[1024] = "";

	(void)state;
	write_file("# As Postfix reads it\n\nexample.org\n  Example.COM\tOK\nno_domain\n");
	map = address_map_open(&policy, note, said);
	assert_string_equal(said, ":5: not the name of a domain\n");
	assert_finds(map, "alice@example.org", "alice@example.org");
	assert_finds(map, "alice@example.com", "alice@example.com");
	assert_outside(map, "alice@example.net");
	address_map_close(map);
	/* As Windows writes it, and with what is no ASCII in DNS' way of writing it. */
	write_file("\xef\xbb\xbf"
		   "example.org\r\nXN--BCHER-KVA.example\r\n");
	said[0] = '\0';
	map = address_map_open(&policy, note, said);
	assert_string_equal(said, "");
	assert_finds(map, "alice@example.org", "alice@example.org");
	assert_finds(map, "a@xn--bcher-kva.example", "a@xn--bcher-kva.example");
	assert_outside(map, "a@b\xc3\xbc"
			    "cher.example");
	address_map_close(map);
	policy.notices.domains_file = "/nonexistent/domains";
	assert_null(address_map_open(&policy, note_whole, said));
	assert_string_equal(said, "/nonexistent/domains: No such file or directory\n");
}

/* Nobody would be told anything, and nobody notice. */
static void test_no_domain_in_a_file(void **state)
{
	static const char *const texts[] = {"", "\n \n# example.org\n", "\xef\xbb\xbf",
					    "@example.org\n", "example.org, example.com\n"};
	struct policy policy = {.default_domain = "example.org", .notices.domains_file = path};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		char said[1024] = "";

		write_file(texts[i]);
		assert_null(address_map_open(&policy, note, said));
		assert_non_null(strstr(said, ": there is no domain in it\n"));
	}
}

static void test_missing_file(void **state)
{
	char missing[80], said[1024] = "";
	struct policy policy = {.notices = {.any_domain = true,
					    .address_map_kind = ADDRESS_MAP_FILE,
					    .address_map = missing}};

	(void)state;
	snprintf(missing, sizeof(missing), "%s.missing", path);
	assert_null(address_map_open(&policy, note, said));
	assert_non_null(strstr(said, "No such file"));
}

static void test_command(void **state)
{
	struct policy policy = {.notices = {.any_domain = true,
					    .address_map_kind = ADDRESS_MAP_COMMAND,
					    .address_map = path}};
	struct address_map *map;

	(void)state;
	write_file("#!/bin/sh\n"
		   "while read -r user; do case $user in\n"
		   "alice@*) echo a@example.net ;;\n"
		   "odd@*) echo 'no address' ;;\n"
		   "two@*) printf 'a@b\\nc@d\\n' ;;\n"
		   "long@*) printf '%01000d\\n' 1 ;;\n"
		   "gone@*) exit 0 ;;\n"
		   "*) echo ;; esac; done\n");
	map = address_map_open(&policy, note, NULL);
	for (int i = 0; i < 100; i++)
		assert_finds(map, "alice@example.org", "a@example.net");
	assert_finds(map, "nobody@example.org", NULL);
	assert_finds(map, "odd@example.org", NULL);
	assert_finds(map, "a\nalice@example.org", NULL);
	assert_finds(map, "alice@example.org", "a@example.net");
	address_map_close(map);

	for (size_t i = 0; i < 3; i++) {
		static const char *const users[] = {"two@x", "long@x", "gone@x"};

		map = address_map_open(&policy, note, NULL);
		assert_fails(map, users[i]);
		/* Answers may be out of step then: none is believed any more. */
		assert_fails(map, "alice@example.org");
		address_map_close(map);
	}
}

/* What the caller has open and in its environment is no matter of the command's. */
static void test_command_inherits_nothing(void **state)
{
	struct policy policy = {.notices = {.any_domain = true,
					    .address_map_kind = ADDRESS_MAP_COMMAND,
					    .address_map = path}};
	struct address_map *map = address_map_open(&policy, note, NULL);
	int file = dup2(STDERR_FILENO, 77);

	(void)state;
	assert_int_equal(file, 77);
	assert_int_equal(setenv("SECRET", "x", 1), 0);
	assert_int_equal(setenv("PATH", "/tmp:/usr/bin:/bin", 1), 0);
	write_file("#!/bin/sh\n"
		   "while read -r user; do\n"
		   "[ -e /proc/$$/fd/0 ] && [ ! -e /proc/$$/fd/77 ] && [ -z \"$SECRET\" ] &&\n"
		   "[ \"$PATH\" = /usr/sbin:/usr/bin:/sbin:/bin ] && echo a@example.net || echo\n"
		   "done\n");
	assert_finds(map, "alice@example.org", "a@example.net");
	address_map_close(map);
	unsetenv("SECRET");
	close(file);
}

static void test_missing_command(void **state)
{
	struct policy policy = {.notices = {.any_domain = true,
					    .address_map_kind = ADDRESS_MAP_COMMAND,
					    .address_map = "/nonexistent/command"}};
	struct address_map *map = address_map_open(&policy, note, NULL);

	(void)state;
	assert_fails(map, "alice@example.org");
	address_map_close(map);
}

static void test_message_ids(void **state)
{
	char first[MESSAGE_ID_SIZE], second[MESSAGE_ID_SIZE];

	(void)state;
	message_id_make("\"a@b\"@example.org", first);
	message_id_make("\"a@b\"@example.org", second);
	assert_string_not_equal(first, second);
	assert_true(mail_address_is_valid(first));
	assert_string_equal(strchr(first, '@'), "@example.org");
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
		cmocka_unit_test(test_without_a_map),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_domains),
		cmocka_unit_test(test_domains_by_default),
		cmocka_unit_test(test_domains_in_a_file),
		cmocka_unit_test(test_no_domain_in_a_file),
		cmocka_unit_test(test_missing_file),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_command_inherits_nothing),
		cmocka_unit_test(test_missing_command),
		cmocka_unit_test(test_message_ids),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
