#include "notice-output.h"

int64_t notice_time(const struct store_notice *notice)
{
	return notice->settled == 0 ? notice->intended : notice->settled;
}
