#ifndef PORTCULLIS_WHEREABOUTS_H
#define PORTCULLIS_WHEREABOUTS_H

#include <glib.h>

#include "policy/policy.h"

/* What is left of a client's address when that is erased: no more than the networks of the
   configuration say of it. The store keeps it as a text, "local" or "public" and, where some
   network held the address, the range that is common to all that did:
   "public 192.0.2.0-192.0.2.255". */
struct whereabouts {
	bool local;      /* of no country: address_is_local() */
	bool in_network; /* then it was somewhere in the range */
	struct address_range range;
};

#define WHEREABOUTS_SIZE (sizeof("public -") + 2 * ADDRESS_TEXT_SIZE)

/* Writes that of an address. Returns text_r. */
const char *whereabouts_format(const struct policy *policy, const struct address *client,
			       char text_r[static WHEREABOUTS_SIZE]);

/* False when the text tells nothing: "" stands for what was never noted. */
bool whereabouts_parse(const char *text, struct whereabouts *whereabouts_r);

/* A number for all that whereabouts depend on; another one where that differs. Not 0. */
int64_t whereabouts_definition(const struct policy *policy);

#endif
