#include "unit.h"

#include <string.h>

#include "policy/attempt.h"

static void test_user_normalise(void **state)
{
	static const struct {
		const char *user, *domain;
		size_t size;
		const char *normal;
		bool fits;
	} cases[] = {
		{"alice", "example.org", 64, "alice@example.org", true},
		{"Alice@Example.NET", "example.org", 64, "alice@example.net", true},
		{"ALICE", NULL, 64, "alice", true},
		{"", "example.org", 64, "", true},
		{"\xc3\x84"
		 "Z[",
		 "Example.org", 64,
		 "\xc3\x84"
		 "z[@example.org",
		 true},
		{"alice", "b.de", sizeof("alice@b.de"), "alice@b.de", true},
		{"alice", "b.de", sizeof("alice@b.de") - 1, "alice@b.d", false},
		{"alice", "b.de", sizeof("alice@"), "alice@", false},
		{"alice", "b.de", sizeof("alice"), "alice", false},
		{"alice", NULL, sizeof("alice"), "alice", true},
		{"alice", NULL, sizeof("alice") - 1, "alic", false},
		{"alice", "b.de", 1, "", false},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		char user[64];

		memset(user, '?', sizeof(user));
		assert_int_equal(
			user_normalise(cases[i].user, cases[i].domain, user, cases[i].size),
			cases[i].fits);
		assert_string_equal(user, cases[i].normal);
		if (cases[i].size < sizeof(user))
			assert_int_equal(user[cases[i].size], '?');
	}
}

static void test_tls_version(void **state)
{
	enum tls_version version;
	(void)state;

	assert_true(tls_version_from_name("TLSv1.2", &version));
	assert_int_equal(version, TLS_V1_2);
	assert_true(tls_version_from_name("TLSv1.3", &version));
	assert_int_equal(version, TLS_V1_3);
	assert_true(tls_version_from_name("TLSv1", &version));
	assert_int_equal(version, TLS_V1);
	assert_true(tls_version_from_name("SSLv2", &version));
	assert_int_equal(version, TLS_SSLV3);
	assert_false(tls_version_from_name("", &version));
	assert_false(tls_version_from_name("TLSv1.4", &version));
	assert_false(tls_version_from_name("tlsv1.2", &version));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_user_normalise),
		cmocka_unit_test(test_tls_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
