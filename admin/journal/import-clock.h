#ifndef PORTCULLIS_IMPORT_CLOCK_H
#define PORTCULLIS_IMPORT_CLOCK_H

#include "admin/store/store.h"

/* 2024-01-01: there was no Portcullis before, so what is dated earlier has a wrong clock. */
#define FIRST_TIME INT64_C(1704067200000)

/* What time it is, as far as an import may believe it. A wrong clock would have it date back
   what is true, or erase what is not old yet, and neither can be undone. In milliseconds
   since 1970. */
struct import_clock {
	int64_t at;  /* what ages are judged by; 0: the machine's clock */
	bool forced; /* at, or the clock, is right, whatever the store says */

	/* As import_clock_read() found it. */
	int64_t machine; /* what the machine's clock showed */
	int64_t present; /* no line can be much later than that */
	struct store_newest newest;
	struct store_failure failure; /* status 0: none of its own */
};

/* To be called in each transaction. False when the store fails, or when the clock is more
   than a day behind what the store knows, which stands in failure then. */
bool import_clock_read(struct import_clock *clock, struct store *store);

/* What the operator says, or the clock shows now. */
int64_t import_clock_now(const struct import_clock *clock);

/* What ages are judged by, unless forced: not long after the newest line. */
int64_t import_clock_reference(const struct import_clock *clock);

/* Whether so many seconds are over since a time. Never while the newest line is not
   confirmed: what seems old may be all that is true. */
bool import_clock_is_past(const struct import_clock *clock, int64_t time, int64_t seconds);

/* Whether what is dated later than the machine's clock shows is certainly wrong: the lines
   agree with the clock, or the operator does. */
bool import_clock_is_sure(const struct import_clock *clock);

#endif
