/* A log, which strangers have written in: its lines are taken apart, and their years found. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "admin/logs/log-prefix.h"
#include "admin/logs/log-years.h"

#define NEWEST INT64_C(1795946696000)

/* Reads every byte, so that one that is not there is noticed. */
static unsigned int sum(struct log_slice slice)
{
	unsigned int sum = 0;

	for (size_t i = 0; i < slice.length; i++)
		sum += (unsigned char)slice.text[i];
	return sum;
}

static void look_at(const struct log_line *line, struct log_years *years)
{
	const struct log_time *time = &line->time;
	uint64_t session = sum(line->message) % 2 == 0 ? sum(line->message) : LOG_SESSION_NONE;

	require(line->count >= 1);
	require(sum(line->host) + sum(line->program) < UINT32_MAX);
	if (time->kind == LOG_TIME_UTC)
		require(log_years_complete(years, time, session) == time->utc);
	if (time->kind != LOG_TIME_YEARLESS)
		return;
	require(time->month >= 1 && time->month <= 12 && time->day >= 1 && time->day <= 31);
	/* No later than the file, but for what clocks and zones differ. */
	require(log_years_complete(years, time, session) <= NEWEST + 3 * 24 * 3600 * 1000);
	require(log_years_complete(years, time, session) > 0);
}

static void read_log(struct log_prefix *prefix, const char *log, size_t size, bool is_look,
		     struct log_years *years)
{
	log_prefix_clear(prefix);
	for (const char *end = log + size; log < end;) {
		const char *newline = memchr(log, '\n', (size_t)(end - log));
		size_t length = (size_t)((newline == NULL ? end : newline) - log);
		/* Without anything behind it. */
		char *text = malloc(length == 0 ? 1 : length);
		struct log_line line;

		require(text != NULL);
		memcpy(text, log, length);
		if (log_prefix_read(prefix, text, length, length > 400, &line) == LOG_LINE_READ) {
			if (!is_look)
				look_at(&line, years);
			else
				log_years_look(years, &line.time, LOG_SESSION_NONE);
		}
		free(text);
		log += length + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct log_prefix *prefix = log_prefix_create();
	struct log_years years;

	log_years_begin(&years, NEWEST);
	read_log(prefix, (const char *)data, size, true, &years);
	log_years_rewind(&years);
	read_log(prefix, (const char *)data, size, false, &years);
	log_prefix_free(prefix);
	return 0;
}
