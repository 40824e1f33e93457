#ifndef PORTCULLIS_OWN_HOST_H
#define PORTCULLIS_OWN_HOST_H

#include "admin/store/store.h"
#include "policy/policy.h"

/* What an importer tells the store of its host: see struct store_host. */
struct own_host;

/* The policy is borrowed. */
struct own_host *own_host_create(const struct policy *policy);
void own_host_free(struct own_host *host);

/* After an import: tells it if that was not done for OWN_HOST_SECONDS, or the files that judge
   have changed. False when the store fails. */
#define OWN_HOST_SECONDS 15
bool own_host_tell(struct own_host *host, struct store *store);

#endif
