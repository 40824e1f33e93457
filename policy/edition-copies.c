#define _GNU_SOURCE /* asprintf() */
#include "edition-copies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void report(struct edition_copies *kept, const struct policy *policy, const char *what,
		   int result)
{
	char *problem;

	if (result != 0 && result != kept->last_result) {
		problem = valid_copy_problem(kept->copies, policy->journal, result);
		messages_post(kept->messages, MESSAGE_WARNING, "%s no copy in %s", what,
			      problem == NULL ? kept->copies->directory : problem);
		free(problem);
	}
	kept->last_result = result;
}

void edition_copies_keep_config(struct edition_copies *kept, const struct policy *policy)
{
	if (kept->copies != NULL)
		report(kept, policy, "the configuration has",
		       valid_copy_keep(kept->copies, policy->journal, policy->file, policy->text,
				       policy->text_length));
}

void edition_copies_keep_exemptions(struct edition_copies *kept, const struct policy *policy,
				    struct exemption_source *source)
{
	if (kept->copies != NULL)
		report(kept, policy,
		       source->of_grace ? "the file of grace has" : "the exemptions have",
		       exemption_source_keep(source, policy->journal));
}

void edition_copies_keep_name(struct edition_copies *kept, const struct edition *edition,
			      const char *config)
{
	const char *journal = edition->policy->journal;
	char *path;

	if (kept->copies == NULL || asprintf(&path, "%s.edition", config) < 0)
		return;
	report(kept, edition->policy, "the name of the edition in force has",
	       valid_copy_keep(kept->copies, journal, path, edition->id, strlen(edition->id)));
	free(path);
}
