#ifndef PORTCULLIS_POSTGRESQL_SCHEMA_H
#define PORTCULLIS_POSTGRESQL_SCHEMA_H

#include "postgresql.h"

/* What brings a database from the version before it to its own, 1 first. */
extern const char *const postgresql_migrations[];

/* Gives the roles of conf-examples/postgresql/roles.sql their rights, where there are such. */
bool postgresql_grant(struct store *store);

#endif
