#ifndef PORTCULLIS_LOG_PLACES_H
#define PORTCULLIS_LOG_PLACES_H

#include <glib.h>

#include "policy/edition.h"

/* Where clients are, as far as a policy can ask: in which country, and in which of its
   networks. Clients of one place are equal to every rule. */
struct log_place {
	bool known; /* the log told the address */
	struct country country;
};

struct log_places;

/* The edition must outlive them. */
struct log_places *log_places_create(const struct edition *edition);
void log_places_free(struct log_places *places);

/* The number of the client's place. */
uint32_t log_places_find(struct log_places *places, const struct address *client);

/* Lives until the next log_places_find(). */
const struct log_place *log_places_get(const struct log_places *places, uint32_t place);

#endif
