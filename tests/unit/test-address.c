#include "unit.h"

#include "policy/address.h"
#include "policy/network.h"

static void test_parse_and_format(void **state)
{
	static const struct {
		const char *text, *formatted; /* NULL: no address */
	} cases[] = {
		{"192.0.2.1", "192.0.2.1"},
		{"::ffff:192.0.2.1", "192.0.2.1"},
		{"2001:DB8:0:0::1", "2001:db8::1"},
		{"::1", "::1"},
		{"255.255.255.255", "255.255.255.255"},
		{"", NULL},
		{"0.0.0.0", "0.0.0.0"},
		{"1.20.199.9", "1.20.199.9"},
		{"192.0.2.256", NULL},
		{"192.0.2", NULL},
		{"192.0.2.", NULL},
		{"192.0.2.1.", NULL},
		{"192.0.2.1.2", NULL},
		{"192.0.2.01", NULL},
		{"00.0.2.1", NULL},
		{"192.0.2.0001", NULL},
		{"192..2.1", NULL},
		{"192.0.2.1 ", NULL},
		{"2001:db8::1%eth0", NULL},
		{"localhost", NULL},
		{"1.2.3.4/32", NULL},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct address address;
		char text[ADDRESS_TEXT_SIZE];

		assert_int_equal(address_parse(cases[i].text, &address),
				 cases[i].formatted != NULL);
		address_format(&address, text);
		assert_string_equal(text, cases[i].formatted == NULL ? "" : cases[i].formatted);
	}
}

static void test_local(void **state)
{
	static const struct {
		const char *text;
		bool local;
	} cases[] = {
		{"127.0.0.1", true},
		{"127.255.255.255", true},
		{"128.0.0.0", false},
		{"10.0.0.0", true},
		{"9.255.255.255", false},
		{"11.0.0.0", false},
		{"172.15.255.255", false},
		{"172.16.0.0", true},
		{"172.31.255.255", true},
		{"172.32.0.0", false},
		{"192.168.0.1", true},
		{"192.167.255.255", false},
		{"169.254.1.1", true},
		{"169.253.1.1", false},
		{"100.64.0.0", true},
		{"100.127.255.255", true},
		{"100.63.255.255", false},
		{"100.128.0.0", false},
		{"::ffff:100.64.0.1", true},
		{"::1", true},
		{"::2", false},
		{"fc00::1", true},
		{"fdff::1", true},
		{"fe00::1", false},
		{"fe80::1", true},
		{"febf::1", true},
		{"fec0::1", false},
		{"2001:db8::1", false},
		{"::ffff:10.1.2.3", true},
		{"::ffff:8.8.8.8", false},
	};
	const struct address unknown = {0};
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct address address;

		assert_true(address_parse(cases[i].text, &address));
		if (address_is_local(&address) != cases[i].local)
			fail_msg("%s", cases[i].text);
	}
	assert_true(address_is_local(&unknown));
}

static void test_ports(void **state)
{
	static const char *const wrong[] = {"",   "0",  "65536", "-1",   "+1",
					    " 1", "1 ", "0x10",  "imap", "99999999999999999999"};
	uint16_t port = 7;
	(void)state;

	for (size_t i = 0; i < COUNT(wrong); i++) {
		if (port_parse(wrong[i], &port) || port != 7)
			fail_msg("%s was accepted", wrong[i]);
	}
	assert_true(port_parse("1", &port));
	assert_int_equal(port, 1);
	assert_true(port_parse("65535", &port));
	assert_int_equal(port, 65535);
}

static void test_range_errors(void **state)
{
	static const char *const wrong[] = {
		"",
		"/24",
		"192.0.2.0/",
		"192.0.2.0/33",
		"192.0.2.0/-1",
		"192.0.2/24",
		"192.0.2.1/24",
		"192.0.2.0/ 4",
		"2001:db8::/129",
		"2001:db8::1/32",
		"::ffff:192.0.2.0/24",
		"192.0.2.0/2a",
		"192.0.2.0/0000024",
		"192.0.2.0/24/24",
		"10.0.0.0/1000000000000000000000",
		"11111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa/32",
	};
	(void)state;

	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct address_range range;
		const char *error = NULL;

		if (address_range_parse(wrong[i], &range, &error))
			fail_msg("%s was accepted", wrong[i]);
		assert_non_null(error);
	}
}

static void add(struct network *network, const char *text)
{
	struct address_range range;
	const char *error;

	assert_true(address_range_parse(text, &range, &error));
	assert_true(network_add(network, &range));
}

static bool contains(const struct network *network, const char *text)
{
	struct address address;

	assert_true(address_parse(text, &address));
	return network_contains(network, &address);
}

static void test_network(void **state)
{
	struct network network = {0};
	const struct address unknown = {0};
	(void)state;

	assert_false(contains(&network, "192.0.2.1"));
	network_seal(&network);
	assert_false(contains(&network, "192.0.2.1"));

	add(&network, "2001:db8::/32");
	add(&network, "192.0.2.128/25");
	add(&network, "192.0.2.0/24"); /* holds the one before */
	add(&network, "198.51.100.25");
	add(&network, "192.0.2.64/26");
	add(&network, "::ffff:203.0.113.0/120");
	network_seal(&network);
	assert_int_equal(network.count, 4);

	assert_true(contains(&network, "192.0.2.0"));
	assert_true(contains(&network, "192.0.2.200"));
	assert_true(contains(&network, "192.0.2.255"));
	assert_false(contains(&network, "192.0.1.255"));
	assert_false(contains(&network, "192.0.3.0"));
	assert_true(contains(&network, "::ffff:192.0.2.1"));
	assert_true(contains(&network, "198.51.100.25"));
	assert_false(contains(&network, "198.51.100.24"));
	assert_false(contains(&network, "198.51.100.26"));
	assert_true(contains(&network, "203.0.113.77"));
	assert_true(contains(&network, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"));
	assert_false(contains(&network, "2001:db9::"));
	assert_false(contains(&network, "::"));
	assert_false(network_contains(&network, &unknown));
	network_free(&network);
}

static void test_whole_internet(void **state)
{
	struct network ipv4 = {0}, ipv6 = {0}, both = {0}, end = {0};
	(void)state;

	add(&ipv4, "0.0.0.0/0");
	network_seal(&ipv4);
	assert_true(contains(&ipv4, "0.0.0.0"));
	assert_true(contains(&ipv4, "255.255.255.255"));
	assert_false(contains(&ipv4, "2001:db8::1"));

	add(&ipv6, "::/0");
	network_seal(&ipv6);
	assert_true(contains(&ipv6, "::"));
	assert_true(contains(&ipv6, "::1"));
	assert_true(contains(&ipv6, "::fffe:ffff:ffff"));
	assert_false(contains(&ipv6, "0.0.0.0"));
	assert_false(contains(&ipv6, "255.255.255.255"));
	assert_true(contains(&ipv6, "::1:0:0:0"));
	assert_true(contains(&ipv6, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));

	assert_true(network_add_all(&both, &ipv6));
	assert_true(network_add_all(&both, &ipv4));
	network_seal(&both);
	assert_true(contains(&both, "192.0.2.1"));
	assert_true(contains(&both, "2001:db8::1"));
	add(&end, "::/80");
	network_seal(&end);
	assert_true(contains(&end, "::fffe:ffff:ffff"));
	assert_false(contains(&end, "192.0.2.1"));
	assert_false(contains(&end, "::1:0:0:0"));
	network_free(&end);
	network_free(&ipv4);
	network_free(&ipv6);
	network_free(&both);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_and_format),
		cmocka_unit_test(test_local),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_range_errors),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_whole_internet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
