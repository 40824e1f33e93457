#ifndef PORTCULLIS_EDITION_HANDOVER_H
#define PORTCULLIS_EDITION_HANDOVER_H

#include <stdatomic.h>

#include "kept-edition.h"

/* From the thread that makes editions to the one that decides by them, and back to be freed;
   neither waits for the other. All zero but for current at first. */
struct edition_handover {
	struct kept_edition *current; /* the deciding thread's */
	_Atomic(struct kept_edition *) offered;
	_Atomic(struct kept_edition *) retired; /* a list, by next_retired */
};

/* The making thread's: takes an edition over. */
void edition_handover_offer(struct edition_handover *handover, struct kept_edition *kept);

/* The making thread's: frees what the deciding one is done with. */
void edition_handover_clean(struct edition_handover *handover);

/* The deciding thread's. Valid until the next call. Costs one atomic load. */
const struct edition *edition_handover_current(struct edition_handover *handover);

/* Frees all, when there is one thread. */
void edition_handover_free(struct edition_handover *handover);

#endif
