#include "store-week.h"

int64_t store_week(int64_t time)
{
	return (time + 3 * MILLISECONDS_A_DAY) / (7 * MILLISECONDS_A_DAY);
}

int64_t store_week_begin(int64_t week)
{
	return week * 7 * MILLISECONDS_A_DAY - 3 * MILLISECONDS_A_DAY;
}

uint64_t seen_weeks(const struct store_sighting *sighting, int64_t week)
{
	int64_t ago = week - store_week(sighting->last_seen);

	if (ago >= 64 || ago <= -64)
		return 0;
	return ago >= 0 ? sighting->weeks << ago : sighting->weeks >> -ago;
}
