#ifndef PORTCULLIS_LOG_FIRST_LOOK_H
#define PORTCULLIS_LOG_FIRST_LOOK_H

#include "log-input.h"
#include "log-prefix.h"
#include "log-years.h"

/* Looks through a file, before it is read, for what tells the years of its lines (log-years.h).
   *beginning_r: a hash of its first lines. False: it has no line. */
bool log_first_look(struct log_years *years, struct log_prefix *prefix, struct log_input *file,
		    uint64_t *beginning_r);

#endif
