#ifndef PORTCULLIS_FORGETTING_H
#define PORTCULLIS_FORGETTING_H

#include "admin/store/store.h"
#include "importer.h"

/* Carries out on this host what another one that shares the store has ordered to forget
   (store-orders.h): goes through all that the journal has, and what servers have only counted,
   in as many passes of the import as that takes, takes lines that were set aside out, and
   answers. */
struct forgetting;

/* Both are borrowed. */
struct forgetting *forgetting_create(struct store *store, const struct policy *policy);
void forgetting_free(struct forgetting *forgetting);

/* Before a pass: looks whether there is such an order. False when the store fails. */
bool forgetting_look(struct forgetting *forgetting);

/* Whether it needs further passes. */
bool forgetting_goes_on(const struct forgetting *forgetting);

/* For the next importer_pass(): the usual one, unless files are to be renamed for it. */
uint64_t forgetting_rotate_size(const struct forgetting *forgetting, uint64_t usual);

/* After a pass of journal and logs. problems: what could not be read of either. False when
   the store fails; it also says itself what is wrong with lines that were set aside. */
bool forgetting_note_pass(struct forgetting *forgetting, const struct importer_rest *rest,
			  size_t problems);

#endif
