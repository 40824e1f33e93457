#ifndef PORTCULLIS_TESTS_FORMAT_SIGHTING_H
#define PORTCULLIS_TESTS_FORMAT_SIGHTING_H

#include "policy/sighting.h"

/* The line of one sighting that is told with all details. Its length, or 0 as
   sighting_line_format(). */
static inline size_t format_sighting(const struct sighting *sighting, const char *host,
				     char line_r[static SIGHTING_LINE_SIZE])
{
	struct sighting_record record;
	struct sighting_line line;

	if (!sighting_record_make(&record, sighting, host))
		return 0;
	line = sighting_line_of(&record);
	line.edition = sighting->edition;
	return sighting_line_format(&line, line_r);
}

#endif
