#ifndef PORTCULLIS_SURVEY_REPORT_H
#define PORTCULLIS_SURVEY_REPORT_H

#include "admin/questions/survey-count.h"
#include "admin/questions/survey-reading.h"
#include "admin/terminal/listing.h"

/* What came of a survey, for its reader. */
struct survey_report {
	const struct survey_reading *reading;
	const struct policy *policy;
	bool built_in;                   /* the survey's own list of rules */
	const struct survey_rule *rules; /* by their index in the policy */
};

void survey_report_print(const struct survey_report *report);
void survey_report_print_json(const struct survey_report *report);
/* The rules alone. */
void survey_report_print_csv(const struct survey_report *report);

/* Lines that were not understood, with examples. */
void survey_report_print_unknown(const struct survey_reading *reading);

/* What logs cannot tell, and the lines that make them tell it; nothing when there is nothing.
   Part of what survey_report_print() prints. */
void survey_report_print_untold(const struct survey_report *report);

#endif
