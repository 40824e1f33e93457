#ifndef PORTCULLIS_NOTICE_DATE_H
#define PORTCULLIS_NOTICE_DATE_H

#include "notice-plan.h"

/* From when on a rule holds for a person, whom exemptions and grace may let off for longer. */
struct notice_date {
	time_t time;   /* SCHEDULE_NEVER: there is no date */
	bool exempted; /* an exemption has moved it, or holds where there is none */
	bool ending;   /* that one is for a country, and it is time to tell of its end */
};

/* Who is let off in a country has one date there, and another one elsewhere: that which comes
   first counts. */
struct notice_date notice_date_find(const struct notice_person *person, const struct rule *rule,
				    time_t now);

#endif
