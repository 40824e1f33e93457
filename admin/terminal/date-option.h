#ifndef PORTCULLIS_DATE_OPTION_H
#define PORTCULLIS_DATE_OPTION_H

#include "policy/schedule.h"

/* Reads the value of an option that is a date, in local time. NULL, for an option
   that was not given, leaves *time_r as it is. False when it is none; the user was
   told then. */
bool date_option(const char *command, const char *option, const char *value, time_t *time_r);

#endif
