#ifndef PORTCULLIS_LOG_TALLY_H
#define PORTCULLIS_LOG_TALLY_H

#include "admin/sightings/sighting-judge.h"
#include "log-login.h"

/* Adds up the logins that logs tell of: who came by which way, in memory, which grows with the
   people and their ways, not with the lines. Of logins whose password was not right, which
   anybody can make, only the number is kept. */
struct log_tally;

/* The edition must outlive it: where clients are, and in which networks, is told apart as far
   as it tells them apart. */
struct log_tally *log_tally_create(const struct edition *edition);
void log_tally_free(struct log_tally *tally); /* NULL is allowed */

void log_tally_add(struct log_tally *tally, const struct log_login *login);

/* What those that were right said of themselves, in one kind of server's logs. */
struct log_told {
	uint64_t logins;
	uint64_t port;
	uint64_t tls;         /* whether there was any */
	uint64_t tls_kind;    /* STARTTLS or not, or that there was none */
	uint64_t with_tls;    /* there was some; */
	uint64_t tls_version; /* of them */
	uint64_t client;
};

struct log_tally_counts {
	uint64_t people;
	uint64_t verified, unverified;
	int64_t first, last;     /* of both, in milliseconds; 0: there were none */
	struct log_told told[2]; /* by enum source */
	unsigned int series;     /* that wrote the logs of Dovecot, a bit each */
};

/* Whether a login that names no TLS had none is known when all were added. */
void log_tally_count(const struct log_tally *tally, struct log_tally_counts *counts_r);

/* The hosts that the logs name, in their order of appearance, each once. Returns how many there
   are. */
size_t log_tally_hosts(const struct log_tally *tally);
const char *log_tally_host(const struct log_tally *tally, size_t index);

/* A store of what was added, in which each way has the rules that it breaks as the judge has
   them. Nothing may be added any more; the tally must outlive it, and so must the judge. The
   caller closes it, and asks for no other one before. */
struct store *log_tally_store(struct log_tally *tally, const struct sighting_judge *judge);

#endif
