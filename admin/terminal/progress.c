#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WIDTH 50
#define INTERVAL_MILLISECONDS 100

static int64_t monotonic_milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void progress_begin(struct progress *progress, uint64_t total)
{
	*progress = (struct progress){.total = total, .drawn = monotonic_milliseconds()};
}

void progress_add(struct progress *progress, uint64_t amount)
{
	int64_t now = monotonic_milliseconds();
	char bar[WIDTH + 1];
	uint64_t filled;

	progress->done += amount;
	if (progress->total == 0 || now - progress->drawn < INTERVAL_MILLISECONDS ||
	    !isatty(STDERR_FILENO))
		return;
	/* What was written meanwhile comes on top. */
	if (progress->done > progress->total)
		progress->total = progress->done;
	filled = WIDTH * progress->done / progress->total;
	memset(bar, ' ', WIDTH);
	memset(bar, '#', filled);
	bar[WIDTH] = '\0';
	fprintf(stderr, "\r[%s] %3u %%", bar,
		(unsigned int)(100 * progress->done / progress->total));
	progress->shown = true;
	progress->drawn = now;
}

void progress_clear(struct progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
	progress->shown = false;
}
