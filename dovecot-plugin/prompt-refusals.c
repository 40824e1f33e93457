#include "prompt-refusals.h"

#include <string.h>
#include <sys/random.h>

#include "policy/fnv.h"

#define COUNTS 16384

static struct {
	uint64_t seed;
	time_t minute;
	unsigned char counts[COUNTS];
} refusals;

static void begin_minute(time_t minute)
{
	/* A seed of its own for each, so that nobody finds out whom he shares with. */
	if (getrandom(&refusals.seed, sizeof(refusals.seed), GRND_NONBLOCK) < 0)
		refusals.seed = FNV_START;
	refusals.minute = minute;
	memset(refusals.counts, 0, sizeof(refusals.counts));
}

/* Bytes that tell one from another; all who are unknown are one. */
static size_t significant_bytes(const struct address *address)
{
	if (!address->known)
		return 0;
	return address_is_ipv4(address) ? sizeof(address->bytes) : sizeof(address->bytes) / 2;
}

bool refusal_is_prompt(const struct address *address, time_t now)
{
	unsigned char *count;
	uint64_t hash;

	if (now / 60 != refusals.minute)
		begin_minute(now / 60);
	hash = fnv_hash(refusals.seed, address->bytes, significant_bytes(address));
	count = &refusals.counts[(hash ^ hash >> 32) % COUNTS];
	if (*count == PROMPT_REFUSALS_PER_MINUTE)
		return false;
	(*count)++;
	return true;
}
