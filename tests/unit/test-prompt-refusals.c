#include "unit.h"

#include <stdio.h>

#include "dovecot-plugin/prompt-refusals.h"
#include "policy/allowance.h"

static unsigned int prompt_of(const char *text, unsigned int tries, time_t now)
{
	struct address address;
	unsigned int prompt = 0;

	/* "" stands for one that is not known. */
	assert_int_equal(address_parse(text, &address), *text != '\0');
	for (unsigned int i = 0; i < tries; i++)
		prompt += prompt_refusal_take(&address, now);
	return prompt;
}

static void test_so_many_a_minute(void **state)
{
	(void)state;
	assert_int_equal(prompt_of("192.0.2.1", 5, 6000), 5);
	assert_int_equal(prompt_of("192.0.2.1", 100, 6059), PROMPT_REFUSALS_PER_MINUTE - 5);
	assert_int_equal(prompt_of("192.0.2.1", 100, 6060), PROMPT_REFUSALS_PER_MINUTE);
	assert_int_equal(prompt_of("", 100, 6060), PROMPT_REFUSALS_PER_MINUTE);
}

/* One of IPv6 has 2^64 addresses at least. */
static void test_who_is_one(void **state)
{
	(void)state;
	assert_int_equal(prompt_of("2001:db8::1", 100, 60000), PROMPT_REFUSALS_PER_MINUTE);
	assert_int_equal(prompt_of("2001:db8::ffff:0:0:1", 100, 60000), 0);
	assert_int_equal(prompt_of("::ffff:192.0.2.1", 100, 60000), PROMPT_REFUSALS_PER_MINUTE);
	assert_int_equal(prompt_of("192.0.2.1", 100, 60000), 0);
}

/* Few share a count, and all together have no more than there are counts. */
static void test_many(void **state)
{
	char text[ADDRESS_TEXT_SIZE];
	unsigned int sum = 0;
	(void)state;

	for (unsigned int i = 0; i < 200; i++) {
		snprintf(text, sizeof(text), "10.0.0.%u", i);
		sum += prompt_of(text, 20, 120000);
	}
	assert_in_range(sum, 190 * PROMPT_REFUSALS_PER_MINUTE, 200 * PROMPT_REFUSALS_PER_MINUTE);
	sum = 0;
	for (unsigned int i = 0; i < 100000; i++) {
		snprintf(text, sizeof(text), "10.%u.%u.%u", 1 + (i >> 16), i >> 8 & 255, i & 255);
		sum += prompt_of(text, 20, 120000);
	}
	assert_true(sum < ALLOWANCE_COUNTS * PROMPT_REFUSALS_PER_MINUTE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_so_many_a_minute),
		cmocka_unit_test(test_who_is_one),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
