#include "store-week.h"

uint64_t seen_weeks(const struct store_sighting *sighting, int64_t week)
{
	int64_t ago = week - store_week(sighting->last_seen);

	if (ago >= 64 || ago <= -64)
		return 0;
	return ago >= 0 ? sighting->weeks << ago : sighting->weeks >> -ago;
}
