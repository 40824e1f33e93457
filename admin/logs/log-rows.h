#ifndef PORTCULLIS_LOG_ROWS_H
#define PORTCULLIS_LOG_ROWS_H

#include "log-login.h"

/* What is kept of the logins of one person by one way from one place. There are many. */
struct log_row {
	uint32_t next; /* of the person; LOG_ROW_NONE: there is none */
	uint32_t way, place;
	uint32_t count;
	int64_t first, last; /* in milliseconds */
	uint64_t weeks;      /* as of struct store_sighting */
	/* Bit i: seen on the day of last - i; and on how many days before those. */
	uint64_t recent_days;
	uint32_t older_days;
	unsigned char client[16]; /* the last one */
};

#define LOG_ROW_NONE UINT32_MAX

/* Sets all but next, way and place. */
void log_row_begin(struct log_row *row, const struct log_login *login);

/* Logins may come in any order; days are told apart as far as they are of the last 64, or
   before all others. */
void log_row_add(struct log_row *row, const struct log_login *login);

uint64_t log_row_days(const struct log_row *row);

#endif
