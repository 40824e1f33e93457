#include "display.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *local_format(time_t time, const char *format, char *text_r, size_t size)
{
	struct tm local;

	if (localtime_r(&time, &local) == NULL || strftime(text_r, size, format, &local) == 0)
		text_r[0] = '\0';
	return text_r;
}

static int local_year(time_t time)
{
	struct tm local;

	return localtime_r(&time, &local) == NULL ? 0 : local.tm_year;
}

const char *day_format(int64_t milliseconds, char text_r[static DAY_TEXT_SIZE])
{
	time_t seconds = (time_t)(milliseconds / 1000);
	bool this_year = local_year(seconds) == local_year(time(NULL));

	return local_format(seconds, this_year ? "%e %b" : "%e %b %Y", text_r, DAY_TEXT_SIZE);
}

int64_t calendar_day(time_t time)
{
	struct tm local;

	if (localtime_r(&time, &local) == NULL)
		return 0;
	return ((int64_t)time + local.tm_gmtoff) / SECONDS_A_DAY;
}

const char *iso_day_format(time_t time, char text_r[static ISO_DAY_TEXT_SIZE])
{
	return local_format(time, "%Y-%m-%d", text_r, ISO_DAY_TEXT_SIZE);
}

const char *offset_format(time_t time, char text_r[static OFFSET_TEXT_SIZE])
{
	struct tm local = {0};
	long minutes;

	localtime_r(&time, &local);
	minutes = labs(local.tm_gmtoff) / 60;
	snprintf(text_r, OFFSET_TEXT_SIZE, "%c%02ld:%02ld", local.tm_gmtoff < 0 ? '-' : '+',
		 minutes / 60 % 100, minutes % 60);
	return text_r;
}

const char *offset_date_format(time_t time, char text_r[static OFFSET_DATE_TEXT_SIZE])
{
	char offset[OFFSET_TEXT_SIZE];

	date_format(time, text_r);
	if (time == SCHEDULE_ALWAYS || time == SCHEDULE_NEVER)
		return text_r;
	return strcat(text_r, offset_format(time, offset));
}

const char *number_format(uint64_t number, char text_r[static NUMBER_TEXT_SIZE])
{
	snprintf(text_r, NUMBER_TEXT_SIZE, "%" PRIu64, number);
	return text_r;
}
