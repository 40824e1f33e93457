#ifndef PORTCULLIS_POSTGRESQL_LAST_LOOK_H
#define PORTCULLIS_POSTGRESQL_LAST_LOOK_H

#include "postgresql.h"

/* What a transaction must look at before it ends, since others write beside it. */

struct last_look;

struct last_look *last_look_create(void);
void last_look_free(struct last_look *look);
void last_look_clear(struct last_look *look);

/* The server told of logins on that day. */
void last_look_at_witness(struct last_look *look, int64_t server, int64_t day);
/* What its log told of that day waits. */
void last_look_at_log(struct last_look *look, int64_t server, int64_t day);

/* SQL for the ids of the servers that are worse witnesses than those with the ids between. */
#define WORSE_THAN_BEGIN                                                                           \
	"ARRAY(SELECT DISTINCT s.id FROM portcullis.servers s JOIN portcullis.servers b"           \
	" ON b.source = s.source AND b.witness < s.witness AND (b.host = s.host"                   \
	"  OR starts_with(b.host, s.host || '.') OR starts_with(s.host, b.host || '.'))"           \
	" WHERE b.id = ANY ("
#define WORSE_THAN_END "))"

/* Removes what is covered of it, by whomever. Only COMMIT comes after it: others wait. */
bool postgresql_look_last(struct store *store);

#endif
