#ifndef PORTCULLIS_EDITION_H
#define PORTCULLIS_EDITION_H

#include "country-database.h"
#include "exemption.h"

/* 16 hex digits and the closing NUL. */
#define EDITION_ID_SIZE 17

/* Everything that a judgement rests on, as it stood at one moment. */
struct edition {
	const struct policy *policy;
	const struct exemptions *exemptions;      /* NULL: nobody is exempted */
	const struct exemptions *grace;           /* NULL: nobody is given grace */
	const struct country_database *countries; /* NULL: there is none */
	/* The policy names exemptions, but they could not be read: any user may have one. */
	bool exemptions_unknown;
	/* Of what was read: another one whenever something was read that differs, dates
	   that another time zone gave another meaning among it. Grace does not count: it comes
	   and goes with every notice. */
	char id[EDITION_ID_SIZE];
};

/* Puts an edition together and gives it its id. The parts are borrowed. */
struct edition edition_of(const struct policy *policy, const struct exemptions *exemptions,
			  const struct exemptions *grace, const struct country_database *countries);

#endif
