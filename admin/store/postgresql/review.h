#ifndef PORTCULLIS_POSTGRESQL_REVIEW_H
#define PORTCULLIS_POSTGRESQL_REVIEW_H

#include "admin/store/store-admin.h"
#include "postgresql.h"

/* As store_review(). */
void postgresql_review(const char *uri, store_warn *warn, void *context);

#endif
