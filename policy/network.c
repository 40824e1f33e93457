#include "network.h"

#include <stdlib.h>
#include <string.h>

static bool add(struct network *network, const struct address_range *range)
{
	if (network->count == network->allocated) {
		size_t allocated = network->allocated == 0 ? 8 : network->allocated * 2;
		struct address_range *ranges =
			reallocarray(network->ranges, allocated, sizeof(*ranges));

		if (ranges == NULL)
			return false;
		network->ranges = ranges;
		network->allocated = allocated;
	}
	network->ranges[network->count++] = *range;
	return true;
}

/* IPv4 lies within IPv6 here (::ffff:0:0/96), but whoever writes ::/0 does not mean
   it: such a range is added without. */
static const struct address_range below_ipv4 = {
	.last = {[10] = 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff}};
static const struct address_range above_ipv4 = {.first = {[9] = 1}};

bool network_add(struct network *network, const struct address_range *range)
{
	struct address_range below = below_ipv4, above = above_ipv4;

	if (memcmp(range->first, below.last, sizeof(below.last)) > 0 ||
	    memcmp(range->last, below.last, sizeof(below.last)) <= 0)
		return add(network, range);
	memcpy(below.first, range->first, sizeof(below.first));
	memcpy(above.last, range->last, sizeof(above.last));
	/* ::/80 ends with IPv4. */
	return add(network, &below) &&
	       (memcmp(above.last, above.first, sizeof(above.first)) < 0 || add(network, &above));
}

bool network_add_all(struct network *network, const struct network *other)
{
	for (size_t i = 0; i < other->count; i++) {
		if (!add(network, &other->ranges[i]))
			return false;
	}
	return true;
}

static int range_compare(const void *a, const void *b)
{
	const struct address_range *left = a, *right = b;

	return memcmp(left->first, right->first, sizeof(left->first));
}

void network_seal(struct network *network)
{
	struct address_range *ranges = network->ranges;
	size_t kept = 0;

	if (network->count == 0)
		return;
	qsort(ranges, network->count, sizeof(*ranges), range_compare);
	for (size_t i = 1; i < network->count; i++) {
		if (memcmp(ranges[i].first, ranges[kept].last, sizeof(ranges->last)) > 0)
			ranges[++kept] = ranges[i];
		else if (memcmp(ranges[i].last, ranges[kept].last, sizeof(ranges->last)) > 0)
			memcpy(ranges[kept].last, ranges[i].last, sizeof(ranges->last));
	}
	network->count = kept + 1;
}

/* How many ranges begin at an address or before it. */
static size_t count_begun(const struct network *network, const unsigned char bytes[16])
{
	size_t low = 0, high = network->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(network->ranges[middle].first, bytes, 16) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The last range that begins at an address or before it, if the address is in it. */
static const struct address_range *find_range(const struct network *network,
					      const unsigned char bytes[16])
{
	size_t begun = count_begun(network, bytes);

	if (begun == 0 || memcmp(bytes, network->ranges[begun - 1].last, 16) > 0)
		return NULL;
	return &network->ranges[begun - 1];
}

bool network_contains(const struct network *network, const struct address *address)
{
	return address->known && find_range(network, address->bytes) != NULL;
}

bool network_find_range(const struct network *network, const struct address *address,
			struct address_range *range_r)
{
	const struct address_range *range =
		address->known ? find_range(network, address->bytes) : NULL;

	if (range != NULL)
		*range_r = *range;
	return range != NULL;
}

/* Whether the second range begins right behind the first. */
static bool adjoins(const struct address_range *range, const struct address_range *next)
{
	unsigned char behind[16];

	memcpy(behind, range->last, sizeof(behind));
	for (size_t i = sizeof(behind); i-- > 0;) {
		if (++behind[i] != 0)
			return memcmp(behind, next->first, sizeof(behind)) == 0;
	}
	return false;
}

bool network_contains_range(const struct network *network, const struct address_range *range)
{
	const struct address_range *found = find_range(network, range->first);
	const struct address_range *last;

	if (found == NULL)
		return false;
	last = &network->ranges[network->count - 1];
	while (memcmp(range->last, found->last, sizeof(range->last)) > 0) {
		if (found == last || !adjoins(found, found + 1))
			return false;
		found++;
	}
	return true;
}

void network_free(struct network *network)
{
	free(network->ranges);
	*network = (struct network){0};
}
