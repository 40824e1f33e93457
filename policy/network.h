#ifndef PORTCULLIS_NETWORK_H
#define PORTCULLIS_NETWORK_H

#include "address.h"

/* A set of addresses, for instance all networks that a rule excepts. Searched
   by bisection, so that a list of ten thousand prefixes costs little. */
struct network {
	struct address_range *ranges;
	size_t count;
	size_t allocated;
};

/* Adds a range; false when out of memory. Call network_seal() once after the
   last one: it sorts and joins the ranges. */
bool network_add(struct network *network, const struct address_range *range);
bool network_add_all(struct network *network, const struct network *other);
void network_seal(struct network *network);

/* Only on a sealed network. An unknown address is in no network. */
bool network_contains(const struct network *network, const struct address *address);

/* The range of a sealed network that an address is in. False when it is in none. */
bool network_find_range(const struct network *network, const struct address *address,
			struct address_range *range_r);

/* Whether all of a range is in a sealed network. */
bool network_contains_range(const struct network *network, const struct address_range *range);

void network_free(struct network *network);

#endif
