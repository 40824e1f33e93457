#include "repeats.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "fnv.h"

#define BUCKET_COUNT 8192

/* A text, which follows it in memory. None is due before one that came earlier: the
   first to come is the first to go, and the memory is a ring. */
struct entry {
	alignas(16) struct repeat repeat; /* first, so that a pointer to it is one to us */
	size_t size;                      /* of all of it; 0: the ring goes on at its start */
	uint64_t hash;
	time_t due;
	struct entry *older; /* in its bucket */
	char note[REPEAT_NOTE_SIZE];
	char text[];
};

struct repeats {
	char *bytes;
	size_t size;
	size_t pushed, popped; /* bytes ever */
	time_t latest;         /* no entry is due later */
	unsigned long untold;
	uint64_t seed;
	struct entry *buckets[BUCKET_COUNT]; /* the newest of each */
};

struct repeats *repeats_create(size_t size)
{
	struct repeats *repeats = calloc(1, sizeof(*repeats));

	if (repeats == NULL)
		return NULL;
	repeats->size = size / alignof(struct entry) * alignof(struct entry);
	repeats->bytes = malloc(repeats->size);
	if (repeats->bytes == NULL) {
		free(repeats);
		return NULL;
	}
	/* Without entropy the hash is only easier to guess. */
	if (getrandom(&repeats->seed, sizeof(repeats->seed), GRND_NONBLOCK) < 0)
		repeats->seed = (uint64_t)(uintptr_t)repeats;
	return repeats;
}

void repeats_free(struct repeats *repeats)
{
	if (repeats == NULL)
		return;
	free(repeats->bytes);
	free(repeats);
}

static uint64_t hash_text(const struct repeats *repeats, const char *text, size_t length)
{
	/* A line of the journal is long. */
	return fnv_hash_words(FNV_START ^ repeats->seed, text, length);
}

static struct entry **bucket(struct repeats *repeats, uint64_t hash)
{
	return &repeats->buckets[(hash ^ hash >> 32) % BUCKET_COUNT];
}

/* ---- the ring ---- */

static size_t entry_size(size_t length)
{
	size_t size = sizeof(struct entry) + length;

	return (size + alignof(struct entry) - 1) / alignof(struct entry) * alignof(struct entry);
}

static size_t until_end(const struct repeats *repeats, size_t position)
{
	return repeats->size - position % repeats->size;
}

/* An entry lies in one piece: where it would wrap around, the rest is left free. */
static size_t bytes_to_skip(const struct repeats *repeats, size_t size)
{
	size_t rest = until_end(repeats, repeats->pushed);

	return rest < size ? rest : 0;
}

/* The entry at or behind a position, which is brought there. NULL behind the newest. */
static struct entry *entry_at(const struct repeats *repeats, size_t *position)
{
	struct entry *entry = (struct entry *)(void *)(repeats->bytes + *position % repeats->size);
	size_t rest = until_end(repeats, *position);

	if (*position == repeats->pushed)
		return NULL;
	if (rest >= sizeof(*entry) && entry->size > 0)
		return entry;
	*position += rest;
	return *position == repeats->pushed ? NULL : (struct entry *)(void *)repeats->bytes;
}

bool repeats_have_room(const struct repeats *repeats, size_t length)
{
	size_t size = entry_size(length);

	return size <= repeats->size / 4 &&
	       bytes_to_skip(repeats, size) + size <=
		       repeats->size - (repeats->pushed - repeats->popped);
}

/* Where the time has become shorter, it is so for those that came before as well. */
static void bring_forward(struct repeats *repeats, time_t due)
{
	size_t position = repeats->popped;
	struct entry *entry;

	if (due < repeats->latest) {
		while ((entry = entry_at(repeats, &position)) != NULL) {
			if (entry->due > due)
				entry->due = due;
			position += entry->size;
		}
	}
	repeats->latest = due;
}

void repeats_add(struct repeats *repeats, const char *text, size_t length, time_t now,
		 time_t seconds)
{
	size_t size = entry_size(length), skipped = bytes_to_skip(repeats, size);
	uint64_t hash = hash_text(repeats, text, length);
	struct entry **newest = bucket(repeats, hash);
	struct entry *entry =
		(struct entry *)(void *)(repeats->bytes + repeats->pushed % repeats->size);

	bring_forward(repeats, now + seconds);
	if (skipped >= sizeof(*entry))
		entry->size = 0;
	if (skipped > 0)
		entry = (struct entry *)(void *)repeats->bytes;
	*entry = (struct entry){
		.repeat = {.text = entry->text, .length = length, .note = entry->note},
		.size = size,
		.hash = hash,
		.due = now + seconds,
		.older = *newest,
	};
	memcpy(entry->text, text, length);
	*newest = entry;
	repeats->pushed += skipped + size;
}

/* ---- the oldest ---- */

static struct entry *oldest(const struct repeats *repeats, size_t *position_r)
{
	*position_r = repeats->popped;
	return entry_at(repeats, position_r);
}

const struct repeat *repeats_oldest(const struct repeats *repeats)
{
	size_t position;
	const struct entry *entry = oldest(repeats, &position);

	return entry == NULL ? NULL : &entry->repeat;
}

bool repeats_oldest_is_due(const struct repeats *repeats, time_t now)
{
	size_t position;
	const struct entry *entry = oldest(repeats, &position);

	return entry != NULL && now >= entry->due;
}

void repeats_drop_oldest(struct repeats *repeats)
{
	size_t position;
	struct entry *entry = oldest(repeats, &position);
	struct entry **link = bucket(repeats, entry->hash);

	while (*link != entry)
		link = &(*link)->older;
	*link = entry->older;
	repeats->untold -= entry->repeat.count;
	repeats->popped = position + entry->size;
}

/* ---- all ---- */

bool repeats_count(struct repeats *repeats, const char *text, size_t length,
		   const struct timespec *time, const char *note, time_t now, time_t seconds)
{
	uint64_t hash = hash_text(repeats, text, length);
	struct entry *entry = *bucket(repeats, hash);

	while (entry != NULL && (entry->hash != hash || entry->repeat.length != length ||
				 memcmp(entry->text, text, length) != 0))
		entry = entry->older;
	if (entry == NULL || now >= entry->due)
		return false;
	if (entry->due > now + seconds)
		bring_forward(repeats, now + seconds);
	if (entry->repeat.count == 0)
		entry->repeat.first = *time;
	entry->repeat.last = *time;
	entry->repeat.count++;
	repeats->untold++;
	strncpy(entry->note, note, sizeof(entry->note) - 1);
	return true;
}

const struct repeat *repeats_next(const struct repeats *repeats, const struct repeat *repeat)
{
	const struct entry *entry = (const struct entry *)repeat;
	size_t offset = (size_t)((const char *)entry - repeats->bytes);
	/* Where it lies, as the oldest one's position goes on. */
	size_t behind = (offset + repeats->size - repeats->popped % repeats->size) % repeats->size;
	size_t position = repeats->popped + behind + entry->size;
	const struct entry *next = entry_at(repeats, &position);

	return next == NULL ? NULL : &next->repeat;
}

void repeats_told(struct repeats *repeats, const struct repeat *repeat)
{
	struct entry *entry = (struct entry *)repeat;

	repeats->untold -= entry->repeat.count;
	entry->repeat.count = 0;
}

unsigned long repeats_untold(const struct repeats *repeats)
{
	return repeats->untold;
}
