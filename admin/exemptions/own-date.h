#ifndef PORTCULLIS_OWN_DATE_H
#define PORTCULLIS_OWN_DATE_H

#include "policy/exemption.h"

/* Until when a user is let off all of a rule: the end of the exemptions that cover a
   moment, one after the other, or the moment itself when none does. With a country, those
   that allow this one count, too; NULL: none. */
time_t exemptions_end(const struct exemption *exemptions, size_t count, const struct rule *rule,
		      const struct country *country, time_t moment);

/* When a rule will hold for a user, or has begun to: an exemption that covers the
   rule's date, or now, where that is later, moves it, and so does grace that ends later
   (see policy/grace.h; 0: there is none). SCHEDULE_NEVER without a date. *exempted_r: it
   was an exemption. */
time_t own_date(const struct exemption *exemptions, size_t count, const struct rule *rule,
		const struct country *country, time_t grace_end, time_t now, bool *exempted_r);

#endif
