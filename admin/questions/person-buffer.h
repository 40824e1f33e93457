#ifndef PORTCULLIS_PERSON_BUFFER_H
#define PORTCULLIS_PERSON_BUFFER_H

#include <glib.h>

#include "admin/store/store.h"

/* The sightings of one user, until all of them have come. */
struct person_buffer {
	GArray *sightings; /* of struct store_sighting */
	GStringChunk *texts;
	const char *user; /* of all of them */
};

void person_buffer_init(struct person_buffer *buffer_r);
void person_buffer_free(struct person_buffer *buffer);

/* Whether there is somebody in it, and this is another one. */
bool person_buffer_ends_with(const struct person_buffer *buffer, int64_t user_id);
void person_buffer_add(struct person_buffer *buffer, const struct store_sighting *sighting);
/* Whether the user broke a rule with the right password. */
bool person_buffer_is_offender(const struct person_buffer *buffer);
void person_buffer_each(const struct person_buffer *buffer, store_visit_sighting *visit,
			void *context);
void person_buffer_clear(struct person_buffer *buffer);

#endif
