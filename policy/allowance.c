#include "allowance.h"

#include <string.h>
#include <sys/random.h>

#include "fnv.h"

static void begin_period(struct allowance *allowance, time_t period)
{
	/* A seed of its own for each, so that nobody finds out whom he shares with. */
	if (getrandom(&allowance->seed, sizeof(allowance->seed), GRND_NONBLOCK) < 0)
		allowance->seed = FNV_START;
	allowance->period = period;
	memset(allowance->taken, 0, sizeof(allowance->taken));
}

static unsigned char *find_count(struct allowance *allowance, time_t period, const void *key,
				 size_t length)
{
	uint64_t hash;

	if (period != allowance->period)
		begin_period(allowance, period);
	hash = fnv_hash(allowance->seed, key, length);
	return &allowance->taken[(hash ^ hash >> 32) % ALLOWANCE_COUNTS];
}

bool allowance_is_left(struct allowance *allowance, time_t period, const void *key, size_t length,
		       unsigned int most)
{
	return *find_count(allowance, period, key, length) < most;
}

bool allowance_take(struct allowance *allowance, time_t period, const void *key, size_t length,
		    unsigned int most)
{
	unsigned char *count = find_count(allowance, period, key, length);

	if (*count >= most)
		return false;
	(*count)++;
	return true;
}
