#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/repeats.h"

/* A memory that holds few texts, so that it wraps around often. */
#define MEMORY 4096
#define TEXTS 40
#define ROUNDS 200000

static const struct timespec moment = {.tv_sec = 1726820102};

static struct timespec moments_later(time_t seconds)
{
	return (struct timespec){.tv_sec = moment.tv_sec + seconds};
}

static void test_first_and_repeated(void **state)
{
	struct repeats *repeats = repeats_create(MEMORY);
	const struct timespec later = moments_later(3);
	const struct repeat *repeat;
	(void)state;

	assert_null(repeats_oldest(repeats));
	assert_false(repeats_count(repeats, "text", 4, &moment, "", 1, 10));
	repeats_add(repeats, "text", 4, 1, 10);
	assert_false(repeats_count(repeats, "tex", 3, &moment, "", 1, 10));
	assert_true(repeats_count(repeats, "text", 4, &moment, "one", 2, 10));
	assert_true(repeats_count(repeats, "text", 4, &later, "two", 5, 10));
	assert_int_equal(repeats_untold(repeats), 2);
	assert_false(repeats_oldest_is_due(repeats, 10));
	assert_true(repeats_oldest_is_due(repeats, 11));
	/* Its time is over. */
	assert_false(repeats_count(repeats, "text", 4, &later, "", 11, 10));
	repeat = repeats_oldest(repeats);
	assert_int_equal(repeat->length, 4);
	assert_memory_equal(repeat->text, "text", 4);
	assert_int_equal(repeat->count, 2);
	assert_int_equal(repeat->first.tv_sec, moment.tv_sec);
	assert_int_equal(repeat->last.tv_sec, later.tv_sec);
	assert_string_equal(repeat->note, "two");
	repeats_told(repeats, repeat);
	assert_int_equal(repeats_untold(repeats), 0);
	assert_true(repeats_count(repeats, "text", 4, &later, "", 10, 10));
	assert_int_equal(repeats_oldest(repeats)->count, 1);
	repeats_drop_oldest(repeats);
	assert_null(repeats_oldest(repeats));
	assert_int_equal(repeats_untold(repeats), 0);
	assert_false(repeats_have_room(repeats, MEMORY / 4));
	repeats_free(repeats);
}

static const char *oldest_due(struct repeats *repeats, time_t now)
{
	static char text[2];

	text[0] = repeats_oldest_is_due(repeats, now) ? *repeats_oldest(repeats)->text : '-';
	return text;
}

/* After a reload that makes the time shorter, what comes is not kept until what was there
   before is due, nor is that. */
static void test_a_shorter_time(void **state)
{
	const time_t day = 24 * 60 * 60;
	struct repeats *repeats = repeats_create(MEMORY);
	(void)state;

	repeats_add(repeats, "a", 1, 0, day);
	repeats_add(repeats, "b", 1, 10, day);
	assert_string_equal(oldest_due(repeats, 1000), "-");
	repeats_add(repeats, "c", 1, 1000, 600);
	repeats_add(repeats, "d", 1, 1100, 600);
	assert_string_equal(oldest_due(repeats, 1599), "-");
	for (const char *text = "abc"; *text != '\0'; text++) {
		assert_int_equal(*oldest_due(repeats, 1600), *text);
		repeats_drop_oldest(repeats);
	}
	assert_string_equal(oldest_due(repeats, 1699), "-");
	assert_string_equal(oldest_due(repeats, 1700), "d");
	repeats_drop_oldest(repeats);

	/* Also where all that comes is known. */
	repeats_add(repeats, "e", 1, 2000, 600);
	repeats_add(repeats, "f", 1, 2000, day);
	assert_true(repeats_count(repeats, "f", 1, &moment, "", 2100, 60));
	assert_string_equal(oldest_due(repeats, 2159), "-");
	assert_string_equal(oldest_due(repeats, 2160), "e");
	/* A longer one is that of what comes. */
	assert_true(repeats_count(repeats, "f", 1, &moment, "", 2159, day));
	repeats_drop_oldest(repeats);
	assert_string_equal(oldest_due(repeats, 2160), "f");
	repeats_free(repeats);
}

static size_t make_text(unsigned int number, char text_r[static 512])
{
	size_t length = 1 + number * 37 % 500;

	memset(text_r, (int)('a' + number % 26), length);
	return length;
}

/* What was told and what waits, of each text, is what came. */
static void test_nothing_is_lost_where_memory_is_short(void **state)
{
	static unsigned long came[TEXTS], told[TEXTS];
	struct repeats *repeats = repeats_create(MEMORY);
	unsigned long waiting = 0;
	char text[512];
	(void)state;

	srandom(1);
	for (time_t now = 0; now < ROUNDS; now++) {
		unsigned int number = (unsigned int)(random() % TEXTS);
		size_t length = make_text(number, text);
		const struct repeat *oldest;

		came[number]++;
		if (repeats_count(repeats, text, length, &moment, "", now, 200)) {
			waiting++;
			continue;
		}
		while (!repeats_have_room(repeats, length) || repeats_oldest_is_due(repeats, now)) {
			oldest = repeats_oldest(repeats);
			for (unsigned int i = 0; i < TEXTS; i++) {
				char other[512];

				if (make_text(i, other) == oldest->length &&
				    memcmp(other, oldest->text, oldest->length) == 0)
					told[i] += oldest->count;
			}
			waiting -= oldest->count;
			repeats_drop_oldest(repeats);
		}
		repeats_add(repeats, text, length, now, 200);
		told[number]++;
		assert_int_equal(repeats_untold(repeats), waiting);
	}
	for (const struct repeat *repeat = repeats_oldest(repeats); repeat != NULL;
	     repeat = repeats_next(repeats, repeat)) {
		for (unsigned int i = 0; i < TEXTS; i++) {
			if (make_text(i, text) == repeat->length &&
			    memcmp(text, repeat->text, repeat->length) == 0)
				told[i] += repeat->count;
		}
	}
	for (unsigned int i = 0; i < TEXTS; i++)
		assert_int_equal(told[i], came[i]);
	repeats_free(repeats);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_and_repeated),
		cmocka_unit_test(test_a_shorter_time),
		cmocka_unit_test(test_nothing_is_lost_where_memory_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
