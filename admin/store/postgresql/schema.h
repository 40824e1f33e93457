#ifndef PORTCULLIS_POSTGRESQL_SCHEMA_H
#define PORTCULLIS_POSTGRESQL_SCHEMA_H

/* What brings a database from the version before it to its own, 1 first. */
extern const char *const postgresql_migrations[];

#endif
