#include "unit.h"

#include <string.h>

#include "admin/sightings/whereabouts.h"

enum { CAMPUS, LABORATORY, OFFICE, NETWORK_COUNT };

static struct named_network networks[NETWORK_COUNT];
static const struct policy policy = {.networks = networks, .network_count = NETWORK_COUNT};

static void add(struct network *network, const char *text)
{
	struct address_range range;
	const char *error;

	assert_true(address_range_parse(text, &range, &error));
	assert_true(network_add(network, &range));
	network_seal(network);
}

static int make_networks(void **state)
{
	(void)state;
	add(&networks[CAMPUS].network, "192.0.2.0/24");
	add(&networks[CAMPUS].network, "2001:db8::/32");
	add(&networks[LABORATORY].network, "192.0.2.128/25");
	add(&networks[OFFICE].network, "10.0.0.0/8");
	return 0;
}

static int free_networks(void **state)
{
	(void)state;
	for (size_t i = 0; i < NETWORK_COUNT; i++)
		network_free(&networks[i].network);
	return 0;
}

static const char *of(const char *client)
{
	static char text[WHEREABOUTS_SIZE];
	struct address address;

	address_parse(client, &address);
	return whereabouts_format(&policy, &address, text);
}

/* No more than what the networks say. */
static void test_format(void **state)
{
	(void)state;
	assert_string_equal(of("203.0.113.5"), "public");
	assert_string_equal(of("192.168.1.1"), "local");
	assert_string_equal(of(""), "local");
	assert_string_equal(of("192.0.2.7"), "public 192.0.2.0-192.0.2.255");
	assert_string_equal(of("192.0.2.200"), "public 192.0.2.128-192.0.2.255");
	assert_string_equal(of("10.1.2.3"), "local 10.0.0.0-10.255.255.255");
	assert_string_equal(of("2001:db8::1"),
			    "public 2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
}

/* What the operator wrote down is left to the letter. */
static void test_networks_of_one_address(void **state)
{
	(void)state;
	add(&networks[OFFICE].network, "203.0.113.77");
	add(&networks[LABORATORY].network, "192.0.2.7/32");
	assert_string_equal(of("203.0.113.77"), "public 203.0.113.77-203.0.113.77");
	assert_string_equal(of("203.0.113.78"), "public");
	assert_string_equal(of("192.0.2.7"), "public 192.0.2.7-192.0.2.7");
	assert_string_equal(of("192.0.2.8"), "public 192.0.2.0-192.0.2.255");
}

static void test_parse(void **state)
{
	struct whereabouts whereabouts;
	(void)state;

	assert_true(whereabouts_parse("public 192.0.2.0-192.0.2.255", &whereabouts));
	assert_true(whereabouts.in_network && !whereabouts.local);
	assert_true(network_contains_range(&networks[CAMPUS].network, &whereabouts.range));
	assert_false(network_contains_range(&networks[LABORATORY].network, &whereabouts.range));
	assert_true(whereabouts_parse("local", &whereabouts));
	assert_true(whereabouts.local && !whereabouts.in_network);
	assert_true(whereabouts_parse("public 192.0.2.0-", &whereabouts));
	assert_false(whereabouts.in_network);
	assert_false(whereabouts_parse("", &whereabouts));
	assert_false(whereabouts_parse("campus", &whereabouts));
}

/* A network that was written in one piece may be written in two. */
static void test_ranges_side_by_side(void **state)
{
	struct network halves = {0};
	struct address_range range;
	const char *error;
	(void)state;

	assert_true(address_range_parse("192.0.2.0/24", &range, &error));
	assert_false(network_contains_range(&halves, &range));
	add(&halves, "192.0.2.0/25");
	assert_false(network_contains_range(&halves, &range));
	add(&halves, "192.0.2.128/25");
	assert_true(network_contains_range(&halves, &range));
	assert_true(address_range_parse("192.0.2.0/23", &range, &error));
	assert_false(network_contains_range(&halves, &range));
	network_free(&halves);
}

static void test_definition(void **state)
{
	int64_t before = whereabouts_definition(&policy);
	(void)state;

	assert_int_not_equal(before, 0);
	networks[OFFICE].name = (char *)"renamed";
	assert_int_equal(whereabouts_definition(&policy), before);
	add(&networks[OFFICE].network, "172.16.0.0/12");
	assert_int_not_equal(whereabouts_definition(&policy), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_format, make_networks, free_networks),
		cmocka_unit_test_setup_teardown(test_networks_of_one_address, make_networks,
						free_networks),
		cmocka_unit_test_setup_teardown(test_parse, make_networks, free_networks),
		cmocka_unit_test_setup_teardown(test_ranges_side_by_side, make_networks,
						free_networks),
		cmocka_unit_test_setup_teardown(test_definition, make_networks, free_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
