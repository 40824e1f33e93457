#ifndef PORTCULLIS_SUSPECT_HABITS_H
#define PORTCULLIS_SUSPECT_HABITS_H

#include "sighting-judge.h"

/* For each habit of a store that is being read, by its index: whether a sighting in it may break
   a rule by the judge, wherever the client was, though it broke none when it was recorded. Who
   has none in these, and never broke a rule, breaks none. untold_r: the rules of which some habit
   may not tell what they ask for. The caller frees it with g_free(). */
bool *suspect_habits_find(const struct sighting_judge *judge, const struct store *store,
			  uint64_t *untold_r);

#endif
