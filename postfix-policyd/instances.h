#ifndef PORTCULLIS_INSTANCES_H
#define PORTCULLIS_INSTANCES_H

#include "policy/judge.h"

/* The mail transactions that were recorded lately. Postfix asks once for each
   recipient, with the same "instance"; they are one sighting. The table's size is
   fixed: what has not been asked about for longest is forgotten first, and would
   then be recorded again. */
struct instances;

/* NULL when out of memory. */
struct instances *instances_create(void);
void instances_free(struct instances *instances);

/* Remembers an instance with what its record says: the user, the rules that are
   broken, the outcome. False when just that is remembered already. A request
   without an instance ("") is never remembered. */
bool instances_add(struct instances *instances, const char *instance, const char *user,
		   const struct verdict *verdict);

#endif
