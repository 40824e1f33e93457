#include "instances.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "policy/fnv.h"

/* A transaction is in hand with one smtpd process, so the table need only hold
   as many as there are such processes: far more than any host runs. */
#define BUCKETS 4096
#define BUCKET_SIZE 4

/* Fingerprints, the latest first in each bucket. 64 bits of a seeded hash: two
   of the 16,384 meet with a probability of 2^-50 for each one added. */
struct instances {
	uint64_t seed;
	uint64_t buckets[BUCKETS][BUCKET_SIZE];
};

/* The finalizer of MurmurHash3: every bit of the input reaches every other. */
static uint64_t mix(uint64_t hash)
{
	hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
	hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return hash ^ hash >> 33;
}

struct instances *instances_create(void)
{
	struct instances *instances = calloc(1, sizeof(*instances));

	if (instances == NULL)
		return NULL;
	if (getrandom(&instances->seed, sizeof(instances->seed), GRND_NONBLOCK) < 0)
		instances->seed = (uint64_t)time(NULL);
	return instances;
}

void instances_free(struct instances *instances)
{
	free(instances);
}

bool instances_add(struct instances *instances, const char *instance, const char *user,
		   const struct verdict *verdict)
{
	uint64_t fingerprint, *bucket;
	size_t place;
	bool added;

	if (*instance == '\0')
		return true;
	fingerprint = fnv_hash(instances->seed, instance, strlen(instance) + 1);
	fingerprint = fnv_hash(fingerprint, user, strlen(user) + 1);
	fingerprint = fnv_hash(fingerprint, &verdict->broken, sizeof(verdict->broken));
	fingerprint = fnv_hash(fingerprint, &verdict->outcome, sizeof(verdict->outcome));
	fingerprint = mix(fingerprint);
	bucket = instances->buckets[fingerprint % BUCKETS];

	for (place = 0; place < BUCKET_SIZE - 1; place++) {
		if (bucket[place] == fingerprint)
			break;
	}
	added = bucket[place] != fingerprint;
	memmove(bucket + 1, bucket, place * sizeof(*bucket));
	bucket[0] = fingerprint;
	return added;
}
