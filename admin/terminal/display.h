#ifndef PORTCULLIS_DISPLAY_H
#define PORTCULLIS_DISPLAY_H

#include <stdint.h>
#include <time.h>

#include "policy/schedule.h"

/* How what is stored is shown in tables. */

/* Local "14 Jun", or "14 Jun 2023" of another year than the present one. */
#define DAY_TEXT_SIZE sizeof("14 Jun -2147481748")
const char *day_format(int64_t milliseconds, char text_r[static DAY_TEXT_SIZE]);

/* The local day of a moment, in days since 1970. */
int64_t calendar_day(time_t time);

/* The local day of a moment, as in the exemptions: "2024-06-14". */
#define ISO_DAY_TEXT_SIZE sizeof("-2147481748-01-01")
const char *iso_day_format(time_t time, char text_r[static ISO_DAY_TEXT_SIZE]);

/* How far local time is from UTC at a moment: "+02:00". */
#define OFFSET_TEXT_SIZE sizeof("+24:59")
const char *offset_format(time_t time, char text_r[static OFFSET_TEXT_SIZE]);

/* "2024-09-20 00:00+02:00", or as date_format() has it: for sentences that also stand in
   JSON, and may be read elsewhere. */
#define OFFSET_DATE_TEXT_SIZE (DATE_TEXT_SIZE + OFFSET_TEXT_SIZE)
const char *offset_date_format(time_t time, char text_r[static OFFSET_DATE_TEXT_SIZE]);

#define NUMBER_TEXT_SIZE sizeof("18446744073709551615")
const char *number_format(uint64_t number, char text_r[static NUMBER_TEXT_SIZE]);

#endif
