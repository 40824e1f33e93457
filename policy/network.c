#include "network.h"

#include <stdlib.h>
#include <string.h>

bool network_add(struct network *network, const struct address_range *range)
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

bool network_add_all(struct network *network, const struct network *other)
{
	for (size_t i = 0; i < other->count; i++) {
		if (!network_add(network, &other->ranges[i]))
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

bool network_contains(const struct network *network, const struct address *address)
{
	size_t low = 0, high = network->count;

	if (!address->known)
		return false;
	/* Finds the first range that begins behind the address. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(network->ranges[middle].first, address->bytes, 16) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && memcmp(address->bytes, network->ranges[low - 1].last, 16) <= 0;
}

void network_free(struct network *network)
{
	free(network->ranges);
	*network = (struct network){0};
}
