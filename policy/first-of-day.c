#include "first-of-day.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "fnv.h"
#include "schedule.h"

#define SLOTS_MIN ((size_t)1 << 10)
#define SLOTS_MAX ((size_t)1 << 22)

/* A set of 64-bit hashes with open addressing; 0 marks a free slot. Two users
   with one hash would cost one of them a line in the journal for a day: with
   three million entries the chance of any such pair is below one in a million. */
struct first_of_day {
	uint64_t *slots;
	size_t slot_count; /* a power of two */
	size_t used;
	uint64_t seed;
	time_t midnight; /* the end of today */
};

struct first_of_day *first_of_day_create(void)
{
	struct first_of_day *seen = calloc(1, sizeof(*seen));

	if (seen == NULL)
		return NULL;
	seen->slot_count = SLOTS_MIN;
	seen->slots = calloc(seen->slot_count, sizeof(*seen->slots));
	if (seen->slots == NULL) {
		free(seen);
		return NULL;
	}
	/* Without entropy the hash is only easier to guess. */
	if (getrandom(&seen->seed, sizeof(seen->seed), GRND_NONBLOCK) < 0)
		seen->seed = (uint64_t)(uintptr_t)seen;
	return seen;
}

void first_of_day_free(struct first_of_day *seen)
{
	if (seen == NULL)
		return;
	free(seen->slots);
	free(seen);
}

/* With a seed and a final mix, for want of anything to defend against: only those
   who know a password get here. */
static uint64_t mix(uint64_t hash)
{
	hash = (hash ^ hash >> 32) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

static uint64_t hash_text(const struct first_of_day *seen, const char *text)
{
	return fnv_hash(FNV_START ^ seen->seed, text, strlen(text));
}

/* Another one each day. */
static uint64_t program_number(const struct first_of_day *seen, const char *client_id)
{
	return mix(hash_text(seen, client_id) ^ (uint64_t)seen->midnight) % FIRST_OF_DAY_PROGRAMS;
}

static uint64_t hash(const struct first_of_day *seen, const struct attempt *attempt)
{
	uint64_t hash = hash_text(seen, attempt->user);

	hash ^= program_number(seen, attempt->client_id) << 24 | (uint64_t)attempt->port << 8 |
		(uint64_t)attempt->service;
	hash = mix(hash);
	return hash == 0 ? 1 : hash;
}

/* The slot that holds the hash, or the free one where it belongs. */
static uint64_t *find_slot(uint64_t *slots, size_t slot_count, uint64_t hash)
{
	size_t i = hash & (slot_count - 1);

	while (slots[i] != 0 && slots[i] != hash)
		i = (i + 1) & (slot_count - 1);
	return &slots[i];
}

static bool grow(struct first_of_day *seen)
{
	size_t slot_count = seen->slot_count * 2;
	uint64_t *slots;

	if (slot_count > SLOTS_MAX)
		return false;
	slots = calloc(slot_count, sizeof(*slots));
	if (slots == NULL)
		return false;
	for (size_t i = 0; i < seen->slot_count; i++) {
		if (seen->slots[i] != 0)
			*find_slot(slots, slot_count, seen->slots[i]) = seen->slots[i];
	}
	free(seen->slots);
	seen->slots = slots;
	seen->slot_count = slot_count;
	return true;
}

static void forget_yesterday(struct first_of_day *seen, time_t now)
{
	memset(seen->slots, 0, seen->slot_count * sizeof(*seen->slots));
	seen->used = 0;
	seen->midnight = date_midnight(now, 1);
}

bool first_of_day(struct first_of_day *seen, const struct attempt *attempt, time_t now)
{
	uint64_t *slot, key;

	/* Also when the clock was set back by more than a day. */
	if (now >= seen->midnight || now < seen->midnight - 2 * 24 * 60 * 60)
		forget_yesterday(seen, now);
	key = hash(seen, attempt);
	slot = find_slot(seen->slots, seen->slot_count, key);
	if (*slot != 0)
		return false;
	if (seen->used >= seen->slot_count / 4 * 3) {
		if (!grow(seen))
			return false;
		slot = find_slot(seen->slots, seen->slot_count, key);
	}
	*slot = key;
	seen->used++;
	return true;
}
