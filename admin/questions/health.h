#ifndef PORTCULLIS_HEALTH_H
#define PORTCULLIS_HEALTH_H

#include "host-standing.h"
#include "notice-health.h"

/* Whether the parts of the suite do what the answers rest on. */
enum health_check {
	HEALTH_FILES,     /* those that the configuration names */
	HEALTH_IMPORT,    /* when the journal was imported last */
	HEALTH_BACKLOG,   /* what waits to be imported */
	HEALTH_LOGS,      /* those that are followed */
	HEALTH_HOSTS,     /* those that share the store */
	HEALTH_EDITIONS,  /* whether the servers go by what the files say now */
	HEALTH_SERVERS,   /* whether all that recorded in the last month still do */
	HEALTH_LOST,      /* lines that were not written, or could not be read */
	HEALTH_DATABASE,  /* age of the country database */
	HEALTH_COUNTRIES, /* clients whose country is not known */
	HEALTH_NOTICES,   /* who cannot be told */
	HEALTH_UNTOLD,    /* how many those are, or not in time */
	HEALTH_LIMITS,    /* whether all can be before their dates */
	HEALTH_COUNT
};

struct health_finding {
	bool healthy;
	char text[800]; /* UTF-8, harmless for a terminal */
};

const char *health_check_name(enum health_check check);

/* now: milliseconds. False when the store fails. */
bool health_examine(const struct inquiry *inquiry, const struct host_standings *hosts,
		    const struct notice_health *notices, int64_t now,
		    struct health_finding findings_r[HEALTH_COUNT]);

/* Whether no check found anything wrong. */
bool health_is_good(const struct health_finding findings[HEALTH_COUNT]);

#endif
