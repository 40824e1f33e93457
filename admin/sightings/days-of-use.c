#include "days-of-use.h"

#include <glib.h>

void days_of_use_begin(struct days_of_use *days_r, int64_t last_seen)
{
	*days_r = (struct days_of_use){.last = last_seen / MILLISECONDS_A_DAY};
}

void days_of_use_add(struct days_of_use *days, const struct store_sighting *sighting)
{
	int64_t newest = days->last - sighting->last_seen / MILLISECONDS_A_DAY;
	int64_t oldest = days->last - sighting->first_seen / MILLISECONDS_A_DAY;
	float a_day = (float)sighting->days / (float)(oldest - newest + 1);

	for (int64_t ago = newest; ago <= oldest && ago < DAYS_OF_USE_MAX; ago++)
		days->busiest[ago] = MAX(days->busiest[ago], a_day);
	days->count = MAX(days->count, MIN(oldest + 1, DAYS_OF_USE_MAX));
	days->most = MAX(days->most, sighting->days);
}

unsigned int days_of_use_count(const struct days_of_use *days)
{
	double sum = 0;

	for (int64_t i = 0; i < days->count; i++)
		sum += days->busiest[i];
	return (unsigned int)MAX((uint64_t)(sum + 0.5), days->most);
}
