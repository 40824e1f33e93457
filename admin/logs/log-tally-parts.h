#ifndef PORTCULLIS_LOG_TALLY_PARTS_H
#define PORTCULLIS_LOG_TALLY_PARTS_H

#include "log-people.h"
#include "log-places.h"
#include "log-tally.h"
#include "log-ways.h"

/* What log-tally.c adds up, and log-tally-store.c shows. */

struct log_server {
	char *host;
	enum source source;
	uint64_t logins;
	int64_t last;
	int64_t names_tls[SERVICE_COUNT]; /* since when lines of the service do; 0: none does */
};

struct log_day {
	int64_t day;
	uint64_t logins;
};

struct log_tally {
	const struct edition *edition;
	struct log_people people;
	struct log_ways ways;
	struct log_places *places;
	GArray *servers; /* of struct log_server */
	GArray *hosts;   /* of char *, each of a server's */
	GArray *days;    /* of struct log_day, in their order */
	guint day;       /* of the last login, in there */
	uint32_t server; /* likewise */
	uint64_t unverified;
	int64_t first, last;
	uint64_t with_client[2];   /* by enum source */
	unsigned int series;       /* of Dovecot, a bit each */
	struct shown_tally *shown; /* NULL: no store shows it yet */
};

/* What there was of TLS, now that all is added. */
enum tls_state log_tally_tls(const struct log_tally *tally, const struct log_row *row);

/* Frees what log_tally_store() made besides the store. */
void log_tally_show_no_more(struct log_tally *tally);

#endif
