#include "log-rows.h"

#include <string.h>

#include "admin/store/store-week.h"

static int64_t day_of(int64_t time)
{
	return time / MILLISECONDS_A_DAY;
}

void log_row_begin(struct log_row *row, const struct log_login *login)
{
	row->count = login->count;
	row->first = row->last = login->time;
	row->weeks = row->recent_days = 1;
	row->older_days = 0;
	memcpy(row->client, login->client.bytes, sizeof(row->client));
}

static void go_on(struct log_row *row, const struct log_login *login)
{
	int64_t days = day_of(login->time) - day_of(row->last);
	int64_t weeks = store_week(login->time) - store_week(row->last);

	if (days > 0) {
		uint64_t gone = days < 64 ? row->recent_days >> (64 - days) : row->recent_days;

		row->older_days += (uint32_t)__builtin_popcountll(gone);
		row->recent_days = (days < 64 ? row->recent_days << days : 0) | 1;
	}
	if (weeks > 0)
		row->weeks = (weeks < 64 ? row->weeks << weeks : 0) | 1;
	row->last = login->time;
	memcpy(row->client, login->client.bytes, sizeof(row->client));
}

static void go_back(struct log_row *row, const struct log_login *login)
{
	int64_t days = day_of(row->last) - day_of(login->time);
	int64_t weeks = store_week(row->last) - store_week(login->time);

	if (days < 64)
		row->recent_days |= UINT64_C(1) << days;
	else if (day_of(login->time) < day_of(row->first))
		row->older_days++;
	if (weeks < 64)
		row->weeks |= UINT64_C(1) << weeks;
	if (login->time < row->first)
		row->first = login->time;
}

void log_row_add(struct log_row *row, const struct log_login *login)
{
	if (login->time >= row->last)
		go_on(row, login);
	else
		go_back(row, login);
	row->count =
		row->count > UINT32_MAX - login->count ? UINT32_MAX : row->count + login->count;
}

uint64_t log_row_days(const struct log_row *row)
{
	return row->older_days + (uint64_t)__builtin_popcountll(row->recent_days);
}
