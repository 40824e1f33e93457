#ifndef PORTCULLIS_ANNOUNCED_DATES_H
#define PORTCULLIS_ANNOUNCED_DATES_H

#include <glib.h>

#include "policy/policy.h"

/* The memory of `portcullis announce`: which dates were published last, and how
   they changed from one time to the next. A JSON file; nothing else needs it. */
struct announced_dates;

enum date_kind { DATE_NOTIFY, DATE_ENFORCE, DATE_BROWNOUT };

/* Something that people had to be told. */
struct date_change {
	time_t time; /* when it was published */
	char *rule;  /* title */
	enum kind kind;
	unsigned int services; /* SERVICE_BIT()s */
	enum date_kind date;
	time_t from; /* SCHEDULE_NEVER: there was none */
	time_t to;   /* SCHEDULE_NEVER: cancelled */
};

/* True for rules that concern the public: those with more than an observe date. */
bool rule_is_public(const struct rule *rule);

/* Reads the file. One that does not exist is an empty memory. NULL with *error_r
   allocated (the caller frees it with g_free()) when it cannot be read or is
   damaged. */
struct announced_dates *announced_dates_load(const char *path, char **error_r);
void announced_dates_free(struct announced_dates *dates);

/* Notes what differs in the policy from what was published last. True when
   anything does. */
bool announced_dates_update(struct announced_dates *dates, const struct policy *policy, time_t now);

/* Puts a new file in the place of the old one. False with *error_r allocated, as above. */
bool announced_dates_save(const struct announced_dates *dates, const char *path, char **error_r);

/* An array of struct date_change, the oldest first. Borrowed. */
const GArray *announced_changes(const struct announced_dates *dates);

#endif
